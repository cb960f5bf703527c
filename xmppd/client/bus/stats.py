"""Counters, for people and for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class CacheStats:
    """What one cache has done. `not_kept` are values that were loaded while an invalidation or a doubt came in."""

    hits: int = 0
    misses: int = 0
    loads: int = 0
    not_kept: int = 0
    dropped: int = 0

    @property
    def hit_rate(self) -> float:
        """Of all look-ups, 0 to 1."""
        return self.hits / max(1, self.hits + self.misses)


@dataclass(slots=True)
class BusStats:
    """What one member has done.

    `reconnects` counts entries to the room after the first; `resets` counts the one at the start, too.
    """

    published: int = 0
    heard: int = 0
    beats: int = 0
    holes: int = 0
    catch_ups: int = 0
    resets: int = 0
    reconnects: int = 0
    confirmed: int = 0
    unconfirmed: int = 0
