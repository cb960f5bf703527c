"""Keeps one member in its room: connects, enters, catches up, beats, and begins again when something breaks."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .backoff import Backoff
from .barrier import Barriers
from .catching_up import catch_up
from .company import Company
from .errors import BusRefused, LinkLost
from .hearing import Hearing
from .lease import Lease
from .options import Settings
from .outbox import Outbox
from .room import Room
from .stats import BusStats
from .wire import Heard, write_done

log = logging.getLogger(__name__)
LASTING: Final = frozenset({"not-authorized", "forbidden", "registration-required", "not-allowed"})
"""Refusals that another attempt in a moment will hardly change."""


class Running:
    """The member's life. `drop` drops what a message names and says whether all went well."""

    def __init__(
        self, settings: Settings, stats: BusStats, drop: Callable[[Heard], bool], reset: Callable[[str], None]
    ) -> None:
        self.settings = settings
        self.lease = Lease(settings.lease, settings.clock)
        barriers = Barriers()
        self.company = Company(settings.clock, barriers.left)
        self.outbox = Outbox(settings.room, settings.gather, settings.clock, barriers, self.company, self.lease.renew)
        self.room: Room | None = None
        self.entered = asyncio.Event()
        self.refusal: BusRefused | None = None
        self.refused = asyncio.Event()
        self._hearing = Hearing(self._apply, self._hole)
        self._stats = stats
        self._drop = drop
        self._reset = reset
        self._name = settings.name
        self._news = asyncio.Event()
        self._new = True
        self._away_since = 0.0
        self._forget: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """For ever; cancel it to end it."""
        backoff = Backoff(self.settings.most_backoff)
        try:
            while True:
                began = self.settings.clock()
                await self._try()
                if self.settings.clock() - began > self.settings.lease:
                    backoff.reset()
                await asyncio.sleep(backoff.next())
        finally:
            self._no_longer_away()

    async def _try(self) -> None:
        """Stay for as long as it goes well."""
        try:
            await self._stay()
        except LinkLost as error:
            log.warning("%s: %s; connecting again", self.settings.room, error)
        except BusRefused as error:
            log.warning("%s refuses %s: %s", self.settings.room, self._name, error)
            self._refused(error)
        except Exception:  # a cache that cannot be emptied, say: nothing is served meanwhile
            log.exception("%s: something went wrong; connecting again", self.settings.room)

    async def _stay(self) -> None:
        """One connection, from its beginning to its end."""
        room = Room(self.settings, self._name, self.company, self._heard)
        room.link.lost.add_done_callback(lambda _: self._news.set())
        self.room = room
        try:
            await room.link.open()
            self._hearing.pause()
            sent_at = self.settings.clock()
            self.outbox.named(room.name)
            await room.enter(self.outbox.mark, self.outbox.resets.known)
            self.outbox.named(room.name)
            self.company.in_sight()
            self.outbox.barriers.in_sight()
            self.lease.renew(sent_at)
            await self._catch_up(room, self._why_fresh(room))
            self._arrived(room)
            await self._serve(room)
        finally:
            self._left(room)
            await room.link.shut()

    def _why_fresh(self, room: Room) -> str:
        if self._new:
            return "this member is new"
        if room.created:
            return "the room was made anew"
        away = self.settings.clock() - self._away_since
        return f"away for {away:.0f} seconds" if away > self.settings.keep else ""

    async def _catch_up(self, room: Room, why_fresh: str = "") -> None:
        self._stats.catch_ups += not why_fresh
        await catch_up(self._hearing, room.archive, self._emptied, fresh=why_fresh)
        self.lease.open()

    def _arrived(self, room: Room) -> None:
        self._stats.reconnects += not self._new
        self._new = False
        self.refusal = None
        self.refused.clear()
        self._no_longer_away()
        self.outbox.connected(room.link.say)
        self.entered.set()
        log.info("in %s as %s, with %d members", self.settings.room, room.name, len(self.company.here))

    async def _serve(self, room: Room) -> None:
        began = self.settings.clock()
        while not room.link.lost.done():
            if not self._hearing.following:
                await self._catch_up(room)
                began = self.settings.clock()
            if self.lease.expired and self.settings.clock() - began > self.settings.lease:
                raise LinkLost(f"the room was silent for {self.settings.lease:g} seconds")
            silent = self.settings.clock() - self.outbox.last_sent
            if silent >= self.settings.beat or self.outbox.resets.untold:
                self.outbox.beat()
                silent = 0
            await self._until_news(self.settings.beat - silent)
        raise LinkLost(room.link.lost.result())

    def _emptied(self, why: str) -> None:
        """Everything is dropped, in the room; who was never there before had nothing."""
        self._reset(why)
        self.outbox.resets.had += not self._new

    async def _until_news(self, seconds: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    def _left(self, room: Room) -> None:
        """Nothing is served from now on, and after a while nothing is kept."""
        self.lease.shut()
        self.outbox.disconnected()
        if self.entered.is_set():
            self.entered.clear()
            self._away()
        if room.link.conflict:
            log.warning("another program is here as %s; give each member a name of its own", self._name)
            self._name = f"{self.settings.name}-{secrets.token_hex(2)}"
        self.room = None
        self.company.lost_sight()
        self.outbox.barriers.lost_sight()

    def _away(self) -> None:
        """From now on, until it has come back and caught up, however often it tries."""
        self._away_since = self.settings.clock()
        why = f"away for {self.settings.keep:g} seconds"
        self._forget = asyncio.get_running_loop().call_later(self.settings.keep, self._reset, why)

    def _no_longer_away(self) -> None:
        if self._forget is not None:
            self._forget.cancel()
            self._forget = None

    def _refused(self, refusal: BusRefused) -> None:
        if refusal.condition == "conflict":
            self._name = f"{self.settings.name}-{secrets.token_hex(2)}"
        self.refusal = refusal
        if refusal.condition in LASTING:
            self.refused.set()

    def _hole(self) -> None:
        self._stats.holes += 1
        self.lease.shut()
        self._news.set()

    def _heard(self, message: Heard) -> None:
        if message.kind == "done":
            if message.mark is not None and message.mark.epoch == self.outbox.epoch:
                self.outbox.barriers.done(message.mark.seq, message.sender.partition("/")[2])
        elif self.outbox.says(message.mark):
            self._came_back(message)
        elif self.outbox.said(message.mark):
            self._hearing.heard(replace(message, mark=None))
        else:
            self._hearing.heard(message)

    def _came_back(self, message: Heard) -> None:
        """Our own words: nothing to drop, for that was done when they were said."""
        if message.kind == "beat":
            self.outbox.beat_came_back()
        elif message.mark is not None:
            self._hearing.passed(message)
            self.outbox.came_back(message.mark.seq)

    def _apply(self, message: Heard) -> None:
        if message.kind != "invalidate":
            self._stats.beats += message.kind == "beat"
        elif self.outbox.said(message.mark):
            self.outbox.came_back(message.mark.seq if message.mark else 0)
        elif self._drop(message) and message.confirm:
            self._confirm(message)

    def _confirm(self, message: Heard) -> None:
        """Tell the origin: another member who is still here, or the room itself."""
        nick = message.sender.partition("/")[2]
        here = not nick or nick in self.company.here
        if self.room is not None and here and message.mark is not None:
            self.room.link.say(write_done(message.sender, message.mark))
