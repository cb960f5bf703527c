"""Runs a trial: starts everything, breaks it for a while, and says what was counted."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from operator import lt
from pathlib import Path
from typing import Final

from tests.client.bus.servers import ROOMS, Server

from .board import Board, Count
from .database import Database
from .proxy import Proxy
from .worker import Task

MEMBERS = 8
KEYS = 200
LEASE = 2.0
ROOT = Path(__file__).parents[4]
KINDS: Final = {
    "cut": 4, "reset": 4, "stall": 5, "one-way stall": 3, "member killed": 3, "member stopped": 3,
    "server restarted": 1, "room made anew": 1,
}  # fmt: skip
"""What breaks, and how often each in comparison. A storm begins with one of each."""
SETTLING = 3.0  # seconds from when all members are sure of what they serve until times are called quiet
RECOVERY = 30.0  # seconds that this may take them; a busy machine starts a member in some


@dataclass
class Report:
    """What came out."""

    counts: dict[str, int]
    breaks: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def quiet_hit_rate(self) -> float:
        return self.counts["quiet_hits"] / max(1, self.counts["quiet_reads"])

    def lines(self) -> list[str]:
        """For people."""
        counts = [f"{name.replace('_', ' '):>12} {value:>12,}" for name, value in self.counts.items()]
        broken = ", ".join(f"{kind} {count}" for kind, count in sorted(self.breaks.items()))
        return [*counts, f"quiet hit rate {self.quiet_hit_rate:.1%}", f"broken: {broken}", *self.complaints[:20]]


class Trial:
    """One server, its members, and a proxy for each."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.board = Board(folder / "board", MEMBERS, KEYS)
        self.proxies = [Proxy(server.port) for _ in range(MEMBERS)]
        self.breaks: Counter[str] = Counter()
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * MEMBERS
        self._complaints: list[str] = []
        self._one_at_a_time = asyncio.Lock()
        self._logs = [folder / f"m{member}.log" for member in range(MEMBERS)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything started, and ended at the end."""
        Database(self.folder / "things.sqlite", KEYS)
        self.server.provision([f"m{member}" for member in range(MEMBERS)])
        await self.server.start()
        for member, proxy in enumerate(self.proxies):
            await proxy.start()
            self._launch(member)
        try:
            yield
        finally:
            for member in range(MEMBERS):
                self._kill(member)
            for proxy in self.proxies:
                await proxy.stop()
            self.server.kill()

    async def calm(self, seconds: float) -> None:
        """Nothing breaks; once all members are sure of what they serve, and have loaded for a moment, it is quiet."""
        end = time.monotonic() + RECOVERY
        while not await self._are_sure() and time.monotonic() < end:
            pass
        await asyncio.sleep(SETTLING)
        self.board.quiet = True
        await asyncio.sleep(max(0.0, seconds - SETTLING))
        self.board.quiet = False

    async def _are_sure(self) -> bool:
        """Whether for a second each member had hits, and none was unsure."""
        hits, unsure = self.board.counted(Count.HITS), self.board.counted(Count.UNSURE)
        await asyncio.sleep(1)
        return unsure == self.board.counted(Count.UNSURE) and all(map(lt, hits, self.board.counted(Count.HITS)))

    async def storm(self, seconds: float) -> None:
        """Something breaks each second or so, often before the last thing is whole again: first one of each kind."""
        left = list(KINDS)
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < end:
                kind = random.choice(left) if left else random.choices(list(KINDS), list(KINDS.values()))[0]
                if left:
                    left.remove(kind)
                group.create_task(self._break(kind, left))
                await asyncio.sleep(random.expovariate(1.5))

    async def _break(self, kind: str, left: list[str]) -> None:
        """Count what happened; what there was nothing for to break is left to be done."""
        ways: dict[str, Callable[[], Coroutine[None, None, bool]]] = {
            "cut": self._cut,
            "reset": self._reset,
            "stall": self._stall,
            "one-way stall": self._stall_one_way,
            "member killed": self._kill_member,
            "member stopped": self._stop_member,
            "server restarted": self._restart_server,
            "room made anew": self._new_room,
        }
        if await ways[kind]():
            self.breaks[kind] += 1
        else:
            left.append(kind)

    def report(self) -> Report:
        """What was counted so far."""
        counts = {what.name.lower(): self.board.total(what) for what in Count}
        lines = [line for log in self._logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
        bad = [
            line
            for line in lines
            if "VIOLATION" in line or ", floors: {" in line or "a listener of the bus failed" in line
        ]
        return Report(counts, self.breaks, self._complaints + bad)

    async def _cut(self) -> bool:
        proxy = self._used_proxy()
        if proxy is not None:
            proxy.cut()
        return proxy is not None

    async def _reset(self) -> bool:
        proxy = self._used_proxy()
        if proxy is not None:
            proxy.reset()
        return proxy is not None

    async def _stall(self) -> bool:
        return await self._held(up=True, down=True)

    async def _stall_one_way(self) -> bool:
        up = random.random() < 0.5
        return await self._held(up=up, down=not up)

    async def _held(self, *, up: bool, down: bool) -> bool:
        proxy = self._used_proxy()
        if proxy is None:
            return False
        proxy.stall(up=up, down=down)
        await asyncio.sleep(random.uniform(0.1, 3 * LEASE))
        proxy.resume()
        return True

    def _used_proxy(self) -> Proxy | None:
        used = [proxy for proxy in self.proxies if proxy.used]
        return random.choice(used) if used else None

    async def _kill_member(self) -> bool:
        member = random.randrange(MEMBERS)
        if not self._kill(member):
            return False
        await asyncio.sleep(random.uniform(0, 2))
        self._launch(member)
        return True

    async def _stop_member(self) -> bool:
        process = random.choice(self._processes)
        if process is None:
            return False
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(random.uniform(0.1, 2 * LEASE))
        process.send_signal(signal.SIGCONT)
        return True

    async def _restart_server(self) -> bool:
        async with self._one_at_a_time:
            self.server.kill()
            await asyncio.sleep(random.uniform(0, 1))
            await self.server.start()
        return True

    async def _new_room(self) -> bool:
        """The server loses its rooms and their archives."""
        async with self._one_at_a_time:
            self.server.kill()
            self.server.forget_rooms()
            await self.server.start()
        return True

    def _launch(self, member: int) -> None:
        task = Task(member, MEMBERS, KEYS, str(self.folder), self.proxies[member].port, f"cache@{ROOMS}", LEASE)
        command = [sys.executable, "-m", "tests.client.bus.coherence.worker", task.text()]
        with self._logs[member].open("ab") as log:
            self._processes[member] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ)
            )

    def _kill(self, member: int) -> bool:
        process, self._processes[member] = self._processes[member], None
        if process is None:
            return False
        if process.poll() is not None:
            self._complaints.append(f"m{member} ended by itself; see its log")
        process.kill()
        process.wait()
        return True


async def run(server: Server, folder: Path, seconds: float) -> Report:
    """Quiet, storm, quiet; longer trials have many of them."""
    trial = Trial(server, folder)
    async with trial.running():
        rounds = max(1, round(seconds / 120))
        part = seconds / rounds
        for _ in range(rounds):
            await trial.calm(part * 0.2)
            await trial.storm(part * 0.5)
            await trial.calm(part * 0.3)
    return trial.report()


def clear(folder: Path) -> None:
    """Remove what a trial left."""
    shutil.rmtree(folder, ignore_errors=True)
