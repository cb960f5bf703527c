"""A message as it lies in the table: as it goes out, less the tag that ends it, so that more can be put at its end."""

from __future__ import annotations

from typing import Any, Final

from xmppd.xmpp.envelope import BEGIN, END, addressed, reread
from xmppd.xmpp.stanza import Stanza

# Rows that were written before this layout: XML 1.0 has none of these characters, so no field can hold one.
FIELD: Final = "\0"
ITEM: Final = "\1"
LETTER: Final = b"\2"


def pack(stanza: Stanza) -> bytes:
    """The bytes of a message."""
    data = stanza.data
    return data[: -len(END)] if data.endswith(END) else b"%b>" % data.removesuffix(b"/>")


def unpack(packed: bytes, more: bytes = b"", name: str = "") -> Stanza:
    """The message again, with one more element at its end; `name` is its `"namespace name"`.

    What is no message or has no address any more is its flaw.
    """
    if packed.startswith(BEGIN):
        return Record(b"%b%b%b" % (packed, more, END))
    return _unpack_fields(packed, more, name)


class Record(Stanza):
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
        data, passage, read = self.data, self.passage, reread(self.data)
        super().__init__(
            "message", read.to, read.sender, read.type, read.id, read.lang, read.letter, read.names, read.extra
        )
        self.flaw, self.passage, self._data = read.flaw, passage, data


def _unpack_fields(packed: bytes, more: bytes, name: str) -> Stanza:
    envelope, _, letter = packed.partition(LETTER)
    to, sender, type, id, lang, joined, extra = envelope.decode().split(FIELD)
    names = tuple(joined.split(ITEM)) if joined else ()
    more_names = (*names, name) if name else names
    about = _pairs(extra) if extra else None
    return addressed("message", to or None, sender or None, type, id, lang, letter + more, more_names, about)


def _pairs(joined: str) -> dict[str, str]:
    pieces = joined.split(ITEM)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))
