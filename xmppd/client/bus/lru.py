"""The store that is used where none is given."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any


class Lru(MutableMapping[str, Any]):
    """At most `most` entries, each for at most `ttl` seconds (None: for ever); the least recently used goes first.

    A ttl bounds what an invalidation that nobody sent can do, say by a process that died between write and publish.
    """

    def __init__(
        self, most: int = 10_000, ttl: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._most = most
        self._ttl = ttl
        self._clock = clock

    def __getitem__(self, key: str) -> Any:
        until, value = self._entries[key]
        if self._ttl is not None and self._clock() >= until:
            del self._entries[key]
            raise KeyError(key)
        self._entries.move_to_end(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        self._entries[key] = (0.0 if self._ttl is None else self._clock() + self._ttl), value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def __delitem__(self, key: str) -> None:
        del self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def clear(self) -> None:
        self._entries.clear()
