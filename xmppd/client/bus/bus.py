"""The bus of one process: joins the room, publishes, and keeps its caches right."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, Self

from .barrier import Receipt
from .batch import Batch
from .cache import Cache
from .errors import BusClosed, NotPublished
from .guard import Guard
from .invalidation import EVERYTHING, Invalidation, invalidation
from .lru import Lru
from .options import Settings
from .running import Running
from .stats import BusStats
from .wire import Heard

log = logging.getLogger(__name__)
Listener = Callable[[Invalidation], object]


class Bus:
    """A member of one room; see `Settings` for what else it takes.

        async with Bus("web@example.org", "secret", "cache@conference.example.org") as bus:
            cache = bus.cache(ttl=3600)
            user = await cache.get_or_load("user:42", load_user)
            await bus.invalidate("user:42")

    Promised, once it is in the room: an entry named by an invalidation that reached the room is not served more than
    `lease` seconds later, whatever breaks; and not at all after its publisher was told that this member confirmed it.
    """

    def __init__(self, jid: str, password: str, room: str, **settings: Any) -> None:
        self.settings = Settings(jid, password, room, **settings)
        self.stats = BusStats()
        self._guards: list[Guard] = []
        self._listeners: list[Listener] = []
        self._on_reset: list[Callable[[str], object]] = []
        self._running: Running | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def sure(self) -> bool:
        """Whether cached entries are served now. Any thread may ask."""
        running = self._running  # another thread may close it meanwhile
        return running is not None and running.lease.sure

    @property
    def name(self) -> str:
        """What the room calls this member."""
        running = self._running
        room = running and running.room
        return room.name if room else self.settings.name

    @property
    def members(self) -> list[str]:
        """The names of the other members in the room, as far as this one knows."""
        running = self._running
        return [] if running is None else sorted(running.company.here)

    async def start(self, wait: float = 5.0) -> None:
        """Begin, and wait up to so many seconds to be in the room.

        Returns also where it is not: then nothing is cached until it is. BusRefused where the server or the room says
        that this member may not come in.
        """
        if self._running is None:
            self._running = Running(self.settings, self.stats, self._heard, self._reset)
            self._task = asyncio.create_task(self._running.run())
        if not await self.entered(wait) and self._running.refusal is not None and self._running.refused.is_set():
            refusal = self._running.refusal
            await self.close()
            raise refusal

    async def entered(self, wait: float) -> bool:
        """Wait up to so many seconds to be in the room; whether it is."""
        running = self._alive()
        tasks = [asyncio.create_task(event.wait()) for event in (running.entered, running.refused)]
        try:
            await asyncio.wait(tasks, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return running.entered.is_set()

    async def close(self) -> None:
        """Publish what waits, as far as the room takes it in a second; empty the caches, leave the room, disconnect.

        Who waits for members is told who is missing; who waits for the room, BusClosed.
        """
        if self._running is None or self._task is None:
            return
        running, task, self._task = self._running, self._task, None
        try:
            await self._drain(running)
        finally:
            self._end(running, task)
        await asyncio.wait({task})

    def _end(self, running: Running, task: asyncio.Task[None]) -> None:
        """Whatever happens to who closes it, nothing goes on."""
        self._running = None
        running.lease.shut()
        self._reset_caches()
        if running.room is not None:
            running.room.leave()
        task.cancel()
        running.outbox.close()

    async def _drain(self, running: Running) -> None:
        waiting = running.outbox.unpublished() if running.entered.is_set() else set()
        if waiting:
            await asyncio.wait(waiting, timeout=1.0)

    async def invalidate(
        self,
        *keys: str,
        tags: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        everything: bool = False,
        confirm: bool = False,
        timeout: float = 5.0,  # noqa: ASYNC109 - a receipt says what came in time
    ) -> Receipt:
        """Have every member drop these. Call it after the change is committed where others read it.

        Own caches drop them at once. Returns when the room has it, with `confirm` when every member that was in the
        room has dropped them; the receipt names those that have not after `timeout` seconds. NotPublished where the
        room has not even taken it by then; the bus goes on trying.
        """
        what = invalidation(keys, tags, prefixes, everything=everything)
        self.apply(what)
        return await self.publish(what, confirm=confirm, timeout=timeout)

    async def publish(self, what: Invalidation, *, confirm: bool, timeout: float) -> Receipt:  # noqa: ASYNC109
        """As `invalidate`, for an invalidation that is made already, and that this process has applied."""
        running = self._alive()
        batch = running.outbox.add(what, confirm=confirm)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(batch.published)
                for barrier in list(batch.barriers.values()) if confirm else ():
                    await barrier.wait()
        except TimeoutError:
            if not batch.published.done():
                raise NotPublished(f"the room has not taken it in {timeout:g} seconds; trying on") from None
        finally:
            receipt = self._receipt(running, batch) if confirm else Receipt()
        self.stats.published += 1
        return receipt

    def _receipt(self, running: Running, batch: Batch) -> Receipt:
        missing = {nick for barrier in batch.barriers.values() for nick in barrier.waiting}
        confirmed = {nick for barrier in batch.barriers.values() for nick in barrier.confirmed} - missing
        batch.waiting -= 1
        if not batch.waiting:
            for seq in batch.barriers:
                running.outbox.barriers.close(seq)
        self.stats.confirmed += len(confirmed)
        self.stats.unconfirmed += len(missing)
        return Receipt(frozenset(confirmed), frozenset(missing))

    def cache(
        self, store: MutableMapping[str, Any] | None = None, *, most: int = 10_000, ttl: float | None = None
    ) -> Cache:
        """A cache that the bus keeps right: over a mapping from str, or an LRU of `most` entries and `ttl` seconds.

        Make it once: it lives as long as the bus.
        """
        return Cache(self.guard(Lru(most, ttl) if store is None else store))

    def guard(self, store: MutableMapping[str, Any]) -> Guard:
        """What stands before a store of cached values; adapters are made of it."""
        guard = Guard(store, lambda: self.sure)
        self.watch(guard)
        return guard

    def watch(self, guard: Guard) -> None:
        """Have a guard hear what is invalidated."""
        self._guards.append(guard)

    def hand_over(self, other: Bus) -> None:
        """Give one's listeners to another bus that takes this one's place."""
        other._listeners, other._on_reset = self._listeners, self._on_reset

    def on_invalidate(self, listener: Listener) -> Listener:
        """Call it with each Invalidation, one's own too, and with one that names everything at a reset.

        It must be quick, and may be called from any thread. Where it raises, this member does not confirm.
        """
        self._listeners.append(listener)
        return listener

    def on_reset(self, listener: Callable[[str], object]) -> Callable[[str], object]:
        """Call it with the reason when everything was dropped because something may have been missed."""
        self._on_reset.append(listener)
        return listener

    def apply(self, what: Invalidation) -> bool:
        """Drop it in this process only; False where a listener failed. Any thread may call it."""
        for guard in self._guards:
            guard.heard(what)
        told = [self._told(listener, what) for listener in self._listeners]
        return all(told)

    def _heard(self, message: Heard) -> bool:
        self.stats.heard += 1
        return self.apply(message.invalidation)

    def _reset_caches(self) -> None:
        self.apply(EVERYTHING)

    def _reset(self, why: str) -> None:
        self._reset_caches()
        self.stats.resets += 1
        log.info("%s: everything dropped: %s", self.settings.room, why)
        for listener in self._on_reset:
            self._told(listener, why)

    def _told(self, listener: Callable[[Any], object], what: object) -> bool:
        try:
            listener(what)
        except Exception:
            log.exception("a listener of the bus failed")
            return False
        return True

    def _alive(self) -> Running:
        if self._running is None:
            raise BusClosed("the bus is not running: use `async with bus`, or `await bus.start()`")
        return self._running
