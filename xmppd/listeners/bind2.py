"""XEP-0386: Bind 2, which opens a session within its login and begins what belongs to it."""

from __future__ import annotations

import hmac
import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lxml import etree

from xmppd.host import Host
from xmppd.routing.hooks import Bound
from xmppd.routing.sessions import Session
from xmppd.wire.features import State
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID, resourceprep
from xmppd.xmpp.passage import Holders
from xmppd.xmpp.stanza import Element, Stanza, escape

from .request import Request

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger(__name__)

AGENT: Final = "user-agent"  # the session's state that names its client's installation
LONGEST_TAG: Final = 100  # characters
REMEMBERED: Final = 64  # sets of features that are remembered as XML; each host has one
REPLACED: Final = StreamError("conflict", "the same client has come again")


class Threshold:
    """The door of a session whose client has not heard of it yet: what comes for it waits.

    Past the bytes that a connection may have waiting the session ends, and what waited goes back to the road.
    """

    def __init__(self, client: Client) -> None:
        self.session: Session | None = None
        self._client = client
        self._since = client.listener.shared.house.clock.time()
        self._waiting: list[tuple[Stanza, float]] = []
        self._size = 0

    def send(self, stanza: Stanza) -> None:
        """Keep it; a session that nobody knows of gets little."""
        self._waiting.append((stanza, self._since))
        self._size += len(stanza.data)
        shared = self._client.listener.shared
        if self._size > shared.limits.max_queue and self.session is not None:
            self._size = 0
            self.close(StreamError("policy-violation", "too much has come before the session had begun"))
            shared.resumptions.end(self.session, "too much waits for its beginning")

    def send_copy(self, stanza: Stanza, to: JID) -> None:
        """The same for a copy."""
        self.send(stanza.addressed(to))

    def close(self, error: StreamError | None = None) -> None:
        """End the stream."""
        self._client.close(error)

    def describe(self) -> dict[str, object]:
        """For operators."""
        return self._client.describe()

    @property
    def detached(self) -> bool:
        """Its client is about to come in."""
        return False

    def tells(self) -> bool:
        """Nothing has left yet."""
        return False

    def lacks(self, holders: Holders) -> bool:
        """The same."""
        return True

    def abandon(self) -> Sequence[tuple[Stanza, float]]:
        """What waited for a client that never came in."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def checkpoint(self) -> Callable[[], bool]:
        """The same."""
        return lambda: False

    def open(self, session: Session) -> None:
        """The client knows: what waited goes to the session's own door."""
        for stanza, _ in self.abandon():
            session.door.send(stanza)


def advertised(host: Host) -> str:
    """The inline feature (XEP-0386 3.1)."""
    return _inline(frozenset(name for name, modules in host.bind_features.items() if modules > 0))


@lru_cache(REMEMBERED)
def _inline(names: frozenset[str]) -> str:
    features = "".join(f"<feature var='{escape(name)}'/>" for name in sorted({*names, ns.SM}))
    return f"<bind xmlns='{ns.BIND2}'><inline>{features}</inline></bind>"


async def bind(client: Client, host: Host, user: JID, request: Request) -> tuple[Session, Threshold, str]:
    """Open the session. The answer is `<bound/>` without its end, so that the caller can begin the stream's own parts.

    `StreamError` where the account was removed, or the session ended, meanwhile; `StanzaError` where the account may
    have no more sessions.
    """
    if host.accounts.known(user.local) is False:
        raise StreamError("not-authorized", "the account was removed")
    assert request.bind is not None
    tag = (request.bind.findtext(f"{{{ns.BIND2}}}tag") or "").strip()
    await _replace_earlier(host, user, request.agent)
    threshold = Threshold(client)
    session = await host.open_session(
        user, resource(host.house.secret, user, tag, request.agent), threshold, "closeold"
    )
    threshold.session, session.client = session, request.software
    if request.agent:
        session.keep(AGENT, request.agent)
    bound = Bound(session, wanted(request.bind), [])
    await host.hooks.session_bound.tell(bound)
    if client.closing or host.sessions.find(session.jid) is not session:
        await host.close_session(session, "connection closed")
        raise StreamError("conflict", "the session was ended before it had begun")
    log.info("[c2s %s %s] bound, from %s", session.id, session.jid, client.address)
    return session, threshold, f"<bound xmlns='{ns.BIND2}'>{''.join(bound.answers)}"


def enter(client: Client, session: Session, threshold: Threshold) -> None:
    """From now on the client is the door of its session."""
    if session.door is threshold:
        session.door = client
    client.session = session
    client.grant(State.BOUND)


def wanted(request: Element) -> dict[str, Element]:
    """What is to be begun with the session, by `"namespace name"`."""
    names = ((etree.QName(child), child) for child in request.iterchildren("{*}*"))
    return {f"{name.namespace} {name.localname}": child for name, child in names if name.namespace != ns.BIND2}


def resource(secret: bytes, user: JID, tag: str, agent: str) -> str:
    """The resource: the client's tag and an identifier, the same each time for one installation (XEP-0386 3.2.1)."""
    said = "\0".join(("bind2", user, tag, agent)).encode()
    identifier = hmac.digest(secret, said, "sha256")[:9] if agent else secrets.token_bytes(9)
    text = urlsafe_b64encode(identifier).decode()
    try:
        return resourceprep(f"{tag[:LONGEST_TAG]}/{text}") if tag else text
    except StanzaError:
        return text


async def _replace_earlier(host: Host, user: JID, agent: str) -> None:
    """The same installation has one session: an earlier one is dead, or about to be (XEP-0386 3.2)."""
    for session in host.sessions.of(user) if agent else ():
        if session.state(AGENT) == agent:
            session.door.close(REPLACED)
            await host.close_session(session, "replaced")
