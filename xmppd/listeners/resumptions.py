"""All sessions of a server that can be resumed: by their ids, with the detached ones in a queue of limited length."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from secrets import token_urlsafe
from typing import Final

from xmppd.clock import Clock
from xmppd.config import Limits
from xmppd.host import House
from xmppd.metrics import Counter as Metric
from xmppd.metrics import Gauge
from xmppd.routing.hooks import SessionEvent
from xmppd.routing.returning import Entry
from xmppd.routing.sessions import Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .managed import ManagedDoor
from .stepper import step

log = logging.getLogger(__name__)

LOOK: Final = 0.02  # seconds between two looks whether the last acknowledgements have come
LAST_LOOKS: Final = 50
TICK: Final = 1.0  # seconds between two looks at those who wait
REMEMBERED: Final = 1000  # sessions that ended while detached; their clients may still be told how much was handled


class Figures:
    """Figures of stream management."""

    detached = Gauge("Sessions that wait to be resumed")
    resumed = Metric("Sessions resumed")
    given_up = Metric("Sessions that were not resumed in time")


class Resumptions:
    """Who can be resumed, who waits for it, and who came too late."""

    def __init__(self, house: House, keep: Callable[[asyncio.Task[None] | None], None]) -> None:
        """`keep` holds a task until it is done."""
        self._house = house
        self._keep = keep
        self._doors: dict[str, ManagedDoor] = {}
        self._waiting: OrderedDict[str, ManagedDoor] = OrderedDict()
        self._accounts: Counter[JID] = Counter()
        self._ended: OrderedDict[str, tuple[JID, int]] = OrderedDict()
        self._watching = False
        self.figures = Figures()

    @property
    def clock(self) -> Clock:
        """The server's."""
        return self._house.clock

    @property
    def limits(self) -> Limits:
        """Those in force now."""
        return self._house.config.limits

    def __len__(self) -> int:
        """How many sessions wait to be resumed."""
        return len(self._waiting)

    def enter(self, door: ManagedDoor) -> str:
        """A new id for a session: unguessable, and never used again."""
        id = token_urlsafe(18)
        self._doors[id] = door
        return id

    def find(self, id: str, account: JID) -> ManagedDoor | None:
        """The session with this id, for its own account only."""
        door = self._doors.get(id)
        return door if door is not None and door.session.jid.bare == account else None

    def handled(self, id: str, account: JID) -> int | None:
        """How many stanzas were handled of a session that was not resumed in time, where that is still known."""
        owner, handled = self._ended.get(id, (None, None))
        return handled if owner == account else None

    # Waiting

    def detach(self, door: ManagedDoor) -> None:
        """A session has lost its connection."""
        door.deadline = self.clock.monotonic() + door.patience
        self._waiting[door.id] = door
        self.figures.detached.inc()
        account = door.session.jid.bare
        self._accounts[account] += 1
        log.info("[c2s %s %s] detached, for up to %g s", door.session.id, door.session.jid, door.patience)
        self._make_room(account)
        if not self._watching:
            self._watching = True
            self._house.timetable.every(TICK, self._look)
        self._keep(step(self._detached(door)))

    async def _detached(self, door: ManagedDoor) -> None:
        """What was underway is kept like what comes from now on; then the modules are told."""
        host = self._house.hosts[door.session.jid.domain]
        try:
            for entry in list(door.ledger):
                if door.detached and (waiting := self.keep(door.session, entry, fresh=False)) is not None:
                    await waiting
        except StanzaError as error:
            log.info("[c2s %s] what it has not acknowledged is not all stored: %s", door.session.id, error)
        if door.detached:
            await host.hooks.session_detached.tell(SessionEvent(door.session))

    def keep(self, session: Session, entry: Entry, *, fresh: bool = True) -> Awaitable[None] | None:
        """Have kept what waits for a session without a connection; see `Returning.keep`."""
        return self._house.hosts[session.jid.domain].returning.keep(session, entry, fresh=fresh)

    def _make_room(self, account: JID) -> None:
        if self._accounts[account] > self.limits.max_detached_per_user:
            oldest = next(door for door in self._waiting.values() if door.session.jid.bare == account)
            self.end(oldest.session, "too many detached sessions of this account")
        elif len(self._waiting) > self.limits.max_detached:
            self.end(next(iter(self._waiting.values())).session, "too many detached sessions")

    def _look(self) -> None:
        now = self.clock.monotonic()
        for door in [door for door in self._waiting.values() if door.deadline <= now]:
            self.end(door.session, "not resumed in time")

    def attached(self, door: ManagedDoor) -> None:
        """A session waits no more."""
        if self._waiting.pop(door.id, None) is not None:
            self.figures.detached.dec()
            account = door.session.jid.bare
            self._accounts[account] -= 1
            if self._accounts[account] <= 0:
                del self._accounts[account]

    # The end

    def forget(self, door: ManagedDoor) -> None:
        """A session is over."""
        if door.id in self._waiting:
            self.figures.given_up.inc()
            self._ended[door.id] = (door.session.jid.bare, door.ledger.handled)
            if len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)
        self.attached(door)
        self._doors.pop(door.id, None)

    def end(self, session: Session, reason: str) -> None:
        """End a session; what it has not acknowledged goes back to the road."""
        log.info("[c2s %s %s] closed: %s", session.id, session.jid, reason)
        host = self._house.hosts[session.jid.domain]
        self._keep(step(host.close_session(session, reason)))

    async def ask_all(self) -> None:
        """The server is about to stop: let clients say what they have, so that they are not given it again."""
        asked = [question for question in map(_ask, self._sessions()) if question is not None]
        for _ in range(LAST_LOOKS):
            asked = [question for question in asked if not question()]
            if not asked:
                return
            await asyncio.sleep(LOOK)

    def end_all(self) -> None:
        """The server stops: nobody comes back in time."""
        for session in self._sessions():
            if session.detached:
                self.end(session, "the server stops")

    def _sessions(self) -> list[Session]:
        return [session for host in self._house.hosts.values() for session in host.sessions]

    def too_late(self, session: Session, stanza: Stanza) -> None:
        """A stanza was sent to a session that is over."""
        host = self._house.hosts[session.jid.domain]
        self._keep(step(host.returning.give_back(session, [(stanza, self.clock.time())])))


def _ask(session: Session) -> Callable[[], bool] | None:
    """Whether a client has acknowledged what it was sent, or is gone; None where it has nothing to acknowledge."""
    door = session.door
    if not isinstance(door, ManagedDoor) or door.client is None or not len(door.ledger):
        return None
    sure = door.checkpoint()
    return lambda: sure() or door.client is None
