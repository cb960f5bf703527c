"""A door for clients: one listening socket, its options, and the connections that came through it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from xmppd.config import ConfigError, Listener
from xmppd.wire.features import Features, State
from xmppd.xmpp.errors import StreamError

from . import authentication, binding, starttls
from .c2s import ClientConnection
from .shared import Shared
from .tls import TLSEngine

ALPN: Final = ("xmpp-client",)  # XEP-0368
BACKLOG: Final = 1024  # half a second of a reconnecting crowd


class ClientListener:
    """Listens for clients as one entry of `listen` says."""

    def __init__(self, options: Listener, shared: Shared) -> None:
        self.options = options
        self.shared = shared
        self.connections: set[ClientConnection] = set()
        self.port = options.port
        self._server: asyncio.Server | None = None
        self._gone = asyncio.Event()
        rows: list[Any] = [starttls.row(options.starttls), authentication.ROW, binding.ROW]
        self.features: Features[ClientConnection] = Features(rows)
        secret = options.tls or options.starttls == "required"
        self.initial_state = 0 if secret else State.READY

    @property
    def shaper(self) -> tuple[int, int] | None:
        """How fast a newcomer may send: bytes a second, and at once."""
        shaper = self.shared.house.config.shaper.get(self.options.shaper or "")
        return (shaper.rate, shaper.burst) if shaper else None

    def engine(self, host: str = "") -> TLSEngine:
        """TLS for one connection; `host` is what its stream has named, for clients without SNI."""
        return self.shared.certificates.engine(ALPN if self.options.tls else (), host)

    async def open(self) -> None:
        """Listen; `ConfigError` says which port and what to do where that fails."""
        loop = asyncio.get_running_loop()
        options = self.options
        if options.tls:
            self.engine()  # its contexts are made now, where an error in the files can still stop the start
        try:
            self._server = await loop.create_server(
                lambda: ClientConnection(self), options.address, options.port, backlog=BACKLOG, reuse_address=True
            )
        except OSError as error:
            where = f"{options.ip} port {options.port}"
            hint = (
                "stop what listens there, or choose another port" if error.errno == 98 else "choose another port or ip"
            )
            raise ConfigError([f"listen: cannot listen on {where}: {error.strerror}; {hint}"]) from None
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def description(self) -> str:
        """For the line that says the server is ready."""
        how = "tls" if self.options.tls else f"starttls {self.options.starttls}"
        return f"c2s {self.options.ip}:{self.port} ({how})"

    def check(self, interval: float) -> None:
        """The coarse timer's look at every connection."""
        for connection in list(self.connections):
            connection.check(interval)

    def refuse(self) -> None:
        """Accept nobody more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def say_goodbye(self) -> None:
        """End every stream (RFC 6120 4.9.3.19)."""
        for connection in list(self.connections):
            connection.fail(StreamError("system-shutdown"))

    async def emptied(self) -> None:
        """Wait until the last connection is gone."""
        while self.connections:
            self._gone.clear()
            await self._gone.wait()

    def left(self, connection: ClientConnection) -> None:
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
