"""aiocache's memory cache, kept right by the bus. `pip install xmppd[bus-aiocache]`"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiocache import SimpleMemoryCache

from xmppd.client.bus.asking import asked, given
from xmppd.client.bus.bus import Bus

__all__ = ["BusMemoryCache"]
_NO_COUNTERS = "a cache that the bus keeps right holds what was loaded; count elsewhere"


class _Entries(dict[str, Any]):
    """What the cache holds; an entry that goes takes the timer with it that was to end it."""

    def __init__(self, timers: dict[str, asyncio.TimerHandle]) -> None:
        super().__init__()
        self._timers = timers

    def pop(self, key: str, default: Any = None) -> Any:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        return super().pop(key, default)

    def clear(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        super().clear()


class BusMemoryCache(SimpleMemoryCache):  # type: ignore[misc]
    """`SimpleMemoryCache(...)` with the bus as its first argument.

    A value is kept if the same task has asked for its key before, and no invalidation of it came since. So what
    `@cached` and `get` followed by `set` do is right; a `set` out of the blue is not kept. Keys on the bus are those
    of the cache, with their namespace. `delete` and `clear` concern this process only. It serves nothing while the bus
    is not sure.
    """

    def __init__(self, bus: Bus, **options: Any) -> None:
        super().__init__(**options)
        self._cache = _Entries(self._handlers)
        self.guard = bus.guard(self._cache)

    async def get(self, key: str, default: Any = None, *args: Any, namespace: str | None = None, **options: Any) -> Any:
        """As aiocache's."""
        value = await super().get(key, None, *args, namespace=namespace, **options)
        if value is None:
            asked(self.guard, self._name(key, namespace))
        return default if value is None else value

    async def multi_get(self, keys: list[str], *args: Any, namespace: str | None = None, **options: Any) -> list[Any]:
        """As aiocache's."""
        values: list[Any] = await super().multi_get(keys, *args, namespace=namespace, **options)
        for key, value in zip(keys, values, strict=True):
            if value is None:
                asked(self.guard, self._name(key, namespace))
        return values

    async def _get(self, key: str, *_: Any, **__: Any) -> Any:
        return self.guard.store.get(key) if self.guard.sure() else None

    async def _multi_get(self, keys: Iterable[str], *_: Any, **__: Any) -> list[Any]:
        return [await self._get(key) for key in keys]

    async def _exists(self, key: str, *_: Any, **__: Any) -> bool:
        return self.guard.sure() and key in self.guard.store

    async def _set(self, key: str, value: Any, *args: Any, **options: Any) -> Any:
        with self.guard.lock:
            return given(self.guard, key) and await super()._set(key, value, *args, **options)

    async def _increment(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(_NO_COUNTERS)

    async def _clear(self, namespace: str | None = None, *_: Any, **__: Any) -> bool:
        for key in [key for key in self.guard.store if key.startswith(namespace or "")]:
            await self._delete(key)
        return True

    def _name(self, key: str, namespace: str | None) -> str:
        name: str = self.build_key(key, namespace=self.namespace if namespace is None else namespace)
        return name
