"""The other members, over all connections: who is in the room, and who left it without a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .members import Member

MOST_MEMBERS: Final = 10_000  # that are known; more are not waited for


class Company:
    """Who has to confirm. A member that left without a word may not know it yet, and serve until its lease is over.

    `left` is told of each that leaves, and whether in peace.
    """

    def __init__(self, clock: Callable[[], float], left: Callable[[Member, bool], None]) -> None:
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
        self._left(member, peaceful)
        if not peaceful:
            self._ghosts[nick] = member, self._clock() + member.lease
            while len(self._ghosts) > MOST_MEMBERS:
                del self._ghosts[next(iter(self._ghosts))]

    def lost_sight(self) -> None:
        """This member is out of the room itself."""
        for nick in list(self.here):
            self.left(nick, peaceful=False)

    def ghosts(self) -> list[Member]:
        """Those that left without a word and may still serve, each with what can be left of its lease."""
        now = self._clock()
        self._ghosts = {nick: ghost for nick, ghost in self._ghosts.items() if ghost[1] > now}
        return [replace(member, lease=until - now) for member, until in self._ghosts.values()]
