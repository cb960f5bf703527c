"""The words of XMPP: addresses, stanzas, errors, forms, pages, times. No I/O, no state."""
