"""A message as it lies in the table: as it goes out, less the tag that ends it, so that more can be put at its end."""

from __future__ import annotations

from typing import Any, Final

from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, from_element, parse

BEGIN: Final = b"<message"
END: Final = b"</message>"

# Rows that were written before this layout: XML 1.0 has none of these characters, so no field can hold one.
FIELD: Final = "\0"
ITEM: Final = "\1"
LETTER: Final = b"\2"


def pack(stanza: Stanza) -> bytes:
    """The bytes of a message."""
    return stanza.data[: -len(END)] if stanza.letter else b"%b>" % stanza.data.removesuffix(b"/>")


def unpack(packed: bytes, more: bytes = b"") -> Stanza:
    """The message again, with one more element at its end."""
    return Kept(b"%b%b%b" % (packed, more, END)) if packed.startswith(BEGIN) else _unpack_fields(packed, more)


class Kept(Stanza):
    """A message from the table. As a rule it only goes out: its parts are read when somebody asks for the first."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        self.kind, self.passage, self._data = "message", None, data

    def __getattr__(self, part: str) -> Any:
        if part not in Stanza.__slots__:
            raise AttributeError(part)
        self._read()
        return getattr(self, part)

    def _read(self) -> None:
        data, passage = self.data, self.passage
        begin = data.index(b">") + 1
        head = from_element(parse(b"%b xmlns='jabber:client'%b/>" % (BEGIN, data[len(BEGIN) : begin - 1])))
        letter = data[begin : -len(END)]
        super().__init__("message", head.to, head.sender, head.type, head.id, head.lang, letter, None, head.extra)
        self.passage, self._data = passage, data


def _unpack_fields(packed: bytes, more: bytes) -> Stanza:
    envelope, _, letter = packed.partition(LETTER)
    to, sender, type, id, lang, _, extra = envelope.decode().split(FIELD)
    return Stanza(
        "message",
        JID.parse(to) if to else None,
        JID.parse(sender) if sender else None,
        type,
        id,
        lang,
        letter + more,
        None,
        _pairs(extra) if extra else None,
    )


def _pairs(joined: str) -> dict[str, str]:
    pieces = joined.split(ITEM)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))
