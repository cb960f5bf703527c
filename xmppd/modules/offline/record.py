"""A message as it lies in the table: envelope and letter, nothing to parse."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

# XML 1.0 has none of these characters, so no field can hold one.
FIELD: Final = "\0"
ITEM: Final = "\1"
LETTER: Final = b"\2"


def pack(stanza: Stanza) -> bytes:
    """Envelope and letter in one piece."""
    extra = ITEM.join(piece for pair in stanza.extra.items() for piece in pair) if stanza.extra else ""
    fields = (stanza.to or "", stanza.sender or "", stanza.type, stanza.id, stanza.lang, ITEM.join(stanza.names), extra)
    return FIELD.join(fields).encode() + LETTER + stanza.letter


def unpack(packed: bytes, more: bytes = b"", name: str = "") -> Stanza:
    """The message again, with one more element at its end: its bytes and its `"namespace name"`."""
    envelope, _, letter = packed.partition(LETTER)
    to, sender, type, id, lang, joined, extra = envelope.decode().split(FIELD)
    names = tuple(joined.split(ITEM)) if joined else ()
    return Stanza(
        "message",
        JID.parse(to) if to else None,
        JID.parse(sender) if sender else None,
        type,
        id,
        lang,
        letter + more,
        (*names, name) if name else names,
        _pairs(extra) if extra else None,
    )


def _pairs(joined: str) -> dict[str, str]:
    pieces = joined.split(ITEM)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))
