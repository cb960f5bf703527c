"""A client that came by WebSocket (RFC 7395)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from xmppd.listeners.client import Client
from xmppd.listeners.tcp import Connection
from xmppd.wire.features import Layer
from xmppd.wire.frames import (
    BINARY,
    CLOSE,
    COMPRESS_FROM,
    PING,
    PONG,
    TEXT,
    FrameError,
    Frames,
    close_frame,
    deflated,
    frame,
)
from xmppd.wire.items import End
from xmppd.wire.websocket import WebSocketStream
from xmppd.wire.whole import standalone
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .exchange import Exchange
from .handshake import BadHandshake, accept, deflate
from .origins import allowed
from .reading import Reader

if TYPE_CHECKING:
    from .connection import HTTPConnection
    from .listener import HTTPListener

log = logging.getLogger(__name__)

OPEN, ENDING, CLOSED = 0, 1, 2  # of the closing handshake (RFC 6455 7.1): not begun; the XMPP stream ended; frame sent
NORMAL: Final = 1000
UNSUPPORTED: Final = 1003


class WebSocketDoor:
    """Turns requests into WebSockets."""

    def __init__(self, listener: HTTPListener) -> None:
        self._listener = listener

    def serve(self, exchange: Exchange, reader: Reader) -> None:
        """The handshake; what came behind it is the new connection's."""
        connection, extension = exchange.connection, deflate(exchange.header(b"sec-websocket-extensions"))
        assert connection is not None
        try:
            head = self._accept(exchange, connection, extension)
        except BadHandshake as error:
            exchange.send(error.status, f"{error.text}\n".encode(), more=error.more)
            return
        listener = self._listener
        exchange.finish(head, b"")
        listener.departed(connection)
        client = WebSocketClient(listener, exchange, deflate=bool(extension))
        client.succeed(connection)
        client.address = exchange.address
        listener.connections.add(client)
        rest, reader.rest = reader.rest, b""
        if rest:
            client.begin_with(rest)

    def _accept(self, exchange: Exchange, connection: HTTPConnection, extension: str) -> bytes:
        """The head of the answer; the client is counted. Raises `BadHandshake`."""
        request, shared = exchange.request, self._listener.shared
        self._check(exchange)
        key = accept(request.method, request.headers, upgrade=request.upgrade)
        if not connection.is_first(exchange):  # the answers before it would have nowhere to go
            raise BadHandshake(400, "wait for all answers before you open a WebSocket")
        if not shared.admits(exchange.address):
            shared.left(exchange.address, authenticated=False)
            raise BadHandshake(503, "too many connections; try again later")
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Accept: %b\r\n" % key
        ) + (f"Sec-WebSocket-Extensions: {extension}\r\n".encode() if extension else b"")

    def _check(self, exchange: Exchange) -> None:
        listener = self._listener
        if not allowed(exchange.header(b"origin"), exchange.header(b"host"), listener.options.origins):
            raise BadHandshake(403, "pages of this origin may not come here; see `origins` in the configuration")
        if not listener.may_log_in(exchange):
            raise BadHandshake(403, "log in by https; see `cleartext` and `trusted_proxies` in the configuration")


class WebSocketClient(Client, Connection):
    """A client whose stream comes in WebSocket messages."""

    __slots__ = (*Client.SLOTS, "_closing", "_frames", "secure")

    listener: HTTPListener
    stream: WebSocketStream

    def __init__(self, listener: HTTPListener, exchange: Exchange, *, deflate: bool) -> None:
        shared, options = listener.shared, listener.options
        Connection.__init__(self, shared.outbox, shared.limits.max_queue, listener.shaper)
        limit, state = shared.limits.max_stanza_size, listener.state_of(exchange)
        elsewhere = options.elsewhere("wss", "ws", "https", "http")  # BOSH will do too (RFC 7395 3.6.1)
        self.begin(listener, WebSocketStream(shared.parsers, limit, state, elsewhere))
        self._frames = Frames(self.stream.limit, deflate=deflate)
        self._closing = OPEN
        self.secure = exchange.secure

    # What comes in

    def begin_with(self, data: bytes) -> None:
        """What came behind the handshake."""
        try:
            self.received(data)
        except Exception:
            self._crash()

    def received(self, data: bytes) -> None:
        """Handle the messages that are whole."""
        frames = self._frames
        messages = frames.receive(data)
        if len(messages) == 1 and messages[0][0] == TEXT and not self.closing:
            self.take([self.stream.receive(messages[0][1])])
        else:
            for opcode, payload in messages:
                self._message(opcode, payload)
        if frames.broken is not None:
            self._break(frames.broken)

    def _message(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            if not self.closing:
                self.take([self.stream.receive(payload)])
            elif self._closing == ENDING and isinstance(self.stream.receive(payload), End):
                self._hang_up(close_frame(NORMAL))
        elif opcode == PING:
            self._put(frame(PONG, payload))
        elif opcode == PONG:
            if self.pinged:
                self.ponged()
        elif opcode == CLOSE:
            self._closed(payload)
        elif opcode == BINARY:
            self._break(FrameError(UNSUPPORTED, "messages are text (RFC 7395 3.2)"))

    def _closed(self, payload: bytes) -> None:
        """The peer's half of the closing handshake; the connection ends, and with it the stream if it is open."""
        if self._closing != CLOSED:
            self._hang_up(frame(CLOSE, payload[:2]))
        self._part()

    def _break(self, error: FrameError) -> None:
        """The peer does not speak WebSocket as it should (RFC 6455 7.1.7)."""
        log.debug("[c2s %s %s] websocket: %s", self.address, self.account, error.reason)
        self._rest.clear()
        self._hang_up(close_frame(error.code, error.reason))
        self._part()

    def _part(self) -> None:
        self.flush()
        if self.transport is not None and not self.transport.is_closing():
            if self.engine is not None:
                self.transport.write(self.engine.close())
            self.transport.close()

    def _hang_up(self, last: bytes) -> None:
        self._put(last)
        self.closing, self._closing = True, CLOSED

    # What goes out

    def write(self, data: bytes) -> None:
        """Queue one message."""
        if not data:
            return
        compress = len(data) >= COMPRESS_FROM and self._frames.deflate
        Connection.write(self, deflated(data) if compress else frame(TEXT, data))

    def send(self, stanza: Stanza) -> None:
        """Queue a stanza."""
        self.write(standalone(stanza))

    def _put(self, data: bytes) -> None:
        """Queue a control frame, though the stream has ended."""
        if self._closing == CLOSED:
            return
        if not self._out:
            self._outbox.add(self)
        self._out.append(data)

    def end(self) -> None:
        """Send what is queued, and wait for the peer to end its stream and close (RFC 7395 3.6)."""
        if self.closing:
            return
        self.flush()
        self.closing, self._closing = True, ENDING

    def wrap(self, layer: Layer) -> None:
        """No layer is ever laid between: see `NO_LAYERS`."""
        raise NotImplementedError

    def authenticated(self, user: JID) -> None:
        """The client has proved who it is, and may send more at once."""
        super().authenticated(user)
        self._frames.limit = self.stream.limit

    def ping(self) -> None:
        """Ask for a sign of life; browsers answer by themselves (RFC 7395 3.8)."""
        self._put(frame(PING, b""))
        self.note_ping()

    def describe(self) -> dict[str, object]:
        """For operators."""
        return {"ip": self.address, "connection": "websocket_tls" if self.secure else "websocket", "tls": self.tls}
