"""A backend of dogpile.cache, kept right by the bus. `pip install xmppd[bus-dogpile]`

region = make_region().configure("xmppd.bus", arguments={"bus": SyncBus(...)})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dogpile.cache import register_backend
from dogpile.cache.api import NO_VALUE, CacheBackend

from xmppd.client.bus.asking import asked, given
from xmppd.client.bus.guard import MISSING
from xmppd.client.bus.lru import Lru
from xmppd.client.bus.sync import SyncBus

__all__ = ["BusBackend"]


class BusBackend(CacheBackend):
    """Arguments: `bus`, a SyncBus; `most` entries, 10,000 if not given.

    Keys on the bus are the region's keys, after its `key_mangler` if it has one. A value is kept if the same thread
    has asked for its key before, as `get_or_create` does, and no invalidation of it came since. `delete` concerns this
    process only.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        bus: SyncBus = arguments["bus"]
        self._awake = bus.awake
        self.guard = bus.guard(Lru(arguments.get("most", 10_000)))

    def get(self, key: str) -> Any:
        """The region may find a value too old, and then it loads; so each question may be the beginning of a load."""
        self._awake()
        value = self.guard.look(key)
        asked(self.guard, key)
        return NO_VALUE if value is MISSING else value

    def get_multi(self, keys: Iterable[str]) -> Sequence[Any]:
        return [self.get(key) for key in keys]

    def set(self, key: str, value: Any) -> None:
        with self.guard.lock:
            if given(self.guard, key):
                self.guard.store[key] = value

    def set_multi(self, mapping: Mapping[str, Any]) -> None:
        for key, value in mapping.items():
            self.set(key, value)

    def delete(self, key: str) -> None:
        with self.guard.lock:
            self.guard.store.pop(key, None)

    def delete_multi(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.delete(key)


register_backend("xmppd.bus", __name__, "BusBackend")  # type: ignore[no-untyped-call]
