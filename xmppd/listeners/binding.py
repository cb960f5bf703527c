"""Resource binding (RFC 6120 7) as a stream feature: what turns a connection into a session."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from xmppd.routing.iq import check
from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.stanza import Stanza, escape

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger(__name__)

NAME: Final = f"{ns.BIND} bind"
PLAIN: Final = re.compile(
    rb"""<bind xmlns=['"]%b['"](?:/>|>(?:<required/>)?(?:<resource>([ -%%'-;=?-~]*)</resource>)?</bind>)"""
    % ns.BIND.encode()
)


def _advertise(connection: Client) -> str:
    # Clients from before RFC 6121 look for <session/>; <optional/> tells the others to leave it out.
    return f"<bind xmlns='{ns.BIND}'><required/></bind><session xmlns='{ns.SESSION}'><optional/></session>"


def resource_of(request: Stanza) -> str:
    """The resource that is asked for, empty where none is; opened only where it is not written as by nearly all."""
    plain = PLAIN.fullmatch(request.letter)
    if plain is not None:
        return (plain[1] or b"").decode()
    return request.element.findtext(f"{{{ns.BIND}}}bind/{{{ns.BIND}}}resource") or ""


async def _bind(connection: Client, request: Nonza | Stanza) -> None:
    host, user = connection.host, connection.user
    if not isinstance(request, Stanza) or host is None or user is None or (request.kind, request.type) != ("iq", "set"):
        raise StreamError("not-authorized", "bind a resource first")
    if host.accounts.known(user.local) is False:  # who logged in is in no such doubt, unless it was removed since
        raise StreamError("not-authorized", "the account was removed")
    try:
        check(request)
        session = await host.open_session(user, resource_of(request), connection)
    except StanzaError as error:
        connection.send(request.error(error))
        return
    connection.session = session
    connection.stream.grant(State.BOUND)
    jid = f"<bind xmlns='{ns.BIND}'><jid>{escape(session.jid)}</jid></bind>"
    connection.send(Stanza("iq", None, None, "result", request.id, "", jid.encode()))
    log.info("[c2s %s %s] bound, from %s", session.id, session.jid, connection.address)


ROW: Final[StreamFeature[Client]] = StreamFeature(
    "bind",
    frozenset({NAME}),
    needs=State.AUTHENTICATED,
    forbids=State.BOUND,
    advertise=_advertise,
    handle=_bind,
    order=30,
)
