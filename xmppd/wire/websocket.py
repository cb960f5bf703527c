"""A client's stream over WebSocket as its server sees it (RFC 7395): a message is one whole element."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.envelope import LANG
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .client import UNAUTHENTICATED_LIMIT, State, check_header, check_stanza
from .items import End, Header, Item, Nonza
from .parsers import Parsers
from .whole import STREAM_DECLARED, elements, stream_error

OPEN: Final = f"{ns.FRAMING} open"
CLOSE: Final = f"{ns.FRAMING} close"


class WebSocketStream:
    """The server's end of one stream. `receive` takes the text of one message; the rest is as in `ClientStream`.

    `elsewhere` is where clients are sent when the server shuts down, if it is anywhere (RFC 7395 3.6.1).
    """

    __slots__ = ("_limit", "_open", "_parsers", "elsewhere", "ended", "lang", "limit", "state")

    def __init__(self, parsers: Parsers, limit: int, state: int, elsewhere: str = "") -> None:
        self._parsers = parsers
        self._limit = limit
        self.limit = min(limit, UNAUTHENTICATED_LIMIT)
        self.lang = ""
        self._open = self.ended = False
        self.state = state
        self.elsewhere = elsewhere

    def receive(self, text: bytes) -> Item:
        """What a message is: an item, or the `StreamError` that it deserves."""
        if text[:1] != b"<":
            return StreamError("bad-format", "every message begins with the tag of an element (RFC 7395 3.3)")
        items = elements(self._parsers, text, self.lang, self.limit)
        if len(items) != 1:
            return StreamError("bad-format", "every message is one element (RFC 7395 3.3)")
        return (
            check_stanza(items[0], self.state) if self._open and isinstance(items[0], Stanza) else self._legal(items[0])
        )

    def _legal(self, item: Item) -> Item:
        if isinstance(item, StreamError):
            return item
        if isinstance(item, Nonza) and item.name == CLOSE:
            return End()
        if isinstance(item, Nonza) and item.name == OPEN:
            return self._header(item)
        if not self._open:
            return StreamError("bad-format", "a stream begins with <open/> (RFC 7395 3.4)")
        return item

    def _header(self, opening: Nonza) -> Item:
        if self._open:
            return StreamError("bad-format", "the stream is open already")
        self.lang = opening.attributes.pop(LANG, "")
        return check_header(Header(opening.attributes, self.lang, ns.CLIENT))

    def grant(self, state: int) -> None:
        """Something was negotiated."""
        self.state |= state
        if state & State.AUTHENTICATED:
            self.limit = self._limit

    def restart(self) -> None:
        """Expect another `<open/>` (RFC 7395 3.7)."""
        self._open = False

    def open(self, host: str, id: str, to: JID | None = None) -> bytes:
        """The answer to `<open/>` (RFC 7395 3.4)."""
        self._open = True
        whom = f" to='{escape(to)}'" if to is not None else ""
        return (
            f"<open xmlns='{ns.FRAMING}' from='{escape(host)}'{whom} id='{id}' version='1.0' xml:lang='en'/>"
        ).encode()

    def features(self, inside: str) -> bytes:
        """The stream features, which declare their prefix (RFC 7395 3.3.2)."""
        return f"<stream:features{STREAM_DECLARED}>{inside}</stream:features>".encode()

    def error(self, error: StreamError, host: str) -> tuple[bytes, ...]:
        """The error and the end of the stream, a message each, behind `<open/>` where none was sent (RFC 7395 3.5)."""
        if self.ended:
            return ()
        header = () if self._open else (self.open(host, "0"),)
        self.ended = True
        elsewhere = self.elsewhere if error.condition == "system-shutdown" else ""
        return (*header, stream_error(error), _close(elsewhere))

    def close(self) -> bytes:
        """The end of our direction; nothing where it ended already."""
        if self.ended:
            return b""
        self.ended = True
        return _close()


def _close(elsewhere: str = "") -> bytes:
    where = f" see-other-uri='{escape(elsewhere)}'" if elsewhere else ""
    return f"<close xmlns='{ns.FRAMING}'{where}/>".encode()
