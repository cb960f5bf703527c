"""One room of the bus: what is said in it over HTTP, and what passes through it."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import BODY
from xmppd.xmpp.stanza import Stanza

from .barriers import Barrier, Watched
from .names import BEAT, DONE, INVALIDATE, MEMBER, NS_BUS, beat, invalidation, split
from .resets import Resets

if TYPE_CHECKING:
    from . import Bus

BEAT_SECONDS: Final = 3.0  # of silence until the room shows what it said last
LONGEST_LEASE: Final = 3600.0  # seconds that a member is believed
CLOCKS: Final = 1.01  # no two clocks run alike, and a lease is measured by the member's
MOST_GHOSTS: Final = 10_000  # members that left without a word and are remembered until their leases are over
EARLIER: Final = "(before the server's start)"  # stands for members that nobody here has seen


class BusRoom:
    """A room that the extension keeps (see `Warden` of muc), and an origin in it: the room itself.

    `epoch` is new at each start, `seq` counts what was said since. One publication at a time, so that the numbers
    stand in the room's order.
    """

    def __init__(self, bus: Bus, jid: JID) -> None:
        self.jid = jid
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self._bus = bus
        self._now: Callable[[], float] = bus.clock.monotonic
        self._turn = asyncio.Lock()
        self._saying: tuple[int, Barrier | None] | None = None
        self._silent_since = self._now()
        self._barriers: set[Barrier] = set()
        self._ghosts: dict[str, float] = {}
        self._watched = Watched(self._now, bus.took)
        self._resets = Resets()

    def remember_earlier(self) -> None:
        """The room was there before the server was: members of that time may serve until their leases are over."""
        self._ghosts[EARLIER] = self._now() + self._bus.options.lease * CLOCKS

    # Speaking

    async def publish(self, ids: Sequence[str], barrier: Barrier | None) -> list[Any]:
        """Say it, in one message or more; returns what was said of each, in order. `StanzaError` as `Muc.say`."""
        if barrier is not None:
            self._barriers.add(barrier)
        async with self._turn:
            said = [await self._publish(part, barrier) for part in split(ids)]
        if barrier is not None:
            barrier.complete()
        return said

    async def _publish(self, ids: Sequence[str], barrier: Barrier | None) -> Any:
        seq = self.seq + 1
        self._saying = seq, barrier
        try:
            return await self._say(invalidation(self.jid, self.epoch, seq, ids, confirm=barrier is not None))
        finally:
            self._saying = None

    async def _say(self, message: Stanza) -> Any:
        rooms = self._bus.rooms_service
        try:
            return await rooms.say(self.jid, message)
        except StanzaError as error:
            if error.condition != "item-not-found":
                raise
        await self._bus.shape(self)  # somebody has destroyed it
        return await rooms.say(self.jid, message)

    def forget(self, barrier: Barrier) -> None:
        """Nobody waits for it any more."""
        self._barriers.discard(barrier)

    def close(self) -> None:
        """Nobody is to wait any more."""
        for barrier in self._barriers:
            barrier.close()

    async def turn(self) -> None:
        """Once a second: leases run out, and after some silence members are shown what was said last."""
        now = self._now()
        self._ghosts = {nick: until for nick, until in self._ghosts.items() if until > now}
        for barrier in list(self._barriers):
            barrier.expire(now)
        if now - self._silent_since >= BEAT_SECONDS and members_in(self._bus.rooms_service.occupants_of(self.jid)):
            async with self._turn:
                await self._bus.rooms_service.say(self.jid, beat(self.jid, self.epoch, self.seq))

    # What the room tells (`Warden`)

    def said(self, room: Any, message: Stanza) -> None:
        """Count it; and who is in the room when it says something itself has to confirm that."""
        names, own = message.names, message.sender == self.jid
        if own:
            self._silent_since = self._now()
        if INVALIDATE in names or (BODY in names and BEAT not in names):
            self._bus.published[self.jid.local].inc()
            self._bus.delivered[self.jid.local].inc(len(room.occupants.sessions))
        if BEAT in names and not own and b"resets" in message.letter:
            self._count_resets(room, message)
        if INVALIDATE not in names:
            return
        if own and self._saying is not None:
            self._expect(room, *self._saying)
        elif not own and b"confirm" in message.letter:
            assert message.sender is not None
            self._watched.said(message.sender.resource, message, len(members_in(room.occupants)) - 1)

    def _count_resets(self, room: Any, message: Stanza) -> None:
        assert message.sender is not None
        occupant = room.occupants.by_nick(message.sender.resource)
        if occupant is not None and MEMBER in occupant.presence.names:
            told = self._resets.told(occupant.nick, message, occupant.presence)
            self._bus.resets[self.jid.local].inc(told)

    def _expect(self, room: Any, seq: int, barrier: Barrier | None) -> None:
        self.seq = seq  # now, for whatever becomes of who publishes, this number is not for another message
        if barrier is None:
            return
        now, here = self._now(), members_in(room.occupants)
        ghosts = {nick: until for nick, until in self._ghosts.items() if until > now and nick not in here}
        barrier.expect(seq, here, ghosts)

    def whispered(self, room: Any, message: Stanza, nick: str) -> None:
        """A member confirms what another has said."""
        if DONE in message.names:
            self._watched.confirmed(nick, message)

    def left(self, room: Any, occupant: Any, farewell: Stanza | None) -> None:
        """A member is gone, in peace or not."""
        if MEMBER not in occupant.presence.names:
            return
        peaceful = farewell is not None and _says(farewell, "left") == "true"
        until = self._now() + _lease(occupant.presence) * CLOCKS
        for barrier in self._barriers:
            if peaceful:
                barrier.gone(occupant.nick)
            else:
                barrier.left(occupant.nick, until)
        if not peaceful and len(self._ghosts) < MOST_GHOSTS:
            self._ghosts[occupant.nick] = until

    def done(self, message: Stanza, nick: str) -> None:
        """A member has dropped what the room said."""
        found = message.child("done", NS_BUS)
        seq = "" if found is None or found.get("epoch") != self.epoch else found.get("seq", "")
        if seq.isascii() and seq.isdigit() and len(seq) <= 15:
            for barrier in self._barriers:
                barrier.done(int(seq), nick)


def members_in(occupants: Any) -> list[str]:
    """The nicks of those who have caches; the others watch."""
    return [occupant.nick for occupant in occupants if MEMBER in occupant.presence.names]


def _says(presence: Stanza, name: str) -> str:
    found = presence.child("member", NS_BUS)
    return "" if found is None else found.get(name, "")


def _lease(presence: Stanza) -> float:
    try:
        lease = float(_says(presence, "lease"))
    except ValueError:
        return LONGEST_LEASE
    return min(max(lease, 0.0), LONGEST_LEASE) if math.isfinite(lease) else LONGEST_LEASE
