"""The invalidation bus: web servers join one chat room; who changes a resource says its id, who hears it drops it.

    async with Bus("web@example.org", "secret", "cache@conference.example.org") as bus:
        cache = bus.cache(ttl=3600)
        user = await cache.get_or_load("user:42", load_user, tags=["team:7"])
        await bus.invalidate("user:42", confirm=True, timeout=1.0)

`SyncBus` is the same for threads. See docs/bus.md for what is promised.
"""

from .barrier import Receipt
from .bus import Bus
from .cache import Cache
from .errors import BusClosed, BusError, BusRefused, NotPublished
from .guard import MISSING, Guard
from .invalidation import Invalidation
from .lru import Lru
from .options import Settings
from .stats import BusStats, CacheStats
from .sync import SyncBus
from .sync_cache import SyncCache

__all__ = [
    "MISSING",
    "Bus",
    "BusClosed",
    "BusError",
    "BusRefused",
    "BusStats",
    "Cache",
    "CacheStats",
    "Guard",
    "Invalidation",
    "Lru",
    "NotPublished",
    "Receipt",
    "Settings",
    "SyncBus",
    "SyncCache",
]
