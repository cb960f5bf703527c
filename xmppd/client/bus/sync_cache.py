"""The cache that the bus keeps right, for threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from .fills import Fill
from .guard import MISSING, Guard
from .loads import TagsOf
from .stats import CacheStats


class _Flight:
    """One load under way, on the thread that asked first."""

    __slots__ = ("fill", "future", "number", "thread")

    def __init__(self, number: int, fill: Fill) -> None:
        self.number = number
        self.fill = fill
        self.future: Future[Any] = Future()
        self.thread = threading.get_ident()


class SyncCache:
    """As `Cache`, for any thread."""

    def __init__(self, guard: Guard, awake: Callable[[], None]) -> None:
        self.guard = guard
        self._awake = awake
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._count = 0

    @property
    def stats(self) -> CacheStats:
        """Its counters."""
        return self.guard.stats

    def get(self, key: str, default: Any = None) -> Any:
        """The cached value, or the default."""
        self._awake()
        value = self.guard.look(key)
        return default if value is MISSING else value

    def get_or_load(self, key: str, load: Callable[[], Any], *, tags: TagsOf = ()) -> Any:
        """As `Cache.get_or_load`. `load` must not ask for the same key: RuntimeError."""
        self._awake()
        value = self.guard.look(key)
        return self._join(key, load, tags) if value is MISSING else value

    def after_fork(self) -> None:
        """Loads of threads that are not in this process never end here."""
        self._lock = threading.Lock()
        self._flights = {}

    def _join(self, key: str, load: Callable[[], Any], tags: TagsOf) -> Any:
        arrived = self._count
        while True:
            sure = self.guard.sure()  # before the load is looked at: who becomes sure has spoiled what is old first
            with self._lock:
                flight = self._flights.get(key)
                own = flight is None or flight.fill.spoiled
                if flight is None or own:
                    self._count += 1
                    fill = self.guard.begin(key, None if callable(tags) else tags)
                    flight = self._flights[key] = _Flight(self._count, fill)
            if own:
                return self._run(flight, load, tags)
            if flight.thread == threading.get_ident():
                raise RuntimeError(f"the load of {key!r} asks for {key!r}")
            if flight.number > arrived or sure:
                return flight.future.result()
            wait([flight.future])

    def _run(self, flight: _Flight, load: Callable[[], Any], tags: TagsOf) -> Any:
        self.guard.stats.loads += 1
        try:
            value = load()
            self.guard.keep(flight.fill, value, tags(value) if callable(tags) else None)
            flight.future.set_result(value)
        except BaseException as error:
            self.guard.abandon(flight.fill)
            flight.future.set_exception(error)
            raise
        finally:
            with self._lock:
                if self._flights.get(flight.fill.key) is flight:
                    del self._flights[flight.fill.key]
        return value
