"""What is published together, and who waits for it."""

from __future__ import annotations

import asyncio
from typing import Final

from .barrier import Barrier
from .invalidation import EVERYTHING, Invalidation

MOST_GATHERED: Final = 100_000  # ids that wait for the room; past it they become one message that names everything
MOST_CHARACTERS: Final = 2_400_000  # of them, as many as 200 messages hold


class Batch:
    """Gathers invalidations until it is sent. `published` is set when the room has all its messages."""

    def __init__(self) -> None:
        self.confirm = False
        self.published: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.barriers: dict[int, Barrier] = {}
        self.under_way = 0
        self.waiting = 0  # callers that ask for confirmation and have not returned
        self._parts: list[Invalidation] = []
        self._characters = 0
        self.size = 0

    def add(self, what: Invalidation, *, confirm: bool) -> None:
        """One more."""
        self.confirm = self.confirm or confirm
        self.waiting += confirm
        self._parts.append(what)
        self.size += len(what)
        self._characters += sum(map(len, (*what.keys, *what.tags, *what.prefixes)))
        if self.size > MOST_GATHERED or self._characters > MOST_CHARACTERS:
            self._parts, self.size, self._characters = [EVERYTHING], 1, 0

    def messages(self) -> list[Invalidation]:
        """All of it, in parts that fit into messages."""
        if any(part.all for part in self._parts):
            return [EVERYTHING]
        whole = Invalidation(
            frozenset().union(*(part.keys for part in self._parts)),
            frozenset().union(*(part.tags for part in self._parts)),
            frozenset().union(*(part.prefixes for part in self._parts)),
        )
        self._parts.clear()
        return list(whole.split())
