"""A backend of Django's cache framework, kept right by the bus. `pip install xmppd[bus-django]`

CACHES = {"default": {
    "BACKEND": "xmppd.client.bus.adapters.django.BusCache",
    "LOCATION": "cache@conference.example.org",
    "OPTIONS": {"JID": "web@example.org", "PASSWORD": "..."},
}}
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured

from xmppd.client.bus.asking import asked, given
from xmppd.client.bus.guard import Guard
from xmppd.client.bus.sync import SyncBus

__all__ = ["BusCache"]
_NO_COUNTERS: Final = "a cache that the bus keeps right holds what was loaded; count elsewhere"
_MISSED: Final = object()
_LOCK: Final = threading.Lock()
_BUSES: Final[dict[tuple[str, str], SyncBus]] = {}
_GUARDS: Final[dict[str, Guard]] = {}
"""By name, as Django's memory cache keeps its entries: each thread makes cache objects of its own for the same ones."""


class _Entries(MutableMapping[str, Any]):
    """What Django's memory cache holds, by its keys without prefix and version. A value goes together with its time."""

    def __init__(self, cache: LocMemCache) -> None:
        self._cache = cache
        self._prefix: str = cache.make_key("")

    def __getitem__(self, key: str) -> Any:
        return self._cache._cache[self._prefix + key]

    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError("set through the cache")

    def __delitem__(self, key: str) -> None:
        with self._cache._lock:
            if not self._cache._delete(self._prefix + key):
                raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        keys = [key for key in list(self._cache._cache) if key.startswith(self._prefix)]
        return iter([key.removeprefix(self._prefix) for key in keys])

    def __len__(self) -> int:
        return len(self._cache._cache)

    def clear(self) -> None:
        LocMemCache.clear(self._cache)


class BusCache(LocMemCache):  # type: ignore[misc]
    """The memory cache of each process, for what is loaded from elsewhere; LOCATION is the room.

    OPTIONS: JID, PASSWORD, and in capitals what `Settings` has besides. All caches of one JID and room share a member.
    A value is kept if the same thread or task has asked for its key before, as `get_or_set` does, and no invalidation
    of it came since. So it is no place for sessions or counters. `delete`, `delete_many` and `clear` tell all
    processes and return when the room has it; `clear` names everything, whatever cache it is in. Ids on the bus are
    Django's keys without prefix and version. Nothing is cached under another version than the cache's own.
    """

    def __init__(self, room: str, params: dict[str, Any]) -> None:
        options = dict(params.get("OPTIONS", {}))
        limits = {name: options.pop(name) for name in ("MAX_ENTRIES", "CULL_FREQUENCY") if name in options}
        if not {"JID", "PASSWORD"} <= set(options):
            raise ImproperlyConfigured("BusCache needs JID and PASSWORD in OPTIONS, and the room as LOCATION")
        if params.get("KEY_FUNCTION"):
            raise ImproperlyConfigured("BusCache takes no KEY_FUNCTION: ids on the bus are the keys themselves")
        name = f"{room} {options['JID']} {params.get('KEY_PREFIX', '')} {params.get('VERSION', 1)}"
        super().__init__(name, {**params, "OPTIONS": limits})
        with _LOCK:
            self.bus = _bus(room, options)
            if name not in _GUARDS:
                _GUARDS[name] = self.bus.guard(_Entries(self))
            self.guard = _GUARDS[name]

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        self.bus.awake()
        found = super().get(key, _MISSED, version) if self.guard.sure() else _MISSED
        if found is _MISSED and self._own(version):
            asked(self.guard, key)
        return default if found is _MISSED else found

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self.guard.sure() and bool(super().has_key(key, version))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with self.guard.lock:
            if self._own(version) and given(self.guard, key):
                super().set(key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self.guard.lock:
            kept = self._own(version) and given(self.guard, key)
            return kept and bool(super().add(key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        raise NotImplementedError(_NO_COUNTERS)

    def delete(self, key: str, version: int | None = None) -> bool:
        here = self.has_key(key, version)
        self.delete_many([key], version)
        return here

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        keys = list(keys)
        if keys and self._own(version):
            self.bus.invalidate(*keys)

    def clear(self) -> None:
        self.bus.invalidate(everything=True)

    def _own(self, version: int | None) -> bool:
        return version is None or version == self.version


def _bus(room: str, options: dict[str, Any]) -> SyncBus:
    """The one member of this process in this room."""
    rest = {name.lower(): value for name, value in options.items()}
    jid, password = rest.pop("jid"), rest.pop("password")
    if (jid, room) not in _BUSES:
        _BUSES[jid, room] = SyncBus(jid, password, room, **rest)
    return _BUSES[jid, room]
