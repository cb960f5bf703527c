"""One listening socket as an entry of `listen` describes it, and the connections that came through it."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, Protocol, TypeVar

from xmppd.config import ConfigError, Listener
from xmppd.xmpp.errors import StreamError

from .shared import Shared
from .tls import TLSEngine

log = logging.getLogger(__name__)

BACKLOG: Final = 1024  # half a second of a reconnecting crowd


class Peer(Protocol):
    """One connection, as its listener sees it."""

    address: str

    @property
    def gone(self) -> bool:
        """Whether it is over and done."""

    def check(self, interval: float) -> None:
        """`interval` seconds have passed."""

    def fail(self, error: StreamError) -> None:
        """Say what is wrong and close."""

    def abort(self) -> None:
        """Close at once."""


P = TypeVar("P", bound=Peer)


def for_each(connections: Iterable[P], act: Callable[[P], None]) -> None:
    """`act` with each of them; a mistake of ours costs that connection, and those behind it have their turn."""
    for connection in list(connections):
        try:
            act(connection)
        except Exception:
            log.exception("%s: the connection is cut off", connection.address)
            connection.abort()


class TCPListener(Generic[P], ABC):
    """Listens, counts who is there, and sends them away at the end. A subclass makes the connections."""

    alpn: tuple[str, ...] = ()

    def __init__(self, options: Listener, shared: Shared) -> None:
        self.options = options
        self.shared = shared
        self.connections: set[P] = set()
        self.port = options.port
        self._server: asyncio.Server | None = None
        self._gone = asyncio.Event()

    @abstractmethod
    def connection(self) -> Any:
        """An `asyncio.Protocol` for a newcomer, which enters itself into `connections`."""

    @property
    @abstractmethod
    def description(self) -> str:
        """For the line that says the server is ready."""

    @property
    def shaper(self) -> tuple[int, int] | None:
        """How fast a newcomer may send: bytes a second, and at once."""
        shaper = self.shared.house.config.shaper.get(self.options.shaper or "")
        return (shaper.rate, shaper.burst) if shaper else None

    def engine(self, host: str = "") -> TLSEngine:
        """TLS for one connection; `host` is what its stream has named, for clients without SNI."""
        return self.shared.certificates.engine(self.alpn if self.options.tls else (), host)

    async def open(self) -> None:
        """Listen; `ConfigError` says which port and what to do where that fails."""
        loop = asyncio.get_running_loop()
        options = self.options
        if options.tls:
            self.engine()  # its contexts are made now, where an error in the files can still stop the start
        try:
            self._server = await loop.create_server(
                self.connection, options.address, options.port, backlog=BACKLOG, reuse_address=True
            )
        except OSError as error:
            where = f"{options.ip} port {options.port}"
            hint = (
                "stop what listens there, or choose another port" if error.errno == 98 else "choose another port or ip"
            )
            raise ConfigError([f"listen: cannot listen on {where}: {error.strerror}; {hint}"]) from None
        self.port = self._server.sockets[0].getsockname()[1]

    def check(self, interval: float) -> None:
        """The coarse timer's look at every connection."""
        for_each(self.connections, lambda connection: connection.check(interval))

    def refuse(self) -> None:
        """Accept nobody more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def say_goodbye(self) -> None:
        """End every stream (RFC 6120 4.9.3.19)."""
        for_each(self.connections, lambda connection: connection.fail(StreamError("system-shutdown")))

    async def emptied(self) -> None:
        """Wait until the last connection is gone."""
        while self.connections:
            self._gone.clear()
            await self._gone.wait()

    def left(self, connection: P) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._gone.set()

    def abort(self) -> int:
        """Cut off who has not left; returns how many."""
        left = [connection for connection in self.connections if not connection.gone]
        for connection in left:
            connection.abort()
        return len(left)
