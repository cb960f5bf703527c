"""The server's sense of time: a clock that tests replace, and one timetable in place of many timers."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from itertools import count
from typing import Final

log = logging.getLogger(__name__)

TICK: Final = 1.0  # seconds between two looks at the timetable: no idle check, expiry or ping needs it finer


class Clock:
    """Wall time and steady time, both in seconds."""

    def time(self) -> float:
        """Seconds since 1970, for people and for storage."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump, for intervals."""
        return time.monotonic()


class Job:
    """Something due at a time; `cancel` it any time."""

    __slots__ = ("cancelled", "interval", "run")

    def __init__(self, run: Callable[[], Awaitable[None] | None], interval: float) -> None:
        self.run = run
        self.interval = interval
        self.cancelled = False

    def cancel(self) -> None:
        """Do not run it any more."""
        self.cancelled = True


class Timetable:
    """All that a server does by the clock. Jobs run up to `TICK` late; one that fails is logged and stays."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Job]] = []
        self._order = count()
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def every(self, seconds: float, run: Callable[[], Awaitable[None] | None]) -> Job:
        """Run it again and again, the first time after `seconds`."""
        return self._add(Job(run, seconds), seconds)

    def after(self, seconds: float, run: Callable[[], Awaitable[None] | None]) -> Job:
        """Run it once."""
        return self._add(Job(run, 0), seconds)

    def _add(self, job: Job, seconds: float) -> Job:
        heapq.heappush(self._due, (self._clock.monotonic() + seconds, next(self._order), job))
        return job

    def run_due(self) -> None:
        """Start what is due."""
        now = self._clock.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, job = heapq.heappop(self._due)
            if job.cancelled:
                continue
            if job.interval:
                heapq.heappush(self._due, (now + job.interval, next(self._order), job))
            self._start(job)

    def _start(self, job: Job) -> None:
        try:
            waiting = job.run()
        except Exception:
            log.exception("a periodic job failed")
            return
        if isawaitable(waiting):
            task = asyncio.ensure_future(_logged(waiting))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait for the jobs that run now."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def start(self) -> None:
        """Look at the timetable each `TICK` from now on."""
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        self.run_due()
        self.start()

    async def stop(self) -> None:
        """Start nothing more, end what runs."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()
        for task in list(self._running):
            task.cancel()
        await self.settle()


async def _logged(waiting: Awaitable[None]) -> None:
    try:
        await waiting
    except Exception:
        log.exception("a periodic job failed")
