"""The whole test: people talk, the network and the server fail at random, then everything is counted."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xmppd.modules.offline.record import unpack

from .book import Book
from .device import GONE, Device
from .lives import Lives
from .proxy import Link, Proxy

DEVICES: Final = ("phone", "desk", "game")
PAUSE: Final = 0.15  # seconds between two failures of the network, on average
CALM: Final = 40.0  # seconds for everybody to come home at the end


@dataclass(frozen=True)
class Plan:
    """What is to happen."""

    seconds: float
    seed: int = 1
    clients: int = 50
    archive: bool = True
    pace: float = 0.4  # seconds between two messages of one client
    lives: tuple[float, float] = (6.0, 14.0)  # seconds from one start of the server to its death


class Chaos:
    """One run."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        self.book = Book()
        self.lives = Lives(folder, archive=plan.archive)
        self.proxy = Proxy(self.lives.port)
        self.devices = self._people()
        self._repairs: set[asyncio.Task[None]] = set()

    def _people(self) -> list[Device]:
        """Half of the accounts have one device, the others two or three."""
        sizes: list[int] = []
        while sum(sizes) < self.plan.clients:
            sizes.append(min(self.chance.choice((1, 1, 2, 3)), self.plan.clients - sum(sizes)))
        names = [f"user{number}" for number in range(len(sizes))]
        devices = []
        for name, size in zip(names, sizes, strict=True):
            others = self.chance.sample([other for other in names if other != name], min(3, len(names) - 1))
            contacts = [f"{other}@localhost" for other in others]
            if self.plan.archive:  # else what comes for a device before it has enabled XEP-0198 is in a socket alone
                contacts.append(f"{contacts[0]}/{DEVICES[0]}")
            for device in DEVICES[:size]:
                chance = random.Random(self.chance.random())
                made = Device(self.book, name, device, contacts, chance)
                made.pace, made.archived = self.plan.pace, self.plan.archive
                devices.append(made)
        return devices

    async def run(self) -> None:
        """Begin to end; the book has it all then."""
        await self.lives.prepare({device.account for device in self.devices})
        await self.proxy.open()
        await self._live()
        living = [asyncio.create_task(device.live(self.proxy.port)) for device in self.devices]
        for device in self.devices:
            device.talking.set()
        failing = asyncio.create_task(self._fail())
        try:
            await self._die_and_live()
        finally:
            failing.cancel()
            await asyncio.gather(failing, return_exceptions=True)
        await self._calm()
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        await self._go_home()

    async def close(self) -> None:
        """Whatever happened."""
        await self.proxy.close()
        await self.lives.end()

    # The server

    async def _live(self) -> None:
        await self.lives.begin()
        for device in self.devices:
            device.life = self.lives.number

    async def _die_and_live(self) -> None:
        end = time.monotonic() + self.plan.seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, self.chance.uniform(*self.plan.lives)))
            if end - time.monotonic() > 2:
                await self.lives.end(signal.SIGKILL)
                self.book.counts["times the server was killed"] += 1
                await self._live()

    # The network

    async def _fail(self) -> None:
        failures: list[Callable[[Link], None]] = [self._stall, self._hold, self._cut, self._reset, self._double]
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / PAUSE))
            links = [link for link in self.proxy.links if not link.closed and link.server is not None]
            if links:
                self.chance.choice(failures)(self.chance.choice(links))

    def _stall(self, link: Link) -> None:
        self.book.counts["connections stalled"] += 1
        link.stall()
        self._later(self.chance.uniform(0.1, 3), link.go_on)

    def _hold(self, link: Link) -> None:
        self.book.counts["connections whose acknowledgements were held back"] += 1
        link.hold_back()
        self._later(self.chance.uniform(0.5, 4), self.chance.choice((link.go_on, link.cut, link.reset)))

    def _cut(self, link: Link) -> None:
        self.book.counts["connections cut"] += 1
        link.cut()

    def _reset(self, link: Link) -> None:
        self.book.counts["connections reset"] += 1
        link.reset()

    def _double(self, link: Link) -> None:
        self.book.counts["connections lost to the client alone"] += 1
        link.lose_client()
        self._later(self.chance.uniform(1, 6), self.chance.choice((link.go_on, link.reset)))

    def _later(self, seconds: float, repair: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            repair()

        task = asyncio.create_task(wait())
        self._repairs.add(task)
        task.add_done_callback(self._repairs.discard)

    # The end

    async def _calm(self) -> None:
        """Nobody says more; everybody hears that all of it has arrived."""
        for device in self.devices:
            device.talking.clear()
        if self._repairs:
            await asyncio.wait(self._repairs)
        self.proxy.heal()
        deadline = time.monotonic() + CALM
        while not all(device.quiet for device in self.devices) and time.monotonic() < deadline:
            for device in self.devices:
                if device.client is not None and not device.client.writer.is_closing():
                    device.ask(device.client)
            await asyncio.sleep(0.2)
        self.book.counts["clients that did not come home in time"] += sum(not device.quiet for device in self.devices)

    async def _go_home(self) -> None:
        """Everybody comes once more, one after another, and leaves in order; then the server stops."""
        for device in self.devices:
            await self._patiently(device)
        await self.lives.end(signal.SIGTERM)
        self._look_into_the_store()

    async def _patiently(self, device: Device) -> None:
        for _ in range(5):
            try:
                await device.leave(self.lives.port)
            except GONE:
                await asyncio.sleep(0.2)
            else:
                return
        raise AssertionError(f"{device.jid} could not come home; the server says:\n{self.lives.log.read_text()}")

    def _look_into_the_store(self) -> None:
        with sqlite3.connect(next(self.lives.data.glob("*.sqlite*"))) as database:
            for name, packed in database.execute("SELECT name, message FROM offline ORDER BY seq"):
                stanza = unpack(packed)
                body = stanza.text("body")
                self.book.stored[name].append((str(stanza.sender), int(body.split()[0])))
        database.close()
