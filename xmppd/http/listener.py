"""One listening socket for HTTP, and what answers at which path."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from xmppd.clock import Job
from xmppd.config import Listener
from xmppd.listeners import login
from xmppd.listeners.listener import TCPListener
from xmppd.listeners.shared import Shared, less
from xmppd.wire.features import Features, State

from .answers import Dates
from .bosh import BoshClient
from .bosh_door import BoshDoor
from .connection import HTTPConnection
from .exchange import Exchange
from .host_meta import JSON, HostMeta
from .peers import is_loopback, is_within
from .reading import Bounds, Reader, Readers
from .routes import Answerers
from .websocket import WebSocketClient, WebSocketDoor

# What carries the stream here compresses by itself, or not at all: no layer is laid between (XEP-0206 5).
NO_LAYERS: Final = State.COMPRESSED
TREES: Final = ("pages", "modules")  # these answer for all paths beneath theirs


class HTTPListener(TCPListener[Any]):
    """Listens for HTTP as one entry of `listen` says."""

    alpn = ("http/1.1",)

    def __init__(self, options: Listener, shared: Shared) -> None:
        super().__init__(options, shared)
        self.connections: set[HTTPConnection | WebSocketClient] = set()
        self.features: Features[Any] = Features(login.ROWS)
        self.initial_state = NO_LAYERS
        self.dates = Dates(shared.house.clock)
        self._bounds = Bounds(shared.limits.max_http_body)
        self.readers = Readers(self._bounds)
        self._addresses: Counter[str] = Counter()
        self._websocket = WebSocketDoor(self)
        self.bosh = BoshDoor(self)
        self._host_meta = HostMeta(self)
        self._others = Answerers(self)
        self._handlers: dict[str, str] = dict(options.request_handlers)
        self._trees = {path: name for path, name in self._handlers.items() if name in TREES}
        self._handlers |= {path + JSON: name for path, name in self._handlers.items() if name == "host_meta"}
        self._seconds: Job | None = None

    def connection(self) -> HTTPConnection:
        """Somebody who comes in."""
        return HTTPConnection(self)

    async def open(self) -> None:
        """Listen; see `TCPListener.open`."""
        await super().open()
        if "bosh" in self.options.request_handlers.values():
            self._seconds = self.shared.house.timetable.every(1.0, self.bosh.turn)

    def check(self, interval: float) -> None:
        """See `TCPListener.check`; limits may have changed meanwhile."""
        self._bounds.body = self.shared.limits.max_http_body
        super().check(interval)

    def say_goodbye(self) -> None:
        """End every stream, then close what is open."""
        if self._seconds is not None:
            self._seconds.cancel()
        self.bosh.say_goodbye()
        super().say_goodbye()

    @property
    def description(self) -> str:
        """For the line that says the server is ready."""
        what = ", ".join(sorted(set(self.options.request_handlers.values())))
        return f"{'https' if self.options.tls else 'http'} {self.options.ip}:{self.port} ({what})"

    def admits(self, connection: HTTPConnection) -> bool:
        """Count a newcomer; False where there are too many. Proxies that are trusted may have as many as they like."""
        limits, address = self.shared.limits, connection.address
        full = len(self.connections) >= limits.max_http_connections or (
            self._addresses[address] >= limits.max_connections_per_address
            and not is_within(address, self.options.trusted_proxies)
        )
        self.connections.add(connection)
        self._addresses[address] += 1
        return not full

    def left(self, connection: HTTPConnection | WebSocketClient | BoshClient) -> None:
        """A connection or a session is gone."""
        if not isinstance(connection, BoshClient):
            super().left(connection)

    def departed(self, connection: HTTPConnection) -> None:
        """A connection is gone, or speaks another protocol from now on."""
        less(self._addresses, connection.address)
        self.left(connection)

    def state_of(self, exchange: Exchange) -> int:
        """What has been negotiated for who sends this: logging in waits for TLS unless the door is told otherwise."""
        if exchange.secure:
            return NO_LAYERS | State.SECURE | State.READY
        cleartext = self.options.cleartext
        if cleartext == "always" or (cleartext == "loopback" and is_loopback(exchange.address)):
            return NO_LAYERS | State.READY
        return NO_LAYERS

    def may_log_in(self, exchange: Exchange) -> bool:
        """Whether it does not matter that the connection is not secure, or it is."""
        return bool(self.state_of(exchange) & State.READY)

    def serve(self, exchange: Exchange, reader: Reader) -> None:
        """Answer a request, now or later."""
        path = exchange.path
        handler, base = self._handlers.get(path, ""), path
        if not handler:
            handler, base = self._above(path)
        if handler == "bosh":
            self.bosh.serve(exchange)
        elif handler == "websocket":
            self._websocket.serve(exchange, reader)
        elif handler == "host_meta":
            self._host_meta.serve(exchange)
        elif handler == "metrics":
            self._others.metrics(exchange)
        elif handler == "pages":
            self._others.pages(exchange, path[len(base) :])
        elif handler == "modules":
            self._others.modules(exchange)
        else:
            exchange.send(404, b"there is nothing here\n")

    def _above(self, path: str) -> tuple[str, str]:
        """Which of those that answer for all beneath them does so for a path, and where it begins: the nearest one."""
        at = [base for base in self._trees if path.startswith(base.rstrip("/") + "/")]
        nearest = max(at, key=len, default="")
        return self._trees.get(nearest, ""), nearest
