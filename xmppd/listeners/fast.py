"""XEP-0484: logging in again by a token, as a part of SASL2."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import Context, SASLError, Success
from xmppd.sasl.exchange import not_authorized
from xmppd.sasl.hashed_token import answer, claim, offered, proves
from xmppd.tokens import Token
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element
from xmppd.xmpp.timestamps import format_datetime

from .exchange import Exchange, context_of, look_up, must_not_wait
from .request import Request

if TYPE_CHECKING:
    from .client import Client

YES: Final = ("1", "true")
DIGITS: Final = 17  # of a count, at most: it fits into every database's integers


def _names(host: Host, context: Context) -> list[str]:
    """The mechanisms that are offered; none where no token is given out."""
    return offered(context) if host.config.auth.token_lifetime else []


def advertised(host: Host, context: Context) -> str:
    """The inline feature; "" where no token is given out."""
    names = _names(host, context)
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    return f"<fast xmlns='{ns.FAST}'>{listed}</fast>" if names else ""


async def authenticate(client: Client, host: Host, exchange: Exchange, request: Request) -> tuple[Success, Token]:
    """The one step of a login by token; `SASLError` where it fails. What the client does not own is not told from
    what does not exist."""
    context = context_of(client, host)
    if request.mechanism not in _names(host, context) or request.fast is None:
        raise SASLError("invalid-mechanism", "a login by token is one of the mechanisms in <fast/>, and says <fast/>")
    exchange.user, proof = claim(request.initial)
    must_not_wait(client, host, exchange)
    binding = (context.endpoint_binding or b"") if request.mechanism.endswith("-ENDP") else b""
    find = partial(look_up, host, exchange)
    tokens = await host.tokens.of(exchange.user, request.agent, find) if request.agent else []
    must_not_wait(client, host, exchange)  # of tries side by side those past the limit learn nothing, right or wrong
    found = [token for token in tokens if proves(token.secret, proof, binding)]
    if not found or found[0].mechanism != request.mechanism:
        raise not_authorized()
    (token,) = found
    if token.expires < host.house.clock.time():
        raise SASLError("credentials-expired", "the token is too old; log in by password")
    await _use(host, token, request.fast)
    return Success(exchange.user, answer(token.secret, binding)), token


async def _use(host: Host, token: Token, fast: Element) -> None:
    told = fast.get("count")
    count = None if told is None else int(told) if told.isdecimal() and len(told) <= DIGITS else -1
    if not await host.tokens.use(token, count):
        raise SASLError("not-authorized", "this login was made before, or the token is gone")
    if fast.get("invalidate") in YES:
        await host.tokens.invalidate(token)


async def token_for(client: Client, host: Host, exchange: Exchange, user: str, used: Token | None) -> str:
    """The token that a login is answered with: one asked for, or the next one of a client whose own grows old.

    None for who has come in without the keys of an account.
    """
    request, auth, now = exchange.request, host.config.auth, host.house.clock.time()
    if request is None or not request.agent or exchange.credentials is None:
        return ""
    mechanism = request.token_mechanism
    if not mechanism and used is not None and request.fast is not None and request.fast.get("invalidate") not in YES:
        mechanism = used.mechanism if now - used.issued >= auth.token_refresh_age else ""
    if mechanism not in _names(host, context_of(client, host)):
        return ""
    lifetime = auth.token_lifetime
    token = await host.tokens.issue(user, request.agent, mechanism, exchange.credentials, now, lifetime)
    if token is None:
        return ""
    return f"<token xmlns='{ns.FAST}' expiry='{format_datetime(token.expires)}' token='{token.secret}'/>"
