"""Which stream a block of data is for, read without opening the block."""

from __future__ import annotations

import re
from typing import Final

from xmppd.xmpp.stanza import Stanza

NS_IBB: Final = "http://jabber.org/protocol/ibb"
DATA: Final = f"{NS_IBB} data"
# A plain tag: attributes are passed over one by one, so that nothing inside a value is taken for the sid. References
# and white space in the sid mean something else than they say.
_PLAIN: Final = re.compile(
    rb"""<data(?:\s+(?!sid=)[\w:.-]+=(?:"[^"]*"|'[^']*'))*\s+sid=(?:"([^"&\t\r\n]*)"|'([^'&\t\r\n]*)')"""
)


def sid_of(stanza: Stanza) -> str:
    """The `sid` of the first block that stands in a stanza; "" where it has none."""
    plain = _PLAIN.match(stanza.letter) if stanza.names[0] == DATA else None
    if plain is not None:
        return (plain[1] or plain[2] or b"").decode()
    block = stanza.child("data", NS_IBB)
    return "" if block is None else block.get("sid", "")
