"""A backend of cashews, kept right by the bus. `pip install xmppd[bus-cashews]`

use(bus)
cache.setup("bus://?size=10000")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, Final

from cashews.backends.memory import Memory
from cashews.wrapper.backend_settings import register_backend

from xmppd.client.bus.asking import asked, given
from xmppd.client.bus.bus import Bus

__all__ = ["BusMemory", "use"]
_TAG: Final = "_tag:"  # before the name of a tag, in cashews' keys
_MISSED: Final = object()


class BusMemory(Memory):
    """cashews' memory backend. Tags on the bus are those of cashews, where this is its default backend.

    A value is kept if the same task has asked for its key before, as the decorators do, and no invalidation of it came
    since. What cashews itself stores, such as locks, is stored as ever; so is what is set with `exist`. `delete`
    concerns this process only.
    """

    def __init__(self, bus: Bus, **options: Any) -> None:
        super().__init__(**options)
        self.guard = bus.guard(self.store)

    async def get(self, key: str, default: Any = None) -> Any:
        value = await super().get(key, _MISSED) if self.guard.sure() else _MISSED
        if value is _MISSED:
            asked(self.guard, key)
        return default if value is _MISSED else value

    async def get_many(self, *keys: str, default: Any = None) -> tuple[Any, ...]:
        return tuple([await self.get(key, default) for key in keys])

    async def set(self, key: str, value: Any, expire: float | None = None, exist: bool | None = None) -> bool:
        if exist is not None:
            return await super().set(key, value, expire, exist)
        if self._serializer:
            value = await self._serializer.encode(self, key=key, value=value, expire=expire)
        with self.guard.lock:
            kept = given(self.guard, key)
            if kept:
                self._set(key, copy(value), expire)
            return kept

    async def set_many(self, pairs: Mapping[str, Any], expire: float | None = None) -> None:
        for key, value in pairs.items():
            await self.set(key, value, expire)

    # cashews keeps the keys of a tag as an entry of its own, which the store may drop before those that carry the tag

    async def set_add(self, key: str, *values: str, expire: float | None = None) -> None:
        if key.startswith(_TAG):
            for value in values:
                self.guard.tag(value, key.removeprefix(_TAG))
        else:
            await super().set_add(key, *values, expire=expire)

    async def set_remove(self, key: str, *values: str) -> None:
        if key.startswith(_TAG):
            self.guard.untag(values, key.removeprefix(_TAG))
        else:
            await super().set_remove(key, *values)

    async def set_pop(self, key: str, count: int = 100) -> Iterable[str]:
        if not key.startswith(_TAG):
            return await super().set_pop(key, count)
        tagged = self.guard.tagged(key.removeprefix(_TAG))[:count]
        self.guard.untag(tagged, key.removeprefix(_TAG))
        return tagged

    async def clear(self) -> None:
        self.store.clear()


def use(bus: Bus, alias: str = "bus") -> None:
    """Have cashews know this bus as `bus://`, or by another name."""
    register_backend(alias, lambda **options: BusMemory(bus, **options))
