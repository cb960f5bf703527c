"""SASL as RFC 6120 6 frames it, as a stream feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import Challenge, SASLError, Success, offered
from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .exchange import (
    Exchange,
    admit,
    begun,
    bindings,
    context_of,
    decoded,
    encoded,
    outcome_of,
    refuse,
)

if TYPE_CHECKING:
    from .client import Client

AUTH: Final = f"{ns.SASL} auth"
RESPONSE: Final = f"{ns.SASL} response"
ABORT: Final = f"{ns.SASL} abort"


def _advertise(client: Client) -> str:
    host = client.host
    if host is None or not client.state & State.READY:
        return ""
    names = offered(host.config.auth.mechanisms, context_of(client, host))
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    return f"<mechanisms xmlns='{ns.SASL}'>{listed}</mechanisms>{bindings(names)}"


async def _receive(client: Client, element: Nonza | Stanza) -> None:
    host = client.host
    if host is None or isinstance(element, Stanza):
        raise StreamError("not-authorized")
    exchange: Exchange | None = None
    try:
        exchange = _exchange(client, host, element)
        client.exchange = None
        outcome = await outcome_of(client, host, exchange, _payload(element))
        if isinstance(outcome, Success):
            _succeed(client, host, exchange, outcome)
    except SASLError as error:
        refuse(client, host, exchange, error, ns.SASL)
    else:
        if isinstance(outcome, Challenge):
            client.exchange = exchange
            client.write_xml(f"<challenge xmlns='{ns.SASL}'>{encoded(outcome.payload) or '='}</challenge>")


def _exchange(client: Client, host: Host, element: Nonza) -> Exchange:
    running = client.exchange
    if element.name == ABORT:
        raise SASLError("aborted")
    if element.name == RESPONSE:
        if running is None or running.profile != ns.SASL:
            raise SASLError("malformed-request", "there is no exchange to respond to")
        return running
    return Exchange(begun(client, host, element.attributes.get("mechanism", "")), ns.SASL)


def _payload(element: Nonza) -> bytes:
    text = element.letter.strip()
    return b"" if text == b"=" or not text else decoded(text)


def _succeed(client: Client, host: Host, exchange: Exchange, outcome: Success) -> None:
    user = admit(client, host, exchange, outcome)
    payload = "" if outcome.payload is None else encoded(outcome.payload) or "="
    client.write_xml(f"<success xmlns='{ns.SASL}'>{payload}</success>")
    client.restart()
    client.authenticated(user)


ROW: Final[StreamFeature[Client]] = StreamFeature(
    "sasl",
    frozenset({AUTH, RESPONSE, ABORT}),
    needs=0,
    forbids=State.AUTHENTICATED,
    advertise=_advertise,
    handle=_receive,
    order=20,
)
