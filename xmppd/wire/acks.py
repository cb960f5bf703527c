"""Acknowledgements (XEP-0198) recognised by their bytes: they come behind every few stanzas and are always alike."""

from __future__ import annotations

import re
from typing import Final

from xmppd.xmpp import namespaces as ns

from .items import Nonza

# Nothing inside of a tag has a "<", so what matches from the last one to the end is a whole element, or text that looks
# like one; which of them, whoever knows whether a stanza is open can tell.
_ACK: Final = re.compile(rb"""<([ar]) xmlns=(['"])urn:xmpp:sm:3\2(?: h=(['"])([0-9]{1,10})\3)? ?/>""")
_NAMES: Final = {b"a": f"{ns.SM} a", b"r": f"{ns.SM} r"}
_MOST: Final = 8  # at the end of what comes in at once; there are two as a rule


def at_the_end(data: bytes) -> tuple[int, list[Nonza]]:
    """The acknowledgements at the end of `data`, and where they begin; `len(data)` where there are none, or very many.

    So what stands before those that it finds does not end with more of them.
    """
    end, found = len(data), list[Nonza]()
    while (begin := data.rfind(b"<", 0, end)) >= 0:
        match = _ACK.fullmatch(data, begin, end)
        if match is None:
            break
        if len(found) == _MOST:
            return len(data), []
        h = match[4]
        found.insert(0, Nonza(_NAMES[match[1]], {} if h is None else {"h": h.decode()}, b"", ()))
        end = begin
    return end, found
