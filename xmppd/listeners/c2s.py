"""A client's TCP connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from xmppd.wire.client import ClientStream
from xmppd.wire.features import State
from xmppd.xmpp.errors import StreamError

from .client import Client
from .tcp import Connection
from .tls import TLSEngine

if TYPE_CHECKING:
    from .clients import ClientListener


class ClientConnection(Client, Connection):
    """A client that came by TCP, with or without TLS."""

    __slots__ = Client.SLOTS

    listener: ClientListener
    stream: ClientStream

    def __init__(self, listener: ClientListener) -> None:
        shared = listener.shared
        Connection.__init__(self, shared.outbox, shared.limits.max_queue, listener.shaper)
        self.begin(listener, ClientStream(shared.parsers, shared.limits.max_stanza_size, listener.initial_state))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connects."""
        super().connection_made(transport)
        self.listener.connections.add(self)
        admitted = self.listener.shared.admits(self.address)
        if self.listener.options.tls:
            self.start_tls(self.listener.engine())
        if not admitted:
            self.fail(StreamError("resource-constraint", "too many connections; try again later"))

    def received(self, data: bytes) -> None:
        """Cut, and handle what is whole."""
        self.take(self.stream.receive(data))

    def fail(self, error: StreamError) -> None:
        """Say what is wrong and close; in the middle of a TLS handshake there is no way to say it."""
        engine = self.engine
        if engine is not None and not engine.established:
            self._rest.clear()
            self.closing = True
            self.abort()
        else:
            super().fail(error)

    def secured(self, engine: TLSEngine) -> None:
        """The TLS handshake is done."""
        self.stream.grant(State.SECURE | State.READY)

    def describe(self) -> dict[str, object]:
        """For operators."""
        engine = self.engine
        tls = f"{engine.version} {engine.cipher}" if engine is not None else ""
        return {"ip": self.address, "connection": "c2s_tls" if tls else "c2s", "tls": tls}
