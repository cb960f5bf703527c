"""Times and counts: from publishing to the last cache, one key after another and many at once."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bus.ways import Way
from tests.bench.meter import Meter
from tests.bench.probe import Probe

_PATIENCE = 120.0


@dataclass(frozen=True)
class Load:
    """Members; keys of a window, published one after another, or by each of the members at once; windows."""

    members: int = 20
    singly: int = 200
    each: int = 100
    windows: int = 7


QUICK = Load(members=3, singly=20, each=5, windows=1)


@dataclass(frozen=True)
class Cost:
    """Seconds from publishing to being applied at another member; keys a second; CPU µs of a member and the server."""

    median: float
    high: float
    all_median: float
    member: float
    rate: float
    copy: float


class Watch:
    """Notes when members apply keys. The publisher's own cache drops a key without waiting, so it is not timed."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.last: list[float] = []
        self._sent: dict[str, tuple[int, float]] = {}
        self._missing: dict[str, int] = {}
        self._all: dict[str, asyncio.Future[None]] = {}

    def sent(self, member: int, key: str, readers: int) -> asyncio.Future[None]:
        """A member publishes it now; the future is done when so many others have applied it."""
        self._missing[key] = readers
        self._all[key] = asyncio.get_running_loop().create_future()
        self._sent[key] = member, time.perf_counter()
        return self._all[key]

    def applied(self, member: int, key: str) -> None:
        """A member has dropped it."""
        publisher, began = self._sent.get(key, (member, 0.0))
        if member == publisher:
            return
        took = time.perf_counter() - began
        self.times.append(took)
        self._missing[key] -= 1
        if not self._missing[key]:
            self.last.append(took)
            del self._sent[key], self._missing[key]
            self._all.pop(key).set_result(None)


class Run:
    """One way under measurement: its server, its members, and what was measured so far."""

    def __init__(self, kind: type[Way], folder: Path) -> None:
        self.watch = Watch()
        self.way = kind(folder, self.watch.applied)
        self.cpu = 0.0
        self.rates: list[float] = []
        self.copies: list[float] = []

    def cost(self, load: Load) -> Cost:
        """All of it."""
        times, last = sorted(self.watch.times), statistics.median(self.watch.last)
        member = self.cpu * 1e6 / (load.singly * load.windows * load.members)
        high = times[int(len(times) * 0.99)]
        rate, copy = statistics.median(self.rates), statistics.median(self.copies)
        return Cost(statistics.median(times), high, last, member, rate, copy)


def measure(kinds: Sequence[type[Way]], load: Load) -> dict[type[Way], Cost]:
    """Start all of them and measure each in turn, again and again: whatever disturbs the machine disturbs them all."""
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as folder, ExitStack() as stack:
        runs = []
        for number, kind in enumerate(kinds):
            home = Path(folder) / str(number)
            home.mkdir()
            runs.append(Run(kind, home))
            stack.callback(runs[-1].way.stop)
            runs[-1].way.start(load.members)
        asyncio.run(_measure(runs, load))
        return {type(run.way): run.cost(load) for run in runs}


async def _measure(runs: Sequence[Run], load: Load) -> None:
    async with AsyncExitStack() as stack:
        for run in runs:
            stack.push_async_callback(run.way.leave)
            await run.way.enter(load.members)
            await _singly(run, load, "warm")
            run.watch.times.clear()
            run.watch.last.clear()
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        probe = stack.enter_context(Probe())
        for window in range(load.windows):
            for run in runs:
                began = time.process_time()
                await _singly(run, load, f"one:{window}")
                run.cpu += time.process_time() - began
        for run in runs:
            await _together(run, load, Meter(run.way.pid, probe))


async def _singly(run: Run, load: Load, name: str) -> None:
    for index in range(load.singly):
        await _one(run, load, 0, f"{name}:{index}")


async def _one(run: Run, load: Load, member: int, key: str) -> None:
    for cache in run.way.caches:
        cache[key] = 1
    done = run.watch.sent(member, key, load.members - 1)
    await run.way.publish(member, key)
    await asyncio.wait_for(done, _PATIENCE)


async def _together(run: Run, load: Load, meter: Meter) -> None:
    """Every member publishes its next key when all others have dropped the one before."""
    timed = len(run.watch.times), len(run.watch.last)
    for window in range(load.windows + 1):
        began = time.perf_counter()
        with meter:
            await asyncio.gather(*(_many(run, load, member, window) for member in range(load.members)))
        messages = load.each * load.members
        rate, copy = messages / (time.perf_counter() - began), meter.take(messages * load.members).figure
        if window:  # the first one warms up
            run.rates.append(rate)
            run.copies.append(copy)
    del run.watch.times[timed[0] :], run.watch.last[timed[1] :]


async def _many(run: Run, load: Load, member: int, window: int) -> None:
    for index in range(load.each):
        await _one(run, load, member, f"{member}:{window}:{index}")
