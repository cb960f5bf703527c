"""What this member publishes: gathered into few messages, numbered, sent, and sent again until the room has it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .barrier import Barriers
from .batch import Batch
from .company import Company
from .errors import BusClosed
from .invalidation import Invalidation
from .resets import Resets
from .wire import Mark, write_beat, write_invalidate

MOST_FLYING: Final = 200  # messages that the room has not shown to have; past it what comes is gathered


@dataclass(slots=True)
class Flying:
    """A message on its way."""

    what: Invalidation
    batch: Batch
    sent_at: float = 0.0


class Outbox:
    """Numbers of one epoch. While nothing is on its way an invalidation leaves at once; else it gathers company.

    `came_back` is told when something was sent that has come back.
    """

    def __init__(
        self,
        room: str,
        gather: float,
        clock: Callable[[], float],
        barriers: Barriers,
        company: Company,
        came_back: Callable[[float], None],
    ) -> None:
        self.epoch = secrets.token_hex(8)
        self.barriers = barriers
        self.resets = Resets()
        self.last_sent = 0.0
        self._room = room
        self._gather = gather
        self._clock = clock
        self._company = company
        self._came_back = came_back
        self._say: Callable[[str], None] | None = None
        self._name = ""
        self._names: set[str] = set()
        self._seq = 0
        self._flying: dict[int, Flying] = {}
        self._gathered = Batch()
        self._flush_at: asyncio.Handle | None = None
        self._beats: list[tuple[float, int]] = []  # when, and how many resets it told of

    @property
    def mark(self) -> Mark:
        """The last message that the room is known to have, or that is on its way there."""
        sent = self._seq if self._say is not None else min(self._flying, default=self._seq + 1) - 1
        return Mark(self._name, self.epoch, sent)

    def unpublished(self) -> set[asyncio.Future[None]]:
        """What is done when the room has all that it was sent."""
        batches = [flying.batch for flying in self._flying.values()]
        return {batch.published for batch in (*batches, *([self._gathered] if self._waits else []))}

    @property
    def _waits(self) -> bool:
        return bool(self._gathered.size)

    def add(self, what: Invalidation, *, confirm: bool) -> Batch:
        """Publish it soon; the batch it is in says when the room has it."""
        batch = self._gathered
        batch.add(what, confirm=confirm)
        if self._flush_at is None and self._say is not None:
            loop = asyncio.get_running_loop()
            self._flush_at = loop.call_later(self._gather, self._flush) if self._flying else loop.call_soon(self._flush)
        return batch

    def named(self, name: str) -> None:
        """The name that the next messages carry."""
        self._name = name
        self._names.add(name)

    def says(self, mark: Mark | None) -> bool:
        """Whether this is what this member says now. Under a name that it had before, anybody may say it."""
        return mark is not None and mark.epoch == self.epoch and mark.origin == self._name

    def said(self, mark: Mark | None) -> bool:
        """Whether these are this member's own words, under any name that it has had; for those in an archive."""
        return mark is not None and mark.epoch == self.epoch and mark.origin in self._names

    def connected(self, say: Callable[[str], None]) -> None:
        """There is a room to talk to: first what it or others may have missed, under its old numbers.

        Who has not answered is asked again: its answer may be lost, and so may the message be with the room's memory.
        """
        self._say = say
        for seq, what in self.barriers.unanswered():
            say(write_invalidate(self._room, Mark(self._name, self.epoch, seq), what, confirm=True))
        for seq, flying in self._flying.items():
            self._send(seq, flying)
        self._flush()

    def disconnected(self) -> None:
        """There is none."""
        self._say = None
        self._beats.clear()
        self.resets.lost()

    def beat(self) -> None:
        """Show that this member is here, and what it said last."""
        if self._say is not None:
            self.last_sent = self._clock()
            self._beats.append((self.last_sent, self.resets.had))
            self._say(write_beat(self._room, self.mark, self.resets.tell()))

    def beat_came_back(self) -> None:
        """The oldest heartbeat on its way."""
        if self._beats:
            sent_at, self.resets.known = self._beats.pop(0)
            self._renew(sent_at)

    def came_back(self, seq: int) -> None:
        """The room has message `seq`."""
        flying = self._flying.pop(seq, None)
        if flying is None:
            return
        self._renew(flying.sent_at)
        batch = flying.batch
        if batch.confirm and batch.waiting:
            batch.barriers[seq] = self.barriers.open(seq, flying.what, self._company)
        batch.under_way -= 1
        if not batch.under_way and not batch.published.done():
            batch.published.set_result(None)
        if not self._flying and self._waits:
            self._flush()

    def _renew(self, sent_at: float) -> None:
        self._came_back(sent_at)
        self.barriers.lived(sent_at)

    def close(self) -> None:
        """Tell all who wait that nothing more is published, and that nobody's answer is waited for."""
        self.barriers.end()
        for batch in {self._gathered, *(flying.batch for flying in self._flying.values())}:
            if not batch.published.done():
                batch.published.set_exception(BusClosed("the bus was closed"))
                batch.published.exception()

    def _flush(self) -> None:
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        if not self._waits or self._say is None or len(self._flying) >= MOST_FLYING:
            return
        batch, self._gathered = self._gathered, Batch()
        messages = batch.messages()
        batch.under_way = len(messages)
        for what in messages:
            self._seq += 1
            flying = self._flying[self._seq] = Flying(what, batch)
            self._send(self._seq, flying)

    def _send(self, seq: int, flying: Flying) -> None:
        assert self._say is not None
        flying.sent_at = self.last_sent = self._clock()
        mark = Mark(self._name, self.epoch, seq)
        self._say(write_invalidate(self._room, mark, flying.what, confirm=flying.batch.confirm))
