"""XEP-0388: SASL2, which logs in and does all that may follow in one round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import Challenge, SASLError, Success, offered
from xmppd.sasl.hashed_token import NAMES as TOKEN_MECHANISMS
from xmppd.tokens import Token
from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from . import bind2, fast, management, upgrades
from .exchange import (
    Exchange,
    admit,
    begun,
    context_of,
    decoded,
    encoded,
    outcome_of,
    refuse,
)
from .negotiation import offer
from .request import Request, read

if TYPE_CHECKING:
    from .client import Client

NAMES: Final = ("authenticate", "response", "abort", "next", "task-data")
TAGS: Final = frozenset(f"{ns.SASL2} {name}" for name in NAMES)


def _advertise(client: Client) -> str:
    host = client.host
    if host is None or not client.state & State.READY:
        return ""
    auth, context = host.config.auth, context_of(client, host)
    names = offered(auth.mechanisms, context)
    if not names:
        return ""
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    inline = f"<inline>{management.FEATURE}{bind2.advertised(host)}{fast.advertised(host, context)}</inline>"
    tasks = upgrades.advertised(upgrades.offered(auth, client.state))
    return f"<authentication xmlns='{ns.SASL2}'>{listed}{inline}{tasks}</authentication>"


async def _receive(client: Client, element: Nonza | Stanza) -> None:
    host = client.host
    if host is None or isinstance(element, Stanza):
        raise StreamError("not-authorized")
    exchange, client.exchange = client.exchange, None
    try:
        if element.name == f"{ns.SASL2} authenticate":
            exchange = _begin(client, host, element)
        if exchange is None or exchange.profile != ns.SASL2 or element.name == f"{ns.SASL2} abort":
            raise SASLError("aborted" if element.name == f"{ns.SASL2} abort" else "malformed-request")
        await _go_on(client, host, exchange, element)
    except SASLError as error:
        refuse(client, host, exchange, error, ns.SASL2)


def _begin(client: Client, host: Host, element: Nonza) -> Exchange:
    request = read(element)
    by_token = request.mechanism in TOKEN_MECHANISMS
    return Exchange(None if by_token else begun(client, host, request.mechanism), ns.SASL2, request)


async def _go_on(client: Client, host: Host, exchange: Exchange, element: Nonza) -> None:
    request = exchange.request
    assert request is not None
    if exchange.upgrade is not None:
        await _upgrade(client, host, exchange, exchange.upgrade, request, element)
    elif exchange.mechanism is None:
        outcome, token = await fast.authenticate(client, host, exchange, request)
        await _succeed(client, host, exchange, request, outcome, token)
    else:
        first = element.name == f"{ns.SASL2} authenticate"
        outcome_now = await outcome_of(
            client, host, exchange, request.initial if first else decoded(element.letter.strip())
        )
        if isinstance(outcome_now, Challenge):
            client.exchange = exchange
            client.write_xml(f"<challenge xmlns='{ns.SASL2}'>{encoded(outcome_now.payload)}</challenge>")
        else:
            await _proved(client, host, exchange, request, outcome_now)


async def _proved(client: Client, host: Host, exchange: Exchange, request: Request, outcome: Success) -> None:
    """The mechanism has done its part. The success may have to wait for upgrades (XEP-0480 4)."""
    offer = upgrades.offered(host.config.auth, client.state)
    hashes = await upgrades.wanted(request.upgrades, outcome, offer, host.accounts)
    if hashes:
        exchange.mechanism, exchange.upgrade = None, upgrades.Upgrade(outcome, hashes)
        _ask(client, exchange, exchange.upgrade, outcome.payload)
    else:
        await _succeed(client, host, exchange, request, outcome, None)


def _ask(client: Client, exchange: Exchange, upgrade: upgrades.Upgrade, payload: bytes | None) -> None:
    client.exchange = exchange
    tasks = f"<tasks><task>{upgrade.task}</task></tasks>"
    client.write_xml(f"<continue xmlns='{ns.SASL2}'>{_additional(payload)}{tasks}</continue>")


async def _upgrade(
    client: Client, host: Host, exchange: Exchange, upgrade: upgrades.Upgrade, request: Request, element: Nonza
) -> None:
    iterations = host.accounts.iterations
    if not upgrade.begun:
        client.write_xml(upgrade.begin(element.attributes.get("task", ""), iterations))
        client.exchange = exchange
        return
    await upgrade.take(element, host.accounts, iterations)
    if upgrade.hashes:
        _ask(client, exchange, upgrade, None)
    else:
        outcome = Success(upgrade.outcome.user, authzid=upgrade.outcome.authzid)
        await _succeed(client, host, exchange, request, outcome, None)


async def _succeed(
    client: Client, host: Host, exchange: Exchange, request: Request, outcome: Success, token: Token | None
) -> None:
    """All that was asked for is done before the client hears of it (XEP-0388 2.6.1)."""
    if client.closing:
        return  # nobody is there any more
    if outcome.authzid and client.claimed and _bare(client.claimed) != outcome.authzid:
        raise SASLError("invalid-authzid", "the stream's from is somebody else")
    user = admit(client, host, exchange, outcome)
    client.authenticated(user)
    more = await fast.token_for(client, host, exchange, user.local, token)
    if request.resume is not None:
        more += await management.resume(client, request.resume)
    if request.bind is not None and client.session is None:
        await _bind(client, host, user, request, outcome, more)
    else:
        _answer(client, outcome, user if client.session is None else client.session.jid, more)
        if client.session is None:  # a resumed stream is there already, and hears of no features (XEP-0198 9.2)
            offer(client)


async def _bind(client: Client, host: Host, user: JID, request: Request, outcome: Success, more: str) -> None:
    if client.closing:
        return  # another was quicker to resume the session
    try:
        session, threshold, bound = await bind2.bind(client, host, user, request)
    except StanzaError as error:
        raise StreamError("policy-violation", error.text) from None
    # Nothing waits from here on, so nothing can come between what the client is told and what it is then sent.
    bind2.enter(client, session, threshold)
    enable = request.bind.find(f"{{{ns.SM}}}enable") if request.bind is not None else None
    enabled = "" if enable is None else management.enable(client, enable)
    _answer(client, outcome, session.jid, f"{more}{bound}{enabled}</bound>")
    offer(client)
    threshold.open(session)


def _answer(client: Client, outcome: Success, who: JID, more: str) -> None:
    identifier = f"<authorization-identifier>{escape(who)}</authorization-identifier>"
    client.write_xml(f"<success xmlns='{ns.SASL2}'>{_additional(outcome.payload)}{identifier}{more}</success>")


def _bare(address: str) -> str:
    try:
        return JID.parse(address).bare
    except StanzaError:
        return address


def _additional(payload: bytes | None) -> str:
    return "" if payload is None else f"<additional-data>{encoded(payload)}</additional-data>"


ROW: Final[StreamFeature[Client]] = StreamFeature(
    "sasl2", TAGS, needs=0, forbids=State.AUTHENTICATED, advertise=_advertise, handle=_receive, order=19
)
