"""A client's TCP connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.wire.client import ClientStream
from xmppd.wire.features import State
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .client import Client
from .streamed import StreamConnection
from .tls import TLSEngine

if TYPE_CHECKING:
    from .clients import ClientListener


class ClientConnection(Client, StreamConnection):
    """A client that came by TCP, with or without TLS."""

    __slots__ = Client.SLOTS
    kind = "c2s"

    listener: ClientListener
    stream: ClientStream

    def __init__(self, listener: ClientListener) -> None:
        shared = listener.shared
        StreamConnection.__init__(self, shared.outbox, shared.limits.max_queue, listener.shaper)
        self.begin(listener, ClientStream(shared.parsers, shared.limits.max_stanza_size, listener.initial_state))

    def send_copy(self, stanza: Stanza, to: JID) -> None:
        """Queue a copy of a stanza: nothing is made of it but its bytes."""
        self.write(stanza.copied(to))

    def fail(self, error: StreamError) -> None:
        """Say what is wrong and close; in the middle of a TLS handshake there is no way to say it."""
        if not self.cut_short():
            super().fail(error)

    def secured(self, engine: TLSEngine) -> None:
        """The TLS handshake is done."""
        self.stream.grant(State.SECURE | State.READY)
