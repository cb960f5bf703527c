"""The bus for programs with threads: Django, Flask, scripts. The bus itself runs on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, MutableMapping
from concurrent.futures import CancelledError, Future
from typing import Any, Final, Self, TypeVar

from .barrier import Receipt
from .bus import Bus, Listener
from .errors import BusClosed
from .guard import Guard
from .invalidation import invalidation
from .lru import Lru
from .stats import BusStats
from .sync_cache import SyncCache

T = TypeVar("T")
_CLOSED: Final = "the bus was closed"


class SyncBus:
    """As `Bus`, for any thread. The first use starts it; in a process that was forked off, the first use there.

        bus = SyncBus("web@example.org", "secret", "cache@conference.example.org")
        cache = bus.cache(ttl=3600)
        user = cache.get_or_load("user:42", load_user)
        bus.invalidate("user:42")

    Until it is in the room nothing is cached.
    """

    def __init__(self, jid: str, password: str, room: str, **settings: Any) -> None:
        self._arguments = (jid, password, room)
        self._settings = settings
        self._guards: list[Guard] = []
        self._caches: list[SyncCache] = []
        self._bus = Bus(jid, password, room, **settings)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(itself()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sure(self) -> bool:
        """Whether cached entries are served now."""
        return self._bus.sure

    @property
    def name(self) -> str:
        """What the room calls this member."""
        return self._bus.name

    @property
    def members(self) -> list[str]:
        """The names of the other members."""
        return self._bus.members

    @property
    def stats(self) -> BusStats:
        """Its counters."""
        return self._bus.stats

    def start(self, wait: float = 5.0) -> bool:
        """Begin, and wait up to so many seconds to be in the room; whether it is. BusRefused where it may not be."""
        self.awake()
        self._call(self._bus.start(wait))
        return self._call(self._bus.entered(0))

    def awake(self) -> None:
        """Have the thread run. Nothing is waited for, and nothing happens where the bus was closed."""
        if self._thread is None:
            with self._lock:
                self._launch()

    def _launch(self) -> None:
        if self._thread is None and not self._closed:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="xmppd-bus", daemon=True)
            self._thread.start()
            asyncio.run_coroutine_threadsafe(self._bus.start(0), self._loop)

    def close(self) -> None:
        """As `Bus.close`; the bus cannot be used again. BusClosed in threads that still wait for it."""
        with self._lock:
            thread = self._thread
            self._refuse_own(thread)
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None and thread is not None:
            try:
                asyncio.run_coroutine_threadsafe(self._bus.close(), loop).result()
            finally:
                loop.call_soon_threadsafe(loop.stop)
                thread.join()

    def invalidate(
        self,
        *keys: str,
        tags: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        everything: bool = False,
        confirm: bool = False,
        timeout: float = 5.0,
    ) -> Receipt:
        """As `Bus.invalidate`: blocks until the room has it, or with `confirm` until all have dropped it."""
        self.awake()
        what = invalidation(keys, tags, prefixes, everything=everything)
        self._bus.apply(what)
        return self._call(self._bus.publish(what, confirm=confirm, timeout=timeout))

    def cache(
        self, store: MutableMapping[str, Any] | None = None, *, most: int = 10_000, ttl: float | None = None
    ) -> SyncCache:
        """As `Bus.cache`, for threads."""
        cache = SyncCache(self.guard(Lru(most, ttl) if store is None else store), self.awake)
        self._caches.append(cache)
        return cache

    def guard(self, store: MutableMapping[str, Any]) -> Guard:
        """As `Bus.guard`."""
        guard = Guard(store, lambda: self._bus.sure)
        self.watch(guard)
        return guard

    def watch(self, guard: Guard) -> None:
        """Have a guard hear what is invalidated."""
        self._guards.append(guard)
        self._bus.watch(guard)

    def on_invalidate(self, listener: Listener) -> Listener:
        """As `Bus.on_invalidate`; called on the bus's thread or on that which invalidates."""
        return self._bus.on_invalidate(listener)

    def on_reset(self, listener: Callable[[str], object]) -> Callable[[str], object]:
        """As `Bus.on_reset`; called on the bus's thread."""
        return self._bus.on_reset(listener)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._begin(work).result()
        except CancelledError:
            raise BusClosed(_CLOSED) from None

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Under the lock, so that what has begun is ended by `close`."""
        with self._lock:
            try:
                self._refuse_own(self._thread)
                if self._loop is None:
                    raise BusClosed(_CLOSED)
                return asyncio.run_coroutine_threadsafe(work, self._loop)
            except BusClosed:
                work.close()
                raise

    def _refuse_own(self, thread: threading.Thread | None) -> None:
        if thread is threading.current_thread():
            raise BusClosed("the bus cannot be called from its own thread: listeners must not wait for it")

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(_ended(asyncio.all_tasks(loop)))
        finally:
            loop.close()

    def after_fork(self) -> None:
        """Begin anew in the new process, under another name. Nothing of what was cached before is served there."""
        if "name" in self._settings:
            self._settings = {**self._settings, "name": f"{self._settings['name']}-{os.getpid()}"}
        before, self._bus = self._bus, Bus(*self._arguments, **self._settings)
        self._lock = threading.Lock()
        self._loop = self._thread = None
        for guard in self._guards:
            guard.after_fork()
            self._bus.watch(guard)
        for cache in self._caches:
            cache.after_fork()
        before.hand_over(self._bus)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Nobody waits for ever for what the loop was about to do."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _forked(bus: SyncBus | None) -> None:
    if bus is not None:
        bus.after_fork()
