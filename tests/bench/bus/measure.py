"""Times and counts: from publishing to the last cache, one key after another and many at once."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bus.ways import Way
from tests.bench.meter import Meter
from tests.bench.probe import Probe

_PATIENCE = 120.0


@dataclass(frozen=True)
class Load:
    """Members; keys published one after another, and by each member on its own, all members at once."""

    members: int = 20
    singly: int = 1000
    each: int = 200
    windows: int = 3


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


def measure(kind: type[Way], load: Load) -> Cost:
    """Start it, measure it, stop it."""
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        way = kind(home, watch.applied)
        way.start(load.members)
        try:
            return asyncio.run(_measure(way, watch, load))
        finally:
            way.stop()


async def _measure(way: Way, watch: Watch, load: Load) -> Cost:
    await way.enter(load.members)
    gc.collect()
    gc.disable()
    try:
        await _singly(way, watch, load, "warm", min(load.singly, 100))
        watch.times.clear()
        watch.last.clear()
        began = time.process_time()
        await _singly(way, watch, load, "one", load.singly)
        member = (time.process_time() - began) * 1e6 / (load.singly * load.members)
        times, last = sorted(watch.times), statistics.median(watch.last)
        rate, copy = await _together(way, watch, load)
    finally:
        gc.enable()
        await way.leave()
    return Cost(statistics.median(times), times[int(len(times) * 0.99)], last, member, rate, copy)


async def _singly(way: Way, watch: Watch, load: Load, name: str, number: int) -> None:
    for index in range(number):
        await _one(way, watch, load, 0, f"{name}:{index}")


async def _one(way: Way, watch: Watch, load: Load, member: int, key: str) -> None:
    _fill(way.caches, key)
    done = watch.sent(member, key, load.members - 1)
    await way.publish(member, key)
    await asyncio.wait_for(done, _PATIENCE)


def _fill(caches: Sequence[dict[str, int]], key: str) -> None:
    for cache in caches:
        cache[key] = 1


async def _together(way: Way, watch: Watch, load: Load) -> tuple[float, float]:
    """Every member publishes its next key when all others have dropped the one before."""
    rates, copies = [], []
    with Probe() as probe:
        meter = Meter(way.pid, probe)
        for window in range(load.windows + 1):
            began = time.perf_counter()
            with meter:
                await asyncio.gather(*(_many(way, watch, load, member, window) for member in range(load.members)))
            messages = load.each * load.members
            rates.append(messages / (time.perf_counter() - began))
            copies.append(meter.take(messages * load.members).figure)
    return statistics.median(rates[1:]), statistics.median(copies[1:])


async def _many(way: Way, watch: Watch, load: Load, member: int, window: int) -> None:
    for index in range(load.each):
        await _one(way, watch, load, member, f"{member}:{window}:{index}")
