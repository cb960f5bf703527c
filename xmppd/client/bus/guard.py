"""Stands before one store of cached values: gives out what is surely right, keeps what was loaded without a race."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, Final

from .fills import Fill, Fills
from .invalidation import Invalidation
from .stats import CacheStats
from .tags import Tags


class Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Guard:
    """One store, its tags and the loads for it. Safe for many threads; nothing in here waits for anything but the lock.

    `store` is any mapping from str; it may drop entries as it likes. `sure` says whether this member may serve.
    """

    def __init__(self, store: MutableMapping[str, Any], sure: Callable[[], bool]) -> None:
        self.lock = threading.RLock()
        self.store = store
        self.sure = sure
        self.stats = CacheStats()
        self._fills = Fills()
        self._tags = Tags()

    def look(self, key: str) -> Any:
        """The value that is cached and surely right, or MISSING."""
        with self.lock:
            value = self.store.get(key, MISSING) if self.sure() else MISSING
            if value is MISSING:
                self.stats.misses += 1
            else:
                self.stats.hits += 1
            return value

    def begin(self, key: str, tags: Iterable[str] | None = ()) -> Fill:
        """Say that a load begins, before it reads anything. `tags=None`: they will be known with the value."""
        with self.lock:
            return self._fills.begin(key, tags)

    def abandon(self, fill: Fill) -> None:
        """The load failed, or its value will not come."""
        with self.lock:
            self._fills.end(fill)

    def end(self, fill: Fill) -> bool:
        """The load has ended; whether its value may be cached. Hold the lock from here until that is done."""
        kept = self._fills.end(fill) and self.sure()
        self.stats.not_kept += not kept
        return kept

    def keep(self, fill: Fill, value: Any, tags: Iterable[str] | None = None) -> bool:
        """The load has ended: cache its value, unless an invalidation of it came in meanwhile.

        Nor where the store raises ValueError, as those of cachetools do for what is too large for them.
        """
        with self.lock:
            if not self.end(fill) or not self._put(fill.key, value):
                return False
            self._tags.put(fill.key, frozenset(fill.tags or () if tags is None else tags))
            self._tags.sweep(self.store.__contains__)
            return True

    def _put(self, key: str, value: Any) -> bool:
        try:
            self.store[key] = value
        except ValueError:
            self.stats.not_kept += 1
            return False
        return True

    def heard(self, what: Invalidation) -> None:
        """Drop what it names, and keep nothing of it that is being loaded."""
        with self.lock:
            self._fills.heard(what)
            if what.all:
                self.store.clear()
                self._tags.clear()
                return
            for key in (*what.keys, *self._tags.keys(what.tags), *self._under(tuple(what.prefixes))):
                self._tags.forget(key)
                if self.store.pop(key, MISSING) is not MISSING:
                    self.stats.dropped += 1

    def tag(self, key: str, tag: str) -> None:
        """An entry that is cached carries this tag too."""
        with self.lock:
            self._tags.add(key, tag)
            self._tags.sweep(self.store.__contains__)

    def untag(self, keys: Iterable[str], tag: str) -> None:
        """These do not carry it any more."""
        with self.lock:
            for key in keys:
                self._tags.remove(key, tag)

    def tagged(self, tag: str) -> list[str]:
        """The keys of entries that carry it; some may be gone."""
        with self.lock:
            return sorted(self._tags.keys([tag]))

    def after_fork(self) -> None:
        """A thread that is not in this process may have held the lock; what it loads does not come here."""
        self.lock = threading.RLock()
        self._fills = Fills()

    def _under(self, prefixes: tuple[str, ...]) -> list[str]:
        return [key for key in self.store if key.startswith(prefixes)] if prefixes else []
