"""XEP-0198 on a client's stream: its stream features, and what other features embed of it.

`enable` and `resume` are for whoever has such an element inside another (XEP-0386, XEP-0388); they return what belongs
into the answer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from xmppd.routing.hooks import SessionEvent
from xmppd.wire.features import State, StreamFeature
from xmppd.wire.items import Nonza
from xmppd.wire.resume import number
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import NS_STANZAS, StreamError
from xmppd.xmpp.stanza import Stanza, escape

from .managed import ANSWER, REQUEST, ManagedDoor

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger(__name__)

FEATURE: Final = f"<sm xmlns='{ns.SM}'/>"
ENABLE: Final = f"{ns.SM} enable"
RESUME: Final = f"{ns.SM} resume"
TRUE: Final = frozenset({"true", "1"})


class Element(Protocol):
    """What has attributes: an lxml element is one, `attributes_of` takes a nonza too."""

    def get(self, key: str, /) -> str | None:
        """An attribute, None where it is missing."""


def enable(client: Client, element: Element) -> str:
    """Switch stream management on for a client that has just bound a resource: `<enabled/>` or `<failed/>`.

    `element` is its `<enable/>`. Both counters start now: write the answer before you wait for anything.
    """
    session = client.session
    if session is None or client.managed is not None:
        return failed("unexpected-request")
    resumptions = client.listener.shared.resumptions
    patience = _patience(element, resumptions.limits.resume_timeout)
    door = ManagedDoor(client, session, "", patience, resumptions)
    attributes = ""
    if patience:
        door.id = resumptions.enter(door)
        attributes = f" id='{door.id}' resume='true' max='{int(patience)}'"
    session.door = client.managed = door
    client.grant(State.MANAGED)
    return f"<enabled xmlns='{ns.SM}'{attributes}/>"


def _patience(element: Element, most: float) -> float:
    """How long to wait for the client to come back, in whole seconds; 0 where it shall not."""
    if element.get("resume") not in TRUE:
        return 0.0
    wanted = number(element.get("max"))
    return float(int(min(most, wanted) if wanted else most))


async def resume(client: Client, element: Element) -> str:
    """Give an authenticated client its former session: `<resumed/>`, after which it has one, or `<failed/>`.

    `element` is its `<resume/>`. Write the answer before you wait for anything: what the client has not received is
    sent again at the end of this turn of the loop. `StreamError` where it claims more than it was sent.
    """
    account, id, h = client.user, element.get("previd"), number(element.get("h"))
    if account is None or client.session is not None:
        return failed("unexpected-request")
    if not id or h is None:
        return failed("bad-request")
    resumptions = client.listener.shared.resumptions
    door = resumptions.find(id, account)
    if door is None or not await _take_over(client, door, h):
        _count_failure(client)
        return failed("item-not-found", resumptions.handled(id, account))
    return f"<resumed xmlns='{ns.SM}' h='{door.ledger.handled}' previd='{escape(id)}'/>"


async def _take_over(client: Client, door: ManagedDoor, h: int) -> bool:
    """False where the session has ended, or somebody else was quicker, while its last stanzas were handled."""
    door.ledger.news(h)
    resumptions, session, host = client.listener.shared.resumptions, door.session, client.host
    if door.final or host is None:
        return False
    await door.release()
    if door.over or door.client is not None:
        return False
    resumptions.attached(door)
    door.attach(client, h)
    client.session, client.managed = session, door
    client.grant(State.BOUND | State.MANAGED)
    await host.hooks.session_resumed.tell(SessionEvent(session))
    resumptions.figures.resumed.inc()
    log.info("[c2s %s %s] resumed, from %s", session.id, session.jid, client.address)
    door.go_on(client)
    return True


def _count_failure(client: Client) -> None:
    """Ids cannot be guessed; who tries all the same is sent away."""
    client.failures += 1
    if client.failures >= client.listener.shared.limits.max_failures_per_connection:
        raise StreamError("policy-violation", "too many sessions that are not yours, or are no more")


def failed(condition: str, handled: int | None = None) -> str:
    """`<failed/>` (XEP-0198 6)."""
    count = "" if handled is None else f" h='{handled}'"
    return f"<failed xmlns='{ns.SM}'{count}><{condition} xmlns='{NS_STANZAS}'/></failed>"


def _advertise(client: Client) -> str:
    return FEATURE


async def _negotiate(client: Client, item: Nonza | Stanza) -> None:
    if isinstance(item, Stanza):
        raise StreamError("not-authorized", "log in and bind a resource first")
    if item.name == RESUME:
        client.write_xml(await resume(client, item.attributes))
        return
    again = client.managed is not None
    client.write_xml(enable(client, item.attributes))
    if again:
        raise StreamError("policy-violation", "stream management is enabled once")


async def _wait(client: Client, item: Nonza | Stanza) -> None:
    """An acknowledgement that could not be dealt with at once: so many answers are held that the disk comes first."""
    door = client.managed
    if door is None or isinstance(item, Stanza):
        raise StreamError("unsupported-stanza-type", "enable stream management first")
    await door.session.settled()
    door.takes(item)


ROWS: Final[tuple[StreamFeature[Any], ...]] = (
    # Offered to who has logged in; asked for at any other time it has a refusal of its own.
    StreamFeature("sm", frozenset(), State.AUTHENTICATED, State.BOUND, _advertise, _negotiate, order=40),
    StreamFeature("sm-negotiation", frozenset({ENABLE, RESUME}), 0, 0, lambda client: "", _negotiate),
    StreamFeature("sm-acks", frozenset({REQUEST, ANSWER}), State.MANAGED, 0, lambda client: "", _wait),
)
