"""A door for clients: one listening socket, its options, and the connections that came through it."""

from __future__ import annotations

from typing import Any

from xmppd.config import Listener
from xmppd.wire.features import Features, State

from . import login, starttls
from .c2s import ClientConnection
from .listener import TCPListener
from .shared import Shared


class ClientListener(TCPListener[ClientConnection]):
    """Listens for clients as one entry of `listen` says."""

    alpn = ("xmpp-client",)  # XEP-0368

    def __init__(self, options: Listener, shared: Shared) -> None:
        super().__init__(options, shared)
        self.features: Features[Any] = Features([starttls.row(options.starttls), *login.ROWS])
        secret = options.tls or options.starttls == "required"
        self.initial_state = 0 if secret else State.READY

    def connection(self) -> ClientConnection:
        """A client that comes in."""
        return ClientConnection(self)

    @property
    def description(self) -> str:
        """For the line that says the server is ready."""
        how = "tls" if self.options.tls else f"starttls {self.options.starttls}"
        return f"c2s {self.options.ip}:{self.port} ({how})"
