"""A TCP connection that carries one stream: how it comes in, what it hears, and how it shows itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from xmppd.xmpp.errors import StreamError

from .tcp import Connection

if TYPE_CHECKING:
    from .listener import TCPListener


class Incoming(Protocol):
    """The server's end of a stream."""

    def receive(self, data: bytes) -> list[Any]:
        """What is whole in it by now."""


class StreamConnection(Connection):
    """Who derives from this takes what is whole in its `stream`, and says what `kind` of connection it is."""

    if not TYPE_CHECKING:  # the slots themselves are the carrier's: two bases of one class cannot both have some
        __slots__ = ()

    kind = ""
    listener: TCPListener[Any]
    stream: Incoming

    if TYPE_CHECKING:

        def take(self, items: list[Any]) -> None:
            """Handle in order."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer is there, and counted; one too many is told so."""
        super().connection_made(transport)
        listener = self.listener
        listener.connections.add(self)
        admitted = listener.shared.admits(self.address)
        if listener.options.tls:
            self.start_tls(listener.engine())
        if not admitted:
            self.fail(StreamError("resource-constraint", "too many connections; try again later"))

    def received(self, data: bytes) -> None:
        """Cut, and handle what is whole."""
        self.take(self.stream.receive(data))

    def cut_short(self) -> bool:
        """Cut the connection where nothing can be said, in the middle of a TLS handshake; False elsewhere."""
        if self._engine is None or self._engine.established:
            return False
        self.closing = True
        self.abort()
        return True

    def describe(self) -> dict[str, object]:
        """For operators."""
        tls = self.tls
        return {"ip": self.address, "connection": f"{self.kind}_tls" if tls else self.kind, "tls": tls}
