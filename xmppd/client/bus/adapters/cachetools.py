"""cachetools' decorator and caches, kept right by the bus. `pip install xmppd[bus-cachetools]`"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cachetools import Cache

from xmppd.client.bus.bus import Bus
from xmppd.client.bus.sync import SyncBus

from .decorating import F, Named, remembering

__all__ = ["cached"]


def cached(bus: Bus | SyncBus, cache: Cache[str, Any], key: Named, *, tags: Iterable[Named] = ()) -> Callable[[F], F]:
    """As `cachetools.cached(cache, key)`: any cache of cachetools holds what a function or coroutine function returns.

    `key` and `tags` name the results on the bus; see `lru_cache`. The cache must not be used beside this, except to
    look at it; `bus.cache(cache)` gives the same without a decorator.
    """
    tags = tuple(tags)

    def decorate(function: F) -> F:
        return remembering(function, bus.cache(cache), key, tags)

    return decorate
