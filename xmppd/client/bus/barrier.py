"""Waits until every member that was in the room has dropped what a message named."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .company import Company
from .invalidation import Invalidation


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
    has run out since then, for nothing can have renewed it; unless the room has forgotten the message meanwhile. That
    it has not is known when something that was sent after the lease has come back over the same connection.
    """

    def __init__(self, what: Invalidation, company: Company) -> None:
        self.what = what
        self.waiting = set(company.here)
        self.confirmed: set[str] = set()
        self._company = company
        self._until: dict[str, float] = {}
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.update(company.ghosts())
        self.in_sight()
        self._settle()

    def done(self, nick: str) -> None:
        """This member serves nothing of it any more."""
        if nick in self.waiting:
            self.waiting.remove(nick)
            self.confirmed.add(nick)
            self._settle()

    def left(self, nick: str, until: float) -> None:
        """This one left, and may serve what it has until then."""
        if nick in self.waiting:
            self._until[nick] = until

    def lost_sight(self) -> None:
        """This member is out of the room, which may forget the message until it is back."""
        self._until.clear()

    def in_sight(self) -> None:
        """It is back: who is here is asked again, who is not left before."""
        for nick, until in self._company.ghosts().items():
            self.left(nick, until)

    def lived(self, sent_at: float) -> None:
        """The room has taken what was sent then."""
        for nick in [nick for nick, until in self._until.items() if until <= sent_at]:
            del self._until[nick]
            self.done(nick)

    async def wait(self) -> None:
        """Until nobody is waited for; see `waiting` for who is missing even then."""
        await asyncio.shield(self._all)

    def end(self) -> None:
        """Nobody's answer is waited for any more, and who has not answered stays missing."""
        if not self._all.done():
            self._all.set_result(None)

    def _settle(self) -> None:
        if not self.waiting:
            self.end()


class Barriers:
    """Those of one member, by the number of the message."""

    def __init__(self) -> None:
        self._open: dict[int, Barrier] = {}

    def open(self, seq: int, what: Invalidation, company: Company) -> Barrier:
        """The room has taken message `seq`, while these were in it."""
        barrier = self._open[seq] = Barrier(what, company)
        return barrier

    def done(self, seq: int, nick: str) -> None:
        """A member has answered."""
        if (barrier := self._open.get(seq)) is not None:
            barrier.done(nick)

    def left(self, nick: str, until: float | None) -> None:
        """A member left, and may serve what it has until then; None: it left in peace, and serves nothing any more."""
        for barrier in self._open.values():
            if until is None:
                barrier.done(nick)
            else:
                barrier.left(nick, until)

    def lost_sight(self) -> None:
        """This member is out of the room."""
        for barrier in self._open.values():
            barrier.lost_sight()

    def in_sight(self) -> None:
        """It is in the room again, and the company knows who else is."""
        for barrier in self._open.values():
            barrier.in_sight()

    def lived(self, sent_at: float) -> None:
        """The room has taken what this member sent then, and has not been out of sight since."""
        for barrier in self._open.values():
            barrier.lived(sent_at)

    def unanswered(self) -> list[tuple[int, Invalidation]]:
        """The messages that somebody has not answered."""
        return [(seq, barrier.what) for seq, barrier in self._open.items() if barrier.waiting]

    def end(self) -> None:
        """This member leaves for good."""
        for barrier in self._open.values():
            barrier.end()

    def close(self, seq: int) -> None:
        """Its caller has gone on."""
        self._open.pop(seq, None)
