"""One login on one connection, in either SASL profile: drives a mechanism, looks up, computes, throttles."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import (
    Challenge,
    Compute,
    Context,
    Credentials,
    Lookup,
    Mechanism,
    Outcome,
    SASLError,
    Success,
    begin,
    offered,
)
from xmppd.wire.features import State
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import escape

from .identity import certificate_jids

if TYPE_CHECKING:
    from .client import Client
    from .request import Request
    from .upgrades import Upgrade

log = logging.getLogger(__name__)

BINDING_TYPES: Final = ("tls-server-end-point",)
NS_BINDING: Final = "urn:xmpp:sasl-cb:0"  # XEP-0440


class Exchange:
    """A login being made; `profile` is the namespace in which it was begun.

    `credentials` are the account's keys as they were when it was looked up. In SASL2 `request` is what the client asked
    for with it, and `upgrade` the task that stands before its end.
    """

    __slots__ = ("credentials", "mechanism", "profile", "request", "upgrade", "user")

    def __init__(self, mechanism: Mechanism | None, profile: str, request: Request | None = None) -> None:
        self.mechanism = mechanism
        self.profile = profile
        self.request = request
        self.upgrade: Upgrade | None = None
        self.user: str | None = None
        self.credentials: Credentials | None = None

    def accepts(self, tag: str) -> bool:
        """Whether this element may come now: in the middle of SASL2 the next step or its end alone (XEP-0388 2.4)."""
        expected = "response" if self.upgrade is None else self.upgrade.expected
        return self.profile != ns.SASL2 or tag in (f"{ns.SASL2} {expected}", f"{ns.SASL2} abort")


def context_of(client: Client, host: Host) -> Context:
    """What mechanisms may know of this connection."""
    engine = client.engine
    secure = bool(client.state & State.SECURE)
    if engine is None or not secure:
        return _signed(Context(host.name, secure), host)
    binding = client.listener.shared.certificates.endpoint_binding(engine.ssl_object)
    own = _own_jids(engine.peer_certificate)
    return _signed(Context(host.name, secure, binding, own), host)


def begun(client: Client, host: Host, name: str) -> Mechanism:
    """The mechanism with which a client begins; `SASLError` for one that it was not offered."""
    if not client.state & State.READY:
        raise SASLError("encryption-required", "start TLS first")
    context = context_of(client, host)
    return begin(name, context, host.accounts.pretence, offered(host.config.auth.mechanisms, context))


def _signed(context: Context, host: Host) -> Context:
    """With what SCRAM is to sign of the offer, where the host wants that (XEP-0474 4.1)."""
    auth = host.config.auth
    if not auth.downgrade_protection:
        return context
    names = offered(auth.mechanisms, context)
    types = "\x1f" + "\x1e".join(sorted(BINDING_TYPES)) if bindings(names) else ""
    return replace(context, advertised="\x1e".join(sorted(names)) + types)


def _own_jids(certificate: bytes | None) -> tuple[JID, ...]:
    found = []
    for text in certificate_jids(certificate) if certificate is not None else ():
        try:
            found.append(JID.parse(text))
        except StanzaError:
            log.info("a client certificate names %r, which is no address", text)
    return tuple(found)


def bindings(names: list[str]) -> str:
    """The types of channel binding, beside mechanisms that can use them (XEP-0440 3)."""
    if not any(name.endswith(("-PLUS", "-ENDP")) for name in names):
        return ""
    types = "".join(f"<channel-binding type='{type}'/>" for type in BINDING_TYPES)
    return f"<sasl-channel-binding xmlns='{NS_BINDING}'>{types}</sasl-channel-binding>"


def decoded(text: bytes) -> bytes:
    """A message out of its element."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise SASLError("incorrect-encoding", "the message is not base64") from None


def encoded(payload: bytes) -> str:
    """A message for its element."""
    return b64encode(payload).decode()


async def outcome_of(client: Client, host: Host, exchange: Exchange, payload: bytes) -> Challenge | Success:
    """What the mechanism says to it. Of tries side by side those past the limit learn nothing, right or wrong."""
    mechanism = exchange.mechanism
    if mechanism is None:
        raise SASLError("malformed-request", "the mechanism has done its part")
    try:
        outcome = mechanism.receive(payload)
        while not isinstance(outcome, Challenge | Success):
            outcome = await _work(client, host, exchange, mechanism, outcome)
    except SASLError as error:
        if error.condition == "not-authorized":
            must_not_wait(client, host, exchange)
        raise
    if isinstance(outcome, Success):
        must_not_wait(client, host, exchange)
    return outcome


async def _work(client: Client, host: Host, exchange: Exchange, mechanism: Mechanism, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Lookup):
        exchange.user = outcome.user
        must_not_wait(client, host, exchange)
        return mechanism.found(await look_up(host, exchange, outcome.user))
    assert isinstance(outcome, Compute)
    return mechanism.computed(await asyncio.to_thread(outcome.work))


async def look_up(host: Host, exchange: Exchange, user: str) -> Credentials | None:
    """The account's keys, with which the login is made."""
    exchange.credentials = await host.accounts.credentials(user)
    return exchange.credentials


def must_not_wait(client: Client, host: Host, exchange: Exchange) -> None:
    """`SASLError` while the account that is tried, or the address, has failed too often."""
    if exchange.user is not None:
        shared = client.listener.shared
        if shared.throttle.wait(client.address, f"{exchange.user}@{host.name}", shared.house.clock.monotonic()):
            raise SASLError("temporary-auth-failure", "too many failed logins; wait before you try again")


def admit(client: Client, host: Host, exchange: Exchange, outcome: Success) -> JID:
    """The account that may now come in; `SASLError` where the door is not for it."""
    user = JID(outcome.user, host.name)
    shared = client.listener.shared
    if not shared.house.config.allows(client.listener.options.access, user, client.address):
        exchange.user = None  # the password was right: nobody has guessed at this account
        raise SASLError("not-authorized", "this account may not log in here")
    shared.throttle.succeeded(client.address, user)
    shared.traffic.logins.inc()
    return user


def refuse(client: Client, host: Host, exchange: Exchange | None, error: SASLError, profile: str) -> None:
    """A login has failed: the client hears of it. `StreamError` where its connection has failed too often."""
    _count_failure(client, host, exchange, error)
    inherited = "" if profile == ns.SASL else f" xmlns='{ns.SASL}'"
    text = f"<text>{escape(error.text)}</text>" if error.text else ""
    client.write_xml(f"<failure xmlns='{profile}'><{error.condition}{inherited}/>{text}</failure>")
    if client.failures >= client.listener.shared.limits.max_failures_per_connection:
        raise StreamError("policy-violation", "too many failed logins")


def _count_failure(client: Client, host: Host, exchange: Exchange | None, error: SASLError) -> None:
    """The exchange is over, and who guesses waits longer."""
    client.exchange = None
    client.failures += 1
    shared = client.listener.shared
    shared.traffic.failures.inc()
    if error.condition == "not-authorized":
        account = f"{exchange.user}@{host.name}" if exchange is not None and exchange.user else None
        shared.throttle.failed(client.address, account, shared.house.clock.monotonic())
        log.info("[c2s %s] login failed (%s)", client.address, account or "no account named")
