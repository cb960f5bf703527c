"""The cache that the bus keeps right, for asyncio."""

from __future__ import annotations

from typing import Any

from .guard import MISSING, Guard
from .loads import Load, Loads, TagsOf
from .stats import CacheStats


class Cache:
    """Values by key, loaded when they are asked for. Any value may be cached, None too. For one event loop."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._loads = Loads(guard)

    @property
    def stats(self) -> CacheStats:
        """Its counters."""
        return self.guard.stats

    async def get_or_load(self, key: str, load: Load, *, tags: TagsOf = ()) -> Any:
        """The cached value, or what `load()` returns, which is then cached.

        What was loaded while an invalidation of it came in is returned, but not cached. Many who ask for one key at
        once share one load; an error of it is raised to all of them. `tags` may be a function of the value; then
        any invalidation of a tag that comes in meanwhile keeps it from being cached.
        """
        value = self.guard.look(key)
        if value is MISSING:
            value = await self._loads.join(key, load, tags)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The cached value, or the default."""
        value = self.guard.look(key)
        return default if value is MISSING else value
