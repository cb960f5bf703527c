"""Where a stanza goes: hooks, the router, sessions, the iq table and the rules of delivery."""
