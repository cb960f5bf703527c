"""Waits until every member that was in the room has dropped what a message named."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .company import Company
from .members import Member


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an invalidation. True where no member is missing.

    `confirmed` have dropped what it named, or serve nothing until they have heard it. `missing` have not said so in
    time: each serves what it has for at most its lease more. Both are empty where no confirmation was asked for.
    """

    confirmed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return not self.missing


class Barrier:
    """One message and those that have not answered it, from the moment when the room had it.

    A member that is in the room has to answer. One that left it without a word serves nothing any more when its lease
    has run out since then, for nothing can have renewed it.
    """

    def __init__(self, company: Company) -> None:
        self.waiting = set(company.here)
        self.confirmed: set[str] = set()
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timers: list[asyncio.TimerHandle] = []
        for ghost in company.ghosts():
            self.waiting.add(ghost.nick)
            self.left(ghost)
        self._settle()

    def done(self, nick: str) -> None:
        """This member serves nothing of it any more."""
        if nick in self.waiting:
            self.waiting.remove(nick)
            self.confirmed.add(nick)
            self._settle()

    def left(self, member: Member) -> None:
        """This one left, and may serve what it has until its lease is over."""
        loop = asyncio.get_running_loop()
        if member.nick in self.waiting:
            self._timers.append(loop.call_later(member.lease * 1.01, self.done, member.nick))

    async def wait(self) -> None:
        """Until nobody is waited for."""
        await asyncio.shield(self._all)

    def close(self) -> None:
        """Nobody waits for it any more."""
        for timer in self._timers:
            timer.cancel()

    def _settle(self) -> None:
        if not self.waiting and not self._all.done():
            self._all.set_result(None)
            self.close()


class Barriers:
    """Those of one member, by the number of the message."""

    def __init__(self) -> None:
        self._open: dict[int, Barrier] = {}

    def open(self, seq: int, company: Company) -> Barrier:
        """The room has taken message `seq`, while these were in it."""
        barrier = self._open[seq] = Barrier(company)
        return barrier

    def done(self, seq: int, nick: str) -> None:
        """A member has answered."""
        if (barrier := self._open.get(seq)) is not None:
            barrier.done(nick)

    def left(self, member: Member, peaceful: bool) -> None:
        """A member left; in peace: it serves nothing any more."""
        for barrier in self._open.values():
            if peaceful:
                barrier.done(member.nick)
            else:
                barrier.left(member)

    def close(self, seq: int) -> None:
        """Its caller has gone on."""
        if (barrier := self._open.pop(seq, None)) is not None:
            barrier.close()
