"""Who has still to confirm: the barriers of what was published over HTTP, and how long those of members take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

MOST_WATCHED: Final = 1000  # barriers of members in one room that are timed at once; the oldest is given up
# Read from the bytes as they pass: a figure is not worth opening letters.
_ASKS: Final = re.compile(rb"""<invalidate\b[^>]*\bconfirm=['"](?:true|1)['"]""")
_SEQ: Final = re.compile(rb"""<(?:invalidate|done)\b[^>]*\bseq=['"](\d{1,15})['"]""")


class Barrier:
    """One publication, of one or more messages, and the members that have not confirmed each of them.

    `leases` has those that left without a word, and until when they may serve what they have.
    """

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.leases: dict[str, float] = {}
        self._waiting: set[tuple[int, str]] = set()
        self._closed = asyncio.Event()
        self._said = False

    def expect(self, seq: int, nicks: Iterable[str], leases: Mapping[str, float]) -> None:
        """A message is said, while these members are in the room and those leases not over."""
        self.leases |= leases
        for nick in (*nicks, *leases):
            self.members.add(nick)
            self._waiting.add((seq, nick))

    def complete(self) -> None:
        """All messages are said."""
        self._said = True
        self._settle()

    def done(self, seq: int, nick: str) -> None:
        """A member has confirmed one."""
        self._waiting.discard((seq, nick))
        self._settle()

    def gone(self, nick: str) -> None:
        """It serves nothing any more."""
        self._waiting = {waiting for waiting in self._waiting if waiting[1] != nick}
        self._settle()

    def left(self, nick: str, until: float) -> None:
        """It left without a word, and may serve until then."""
        if nick in self.missing:
            self.leases[nick] = until

    def expire(self, now: float) -> None:
        """Leases run out."""
        for nick in [nick for nick, until in self.leases.items() if until <= now]:
            del self.leases[nick]
            self.gone(nick)

    @property
    def missing(self) -> list[str]:
        """The members that have not confirmed."""
        return sorted({nick for _, nick in self._waiting})

    @property
    def confirmed(self) -> list[str]:
        """Those that have."""
        return sorted(self.members.difference(self.missing))

    async def wait(self, seconds: float) -> None:
        """Until nobody is missing, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    def close(self) -> None:
        """Nobody is to wait any more."""
        self._closed.set()

    def _settle(self) -> None:
        if self._said and not self._waiting:
            self._closed.set()


class Watched:
    """Times the barriers of members, from the bytes of what they say."""

    def __init__(self, clock: Callable[[], float], took: Callable[[float], object]) -> None:
        self._clock = clock
        self._took = took
        self._open: dict[tuple[str, bytes], tuple[float, int]] = {}  # when it was said, and how many are to answer

    def said(self, nick: str, message: Any, members: int) -> None:
        """A member of this nick says it; so many others have to confirm it where it asks for that."""
        if _ASKS.search(message.letter) and (found := _SEQ.search(message.letter)) and members > 0:
            self._open[nick, found[1]] = self._clock(), members
            if len(self._open) > MOST_WATCHED:
                del self._open[next(iter(self._open))]

    def confirmed(self, nick: str, message: Any) -> None:
        """The member of this nick is told so by one other."""
        found = _SEQ.search(message.letter)
        key = nick, found[1] if found else b""
        began, left = self._open.pop(key, (0.0, 0))
        if left > 1:
            self._open[key] = began, left - 1
        elif left:
            self._took(self._clock() - began)
