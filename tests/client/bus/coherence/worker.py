"""One process of a trial: a member with a cache, readers that read through it, a writer of the keys it owns."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import random
import signal
import sys
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xmppd.client.bus import Bus, BusError, Invalidation

from .board import Board, Count
from .database import Database

log = logging.getLogger(__name__)
READERS = 4
WRITES = 0.001  # for each read, so that a busy machine does not change what can be hit


@dataclass(frozen=True)
class Task:
    """What a worker is told."""

    member: int
    members: int
    keys: int
    folder: str
    port: int
    room: str
    lease: float

    def text(self) -> str:
        return json.dumps(asdict(self))


class Worker:
    """Checks each of its own reads as it makes them."""

    def __init__(self, task: Task) -> None:
        folder = Path(task.folder)
        self.task = task
        self.board = Board(folder / "board", task.members, task.keys)
        self.database = Database(folder / "things.sqlite")
        account, times = f"m{task.member}@localhost", {"beat": task.lease / 4, "lease": task.lease, "keep": 10.0}
        self.bus = Bus(
            account, f"m{task.member}", task.room, name=f"m{task.member}", host="127.0.0.1", port=task.port,
            plaintext=True, patience=5.0, most_backoff=2.0, **times,
        )  # fmt: skip
        self.cache = self.bus.cache(most=task.keys)
        self._known = [0] * task.keys  # the version that was true when its last invalidation was heard
        self._published: deque[tuple[float, int, int]] = deque()
        self._copied: dict[Count, int] = {}

    async def run(self) -> None:
        """Until it is killed."""
        self.board.count(self.task.member, Count.STARTS)
        self.bus.on_invalidate(self._heard)
        async with self.bus, asyncio.TaskGroup() as group:
            for _ in range(READERS):
                group.create_task(self._read(group))
            group.create_task(self._settle())

    def _heard(self, what: Invalidation) -> None:
        if not (what.tags or what.prefixes or what.all):
            keys = [int(key.removeprefix("thing:")) for key in what.keys]
        else:
            keys = [key for key in range(self.task.keys) if what.names(name(key), tags(key))]
        for key in keys:
            self._known[key] = self.database.read(key)

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """Read what is popular more often, and write now and then."""
        while True:
            await asyncio.sleep(random.uniform(0, 0.02))
            for _ in range(8):
                await self._check(int(random.random() ** 2 * self.task.keys))
                if random.random() < WRITES:
                    self._write(group)

    async def _check(self, key: int) -> None:
        board, member = self.board, self.task.member
        least = {
            "heard": self._known[key],
            "confirmed": board.floor(member, key),
            "published a lease ago": board.settled(key),
        }
        quiet, hits = board.quiet, self.cache.stats.hits
        version = self.cache.get(name(key))
        if version is None:
            version = await self.cache.get_or_load(name(key), lambda: self._load(key), tags=tags(key))
            hits = self.cache.stats.hits
        hit = self.cache.stats.hits > hits
        board.count(member, Count.READS)
        board.count(member, Count.HITS, hit)
        board.count(member, Count.UNSURE, not self.bus.sure)
        if quiet and board.quiet:
            board.count(member, Count.QUIET_READS)
            board.count(member, Count.QUIET_HITS, hit)
        for why, floor in least.items():
            if version < floor:
                board.count(member, Count.VIOLATIONS)
                log.error("VIOLATION of %r: %d is %d, but had to be %d", why, key, version, floor)
                log.error("m%d, hit: %s, sure: %s, floors: %s, %s", member, hit, self.bus.sure, least, self.bus.stats)

    async def _load(self, key: int) -> int:
        """Read, and then dawdle, so that invalidations come in between."""
        version = self.database.read(key)
        await asyncio.sleep(random.uniform(0, 0.01))
        return version

    def _write(self, group: asyncio.TaskGroup) -> None:
        own = range(self.task.member, self.task.keys, self.task.members)
        if random.random() < 0.2:
            group.create_task(self._burst(own[0]))
        else:
            group.create_task(self._change(random.choice(own), random.random() < 0.4))

    async def _burst(self, key: int) -> None:
        """Change what is read most again and again, while it is being loaded."""
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(self._change(key, random.random() < 0.4))
                await asyncio.sleep(random.uniform(0, 0.012))

    async def _change(self, key: int, confirm: bool) -> None:
        keys, others = _named(key)
        version = self.database.write(key)
        self.board.count(self.task.member, Count.WRITES)
        try:
            receipt = await self.bus.invalidate(*keys, **others, confirm=confirm, timeout=random.uniform(0.5, 4.0))
        except BusError as error:
            log.info("%s", error)
            return
        self.board.count(self.task.member, Count.PUBLISHED)
        self._published.append((self.bus.settings.clock(), key, version))
        if confirm:
            log.info("%d: %d is confirmed by %s", key, version, ", ".join(sorted(receipt.confirmed)))
        for nick in (f"m{self.task.member}", *receipt.confirmed):
            self.board.raise_floor(int(nick.removeprefix("m")), key, version)
        self.board.count(self.task.member, Count.CONFIRMED, len(receipt.confirmed))
        self.board.count(self.task.member, Count.UNCONFIRMED, len(receipt.missing))

    async def _settle(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            before = self.bus.settings.clock() - self.task.lease * 1.01
            while self._published and self._published[0][0] < before:
                _, key, version = self._published.popleft()
                self.board.settle(key, version)
            self._copy()

    def _copy(self) -> None:
        stats = self.bus.stats
        values = {
            Count.RESETS: stats.resets,
            Count.HOLES: stats.holes,
            Count.CATCH_UPS: stats.catch_ups,
            Count.RECONNECTS: stats.reconnects,
        }
        for what, value in values.items():
            self.board.count(self.task.member, what, value - self._copied.get(what, 0))
        self._copied = values


def name(key: int) -> str:
    """Of the thing on the bus."""
    return f"thing:{key}"


def tags(key: int) -> tuple[str, ...]:
    """Each thing has one that it shares with a few."""
    return (f"shelf:{key % 50}",)


def _named(key: int) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Mostly by its key; else by its tag, by a prefix, or with everything."""
    chance = random.random()
    if chance < 0.004:
        return (), {"everything": True}
    if chance < 0.05:
        return (), {"prefixes": [name(key)]}
    return ((), {"tags": tags(key)}) if chance < 0.15 else ((name(key),), {})


def main() -> None:
    """Read the task from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s.%(msecs)03d %(name)s: %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("slixmpp").setLevel(logging.WARNING)
    faulthandler.register(signal.SIGUSR1)
    asyncio.run(Worker(Task(**json.loads(sys.argv[1]))).run())


if __name__ == "__main__":
    main()
