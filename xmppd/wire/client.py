"""A client's stream as its server sees it: bytes in, legal events and bytes out (RFC 6120 4)."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .features import State
from .framer import CLOSE, End, Framer, Header, Item, Nonza, Parsers

__all__ = ["ClientStream", "End", "Header", "Item", "Nonza", "Parsers", "Stanza", "State"]

# Before login nobody needs more: the longest SASL messages are a few KiB.
UNAUTHENTICATED_LIMIT: Final = 16384


class ClientStream:
    """The server's end of one `jabber:client` stream.

    `receive` gives headers, stanzas, nonzas and the end, in order; what is illegal at that point becomes a
    `StreamError`, which is always the last item. The methods that return bytes say what must be sent. `ended` says that
    our direction is closed: what still comes in is nobody's (RFC 6120 4.9.1.1).
    """

    __slots__ = ("_bound", "_framer", "_limit", "_open", "ended", "state")

    def __init__(self, parsers: Parsers, limit: int, state: int) -> None:
        self._framer = Framer(parsers, ns.CLIENT, min(limit, UNAUTHENTICATED_LIMIT))
        self._limit = limit
        self._open = self.ended = self._bound = False
        self.state = state

    def receive(self, data: bytes) -> list[Item]:
        """Take bytes; return what they finish."""
        items = self._framer.feed(data)
        if self._bound:
            return items
        legal = []
        for item in map(self._legal, items):
            legal.append(item)
            if isinstance(item, StreamError):
                self._framer.stop()
                break
        return legal

    def _legal(self, item: Item) -> Item:
        if isinstance(item, Header):
            return check_header(item)
        return check_stanza(item, self.state)

    def grant(self, state: int) -> None:
        """Something was negotiated."""
        self.state |= state
        self._bound = bool(self.state & State.BOUND)
        if state & State.AUTHENTICATED:
            self._framer.limit = self._limit

    def restart(self) -> None:
        """Expect a new header (RFC 6120 4.3.3)."""
        self._framer.restart()
        self._open = False

    def open(self, host: str, id: str, to: JID | None = None) -> bytes:
        """The response header (RFC 6120 4.7); `id` is a capability of no kind, but unguessable all the same."""
        self._open = True
        whom = f" to='{escape(to)}'" if to is not None else ""
        return (
            f"<?xml version='1.0'?><stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'"
            f" id='{id}' from='{escape(host)}'{whom} version='1.0' xml:lang='en'>"
        ).encode()

    def features(self, inside: str) -> bytes:
        """The stream features (RFC 6120 4.3.2)."""
        return f"<stream:features>{inside}</stream:features>".encode() if inside else b"<stream:features/>"

    def error(self, error: StreamError, host: str) -> tuple[bytes, ...]:
        """The error and the end of the stream, behind a header where none was sent yet (RFC 6120 4.9.1.2)."""
        if self.ended:
            return ()
        header = b"" if self._open else self.open(host, "0")
        self.ended = True
        return (header + error.to_xml().encode() + CLOSE,)

    def close(self) -> bytes:
        """The end of our direction; nothing where it ended already."""
        if self.ended or not self._open:
            return b""
        self.ended = True
        return CLOSE


def check_stanza(item: Item, state: int) -> Item:
    """The item, or what is wrong with it in this state."""
    if isinstance(item, Stanza) and not state & State.AUTHENTICATED and item.kind != "iq":
        return StreamError("not-authorized", "log in before you send stanzas")
    return item


def check_header(header: Header) -> Item:
    """The header, or what is wrong with it."""
    if header.content != ns.CLIENT:
        return StreamError("invalid-namespace", f"a client's stanzas are in {ns.CLIENT}")
    version = header.attributes.get("version", "")
    if not version.partition(".")[0].isdecimal() or int(version.partition(".")[0][:9]) < 1:
        return StreamError("unsupported-version", "this server speaks XMPP 1.0")
    return header
