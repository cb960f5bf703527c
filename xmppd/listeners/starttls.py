"""STARTTLS (RFC 6120 5) as a stream feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .c2s import ClientConnection

TOO_LATE: Final = State.SECURE | State.AUTHENTICATED


def row(mode: Literal["required", "optional", "none"]) -> StreamFeature[ClientConnection]:
    """The feature, as the door has it. It takes the element in any state, for it has a refusal of its own."""
    inside = "<required/>" if mode == "required" else ""

    def possible(connection: ClientConnection) -> bool:
        return mode != "none" and not connection.state & TOO_LATE

    def advertise(connection: ClientConnection) -> str:
        return f"<starttls xmlns='{ns.TLS}'>{inside}</starttls>" if possible(connection) else ""

    async def begin(connection: ClientConnection, element: Nonza | Stanza) -> None:
        if possible(connection):
            _start(connection)
        else:
            _refuse(connection)

    tags = frozenset({f"{ns.TLS} starttls"})
    return StreamFeature("starttls", tags, 0, 0, advertise, begin, order=10)


def _start(connection: ClientConnection) -> None:
    engine = connection.listener.engine(connection.host.name if connection.host else "")
    connection.write_xml(f"<proceed xmlns='{ns.TLS}'/>")
    # Whatever came behind <starttls/> was injected in the clear: it must never be read as part of the secure stream.
    connection.restart()
    connection.start_tls(engine)


def _refuse(connection: ClientConnection) -> None:
    """It was not offered (RFC 6120 5.4.2.2)."""
    connection.write_xml(f"<failure xmlns='{ns.TLS}'/>")
    connection.close()
