"""The other members, over all connections: who is in the room, and who left it without a word."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from .members import Member

MOST_MEMBERS: Final = 10_000  # that are known; more are not waited for
_CLOCKS: Final = 1.01  # no two clocks run alike


class Company:
    """Who has to confirm. A member that left without a word may not know it yet, and serve until its lease is over.

    `left` is told the name of each that leaves, and until when it may serve: None for one that leaves in peace.
    """

    def __init__(self, clock: Callable[[], float], left: Callable[[str, float | None], None]) -> None:
        self.here: dict[str, Member] = {}
        self._left = left
        self._clock = clock
        self._ghosts: dict[str, tuple[Member, float]] = {}

    def came(self, member: Member) -> bool:
        """It is in the room, and has to catch up before it serves; whether it was not there before."""
        new = member.nick not in self.here
        if not new or len(self.here) < MOST_MEMBERS:
            self.here[member.nick] = member
        self._ghosts.pop(member.nick, None)
        return new

    def left(self, nick: str, *, peaceful: bool) -> None:
        """It is out of the room; in peace: it serves nothing any more."""
        member = self.here.pop(nick, None)
        if member is None:
            return
        until = None if peaceful else self._clock() + member.lease * _CLOCKS
        if until is not None:
            self._haunt(member, until)
        self._left(nick, until)

    def lost_sight(self) -> None:
        """This member is out of the room itself: unseen, others may stay, come back and renew their leases."""
        for member in [*self.here.values(), *(member for member, _ in self._living())]:
            self._haunt(member, math.inf)
        self.here.clear()

    def in_sight(self) -> None:
        """This member is in the room again, and those who are there have come: the others left before."""
        now = self._clock()
        for member, until in self._living():
            self._ghosts[member.nick] = member, min(until, now + member.lease * _CLOCKS)

    def ghosts(self) -> dict[str, float]:
        """Those that left without a word and may still serve, and until when."""
        return {member.nick: until for member, until in self._living()}

    def _living(self) -> list[tuple[Member, float]]:
        now = self._clock()
        self._ghosts = {nick: ghost for nick, ghost in self._ghosts.items() if ghost[1] > now}
        return list(self._ghosts.values())

    def _haunt(self, member: Member, until: float) -> None:
        self._ghosts[member.nick] = member, until
        while len(self._ghosts) > MOST_MEMBERS:
            del self._ghosts[next(iter(self._ghosts))]
