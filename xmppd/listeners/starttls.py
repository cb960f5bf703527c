"""STARTTLS (RFC 6120 5) as a stream feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .c2s import ClientConnection


def row(required: bool) -> StreamFeature[ClientConnection]:
    """The feature, as the door has it."""
    inside = "<required/>" if required else ""
    return StreamFeature(
        "starttls",
        frozenset({f"{ns.TLS} starttls"}),
        needs=State(0),
        forbids=State.SECURE | State.AUTHENTICATED,
        advertise=lambda connection: f"<starttls xmlns='{ns.TLS}'>{inside}</starttls>",
        handle=_start,
        order=10,
    )


async def _start(connection: ClientConnection, element: Nonza | Stanza) -> None:
    connection.write_xml(f"<proceed xmlns='{ns.TLS}'/>")
    # Whatever came behind <starttls/> was injected in the clear: it must never be read as part of the secure stream.
    connection.restart()
    connection.start_tls(connection.listener.engine(connection.host.name if connection.host else ""))
