"""Entries that are being loaded, and whether an invalidation came in meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .invalidation import Invalidation

MOST_FILLS: Final = 10_000  # loads under way at once; past it the oldest is not cached when it ends


class Fill:
    """One load, from before it reads to when its value is kept. `tags` is None while they are not known.

    What is `spoiled` may be older than what is true now, and is for nobody who asks from now on.
    """

    __slots__ = ("key", "spoiled", "tags")

    def __init__(self, key: str, tags: frozenset[str] | None) -> None:
        self.key = key
        self.tags = tags
        self.spoiled = False


class Fills:
    """The loads under way."""

    def __init__(self) -> None:
        self._fills: dict[str, dict[Fill, None]] = {}
        self._all: dict[Fill, None] = {}

    def begin(self, key: str, tags: Iterable[str] | None) -> Fill:
        """A load begins."""
        fill = Fill(key, None if tags is None else frozenset(tags))
        self._all[fill] = None
        self._fills.setdefault(key, {})[fill] = None
        if len(self._all) > MOST_FILLS:
            oldest = next(iter(self._all))
            oldest.spoiled = True
            self.end(oldest)
        return fill

    def end(self, fill: Fill) -> bool:
        """It is over; False where its value may be older than what is true now, or where it was over before."""
        if fill not in self._all:
            return False
        del self._all[fill]
        same = self._fills[fill.key]
        del same[fill]
        if not same:
            del self._fills[fill.key]
        whole, fill.spoiled = not fill.spoiled, True  # nothing tells it of invalidations from now on
        return whole

    def heard(self, what: Invalidation) -> None:
        """Spoil what is named."""
        if what.all or what.tags or what.prefixes:
            for fill in self._all:
                fill.spoiled = fill.spoiled or what.names(fill.key, fill.tags)
            return
        for key in what.keys:
            for fill in self._fills.get(key, ()):
                fill.spoiled = True
