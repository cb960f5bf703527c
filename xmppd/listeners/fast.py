"""XEP-0484: logging in again by a token, as a part of SASL2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xmppd.host import Host
from xmppd.sasl import Context, SASLError, Success
from xmppd.sasl.exchange import not_authorized
from xmppd.sasl.hashed_token import answer, claim, offered, proves
from xmppd.tokens import Token
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.timestamps import format_datetime

from .exchange import Exchange, context_of, must_not_wait
from .request import Request

if TYPE_CHECKING:
    from .client import Client

YES: Final = ("1", "true")


def advertised(host: Host, context: Context) -> str:
    """The inline feature; "" where no token is given out."""
    names = offered(context) if host.config.auth.token_lifetime else []
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    return f"<fast xmlns='{ns.FAST}'>{listed}</fast>" if names else ""


async def authenticate(client: Client, host: Host, exchange: Exchange, request: Request) -> tuple[Success, Token]:
    """The one step of a login by token; `SASLError` where it fails. What the client does not own is not told from
    what does not exist."""
    context = context_of(client, host)
    if request.mechanism not in offered(context) or request.fast is None:
        raise SASLError("invalid-mechanism", "a login by token is one of the mechanisms in <fast/>, and says <fast/>")
    exchange.user, proof = claim(request.initial)
    must_not_wait(client, host, exchange)
    binding = (context.endpoint_binding or b"") if request.mechanism.endswith("-ENDP") else b""
    tokens = await host.tokens.of(exchange.user, request.agent) if request.agent else []
    found = [token for token in tokens if proves(token.secret, proof, binding)]
    if not found or found[0].mechanism != request.mechanism:
        raise not_authorized()
    (token,) = found
    if token.expires < host.house.clock.time():
        raise SASLError("credentials-expired", "the token is too old; log in by password")
    must_not_wait(client, host, exchange)
    await _use(host, token, request)
    return Success(exchange.user, answer(token.secret, binding)), token


async def _use(host: Host, token: Token, request: Request) -> None:
    assert request.fast is not None
    told = request.fast.get("count", "")
    count = int(told) if told.isdecimal() and len(told) < 18 else -1
    if told and count <= token.uses:
        raise SASLError("not-authorized", "this login was made before")
    if request.fast.get("invalidate") in YES:
        await host.tokens.invalidate(token)
    else:
        await host.tokens.use(token, max(count, token.uses))


async def token_for(client: Client, host: Host, request: Request, user: str, used: Token | None) -> str:
    """The token that a login is answered with: one asked for, or the next one of a client whose own grows old."""
    auth, now = host.config.auth, host.house.clock.time()
    mechanism = request.token_mechanism
    if not mechanism and used is not None and request.fast is not None and request.fast.get("invalidate") not in YES:
        mechanism = used.mechanism if now - used.issued >= auth.token_refresh_age else ""
    if not auth.token_lifetime or not request.agent or mechanism not in offered(context_of(client, host)):
        return ""
    token = await host.tokens.issue(user, request.agent, mechanism, now, auth.token_lifetime)
    return f"<token xmlns='{ns.FAST}' expiry='{format_datetime(token.expires)}' token='{token.secret}'/>"
