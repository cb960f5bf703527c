"""SASL on a client's stream (RFC 6120 6): drives a mechanism, looks up, computes, throttles, answers."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import (
    Challenge,
    Compute,
    Context,
    Lookup,
    Mechanism,
    Outcome,
    SASLError,
    Success,
    begin,
    offered,
)
from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .identity import certificate_jids

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger(__name__)

AUTH: Final = f"{ns.SASL} auth"
RESPONSE: Final = f"{ns.SASL} response"
ABORT: Final = f"{ns.SASL} abort"
BINDING_TYPE: Final = "<channel-binding type='tls-server-end-point'/>"
NS_BINDING: Final = "urn:xmpp:sasl-cb:0"  # XEP-0440


class Exchange:
    """One login being made on one connection."""

    __slots__ = ("mechanism", "user")

    def __init__(self, mechanism: Mechanism) -> None:
        self.mechanism = mechanism
        self.user: str | None = None


def context_of(connection: Client, host: Host) -> Context:
    """What mechanisms may know of this connection."""
    engine = connection.engine
    secure = bool(connection.state & State.SECURE)
    if engine is None or not secure:
        return Context(host.name, secure, iterations=host.accounts.iterations)
    binding = connection.listener.shared.certificates.endpoint_binding(engine.ssl_object)
    return Context(host.name, secure, binding, _own_jids(engine.peer_certificate), host.accounts.iterations)


def _own_jids(certificate: bytes | None) -> tuple[JID, ...]:
    found = []
    for text in certificate_jids(certificate) if certificate is not None else ():
        try:
            found.append(JID.parse(text))
        except StanzaError:
            log.info("a client certificate names %r, which is no address", text)
    return tuple(found)


def _advertise(connection: Client) -> str:
    host = connection.host
    if host is None or not connection.state & State.READY:
        return ""
    names = offered(host.config.auth.mechanisms, context_of(connection, host))
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    plus = any(name.endswith("-PLUS") for name in names)
    binding = f"<sasl-channel-binding xmlns='{NS_BINDING}'>{BINDING_TYPE}</sasl-channel-binding>" if plus else ""
    return f"<mechanisms xmlns='{ns.SASL}'>{listed}</mechanisms>{binding}"


async def _receive(connection: Client, element: Nonza | Stanza) -> None:
    host = connection.host
    if host is None or isinstance(element, Stanza):
        raise StreamError("not-authorized")
    exchange: Exchange | None = None
    try:
        exchange = _exchange(connection, host, element)
        connection.exchange = None
        outcome = await _outcome(connection, host, exchange, _payload(element))
    except SASLError as error:
        _failed(connection, host, exchange, error)
        return
    if isinstance(outcome, Challenge):
        connection.exchange = exchange
        connection.write_xml(f"<challenge xmlns='{ns.SASL}'>{b64encode(outcome.payload).decode() or '='}</challenge>")
    else:
        _succeeded(connection, host, outcome)


def _exchange(connection: Client, host: Host, element: Nonza) -> Exchange:
    running = connection.exchange
    if element.name == ABORT:
        raise SASLError("aborted")
    if element.name == RESPONSE:
        if running is None:
            raise SASLError("malformed-request", "there is no exchange to respond to")
        return running
    if not connection.state & State.READY:
        raise SASLError("encryption-required", "start TLS first")
    context = context_of(connection, host)
    offer = offered(host.config.auth.mechanisms, context)
    return Exchange(begin(element.attributes.get("mechanism", ""), context, host.accounts.fake, offer))


def _payload(element: Nonza) -> bytes:
    text = element.letter.strip()
    if text == b"=" or not text:
        return b""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise SASLError("incorrect-encoding", "the message is not base64") from None


async def _outcome(connection: Client, host: Host, exchange: Exchange, payload: bytes) -> Challenge | Success:
    """What the mechanism says to it. Of tries side by side those past the limit learn nothing, right or wrong."""
    try:
        outcome = exchange.mechanism.receive(payload)
        while not isinstance(outcome, Challenge | Success):
            outcome = await _work(connection, host, exchange, outcome)
    except SASLError as error:
        if error.condition == "not-authorized":
            _must_not_wait(connection, host, exchange)
        raise
    if isinstance(outcome, Success):
        _must_not_wait(connection, host, exchange)
    return outcome


async def _work(connection: Client, host: Host, exchange: Exchange, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Lookup):
        exchange.user = outcome.user
        _must_not_wait(connection, host, exchange)
        return exchange.mechanism.found(await host.accounts.credentials(outcome.user))
    assert isinstance(outcome, Compute)
    return exchange.mechanism.computed(await asyncio.to_thread(outcome.work))


def _must_not_wait(connection: Client, host: Host, exchange: Exchange) -> None:
    """`SASLError` while the account that is tried, or the address, has failed too often."""
    if exchange.user is not None:
        shared = connection.listener.shared
        if shared.throttle.wait(connection.address, f"{exchange.user}@{host.name}", shared.house.clock.monotonic()):
            raise SASLError("temporary-auth-failure", "too many failed logins; wait before you try again")


def _succeeded(connection: Client, host: Host, outcome: Success) -> None:
    user = JID(token_urlsafe(12).lower() if outcome.anonymous else outcome.user, host.name)
    shared = connection.listener.shared
    if not shared.house.config.allows(connection.listener.options.access, user, connection.address):
        _failed(connection, host, None, SASLError("not-authorized", "this account may not log in here"))
        return
    shared.throttle.succeeded(connection.address, user)
    shared.traffic.logins.inc()
    payload = "" if outcome.payload is None else b64encode(outcome.payload).decode() or "="
    connection.write_xml(f"<success xmlns='{ns.SASL}'>{payload}</success>")
    connection.restart()
    connection.authenticated(user)


def _failed(connection: Client, host: Host, exchange: Exchange | None, error: SASLError) -> None:
    connection.exchange = None
    connection.failures += 1
    shared = connection.listener.shared
    shared.traffic.failures.inc()
    if error.condition == "not-authorized":
        account = f"{exchange.user}@{host.name}" if exchange is not None and exchange.user else None
        shared.throttle.failed(connection.address, account, shared.house.clock.monotonic())
        log.info("[c2s %s] login failed (%s)", connection.address, account or "no account named")
    text = f"<text>{escape(error.text)}</text>" if error.text else ""
    connection.write_xml(f"<failure xmlns='{ns.SASL}'><{error.condition}/>{text}</failure>")
    if connection.failures >= shared.limits.max_failures_per_connection:
        raise StreamError("policy-violation", "too many failed logins")


ROW: Final[StreamFeature[Client]] = StreamFeature(
    "sasl",
    frozenset({AUTH, RESPONSE, ABORT}),
    needs=0,
    forbids=State.AUTHENTICATED,
    advertise=_advertise,
    handle=_receive,
    order=20,
)
