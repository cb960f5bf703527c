"""`functools.lru_cache`, kept right by the bus. Needs no other library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from xmppd.client.bus.bus import Bus
from xmppd.client.bus.invalidation import EVERYTHING
from xmppd.client.bus.lru import Lru
from xmppd.client.bus.sync import SyncBus

from .decorating import F, Named, remembering

__all__ = ["Counted", "lru_cache"]
T = TypeVar("T")


class Counted(NamedTuple):
    """As functools has it."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


def lru_cache(
    bus: Bus | SyncBus, key: Named, *, tags: Iterable[Named] = (), maxsize: int = 128, ttl: float | None = None
) -> Callable[[F], F]:
    """Decorates a function, or with a Bus a coroutine function.

    `key` and `tags` name its results on the bus: templates over its parameters, such as "user:{user_id}", or functions
    of its arguments. `cache_info()` and `cache_clear()`, which concerns this process only, are as with functools.
    """
    tags = tuple(tags)

    def decorate(function: F) -> F:
        store = Lru(maxsize, ttl)
        cache = bus.cache(store)
        decorated = remembering(function, cache, key, tags)
        stats = cache.stats
        decorated.cache_info = lambda: Counted(stats.hits, stats.misses, maxsize, len(store))  # type: ignore[attr-defined]
        decorated.cache_clear = lambda: cache.guard.heard(EVERYTHING)  # type: ignore[attr-defined]
        return decorated

    return decorate
