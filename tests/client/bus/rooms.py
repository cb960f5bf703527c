"""A running server with rooms, and members of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.client.people import until as until_true
from xmppd.client.bus import Bus, SyncBus
from xmppd.client.bus.component import Component, ComponentSettings

from .servers import COMPONENT, ROOMS, SECRET, Server

PATIENCE = 60.0  # seconds until a story that waits for nothing fails
ACCOUNTS = ["alice", "bob", "carol", "dave"]
T = TypeVar("T")


async def within(work: Awaitable[T]) -> T:
    """Wait for something that must come."""
    return await asyncio.wait_for(work, PATIENCE)


class Place:
    """One room of a server that runs."""

    def __init__(self, server: Server, room: str, domain: str = ROOMS) -> None:
        self.server = server
        self.room = f"{room}@{domain}"

    def settings(self, account: str, **others: Any) -> dict[str, Any]:
        """To be a member under this account's name."""
        where = {"host": "127.0.0.1", "port": self.server.port, "plaintext": True, "most_backoff": 0.5}
        return {"jid": f"{account}@localhost", "password": account, "room": self.room, "name": account} | where | others

    def bus(self, account: str, **others: Any) -> Bus:
        """Not started."""
        return Bus(**self.settings(account, **others))

    def sync_bus(self, account: str, **others: Any) -> SyncBus:
        """Not started."""
        return SyncBus(**self.settings(account, **others))

    @asynccontextmanager
    async def members(self, *names: str, **settings: Any) -> AsyncIterator[list[Bus]]:
        """All in the room; each knows of the others, and has heard all that was said to find out."""
        buses = [self.bus(name, **settings) for name in names]
        try:
            for bus in buses:
                await bus.start(PATIENCE)
            for bus in buses:
                await until(bus, len(names) - 1)
            assert await within(buses[0].invalidate("a-barrier", confirm=True))
            yield buses
        finally:
            for bus in buses:
                await bus.close()


@asynccontextmanager
async def component(server: Server, **settings: Any) -> AsyncIterator[Component]:
    """Our component, connected to this server."""
    made = ComponentSettings(COMPONENT, SECRET, port=server.component, **settings)
    async with Component(made) as running:
        await within(running.connected.wait())
        yield running


async def until(bus: Bus, others: int) -> None:
    """The bus has seen so many others come: each message of theirs comes after their presence."""
    async with asyncio.timeout(PATIENCE):
        while len(bus.members) < others:
            await bus.invalidate("a-barrier")


async def back(bus: Bus) -> None:
    """The bus is in its room, and serves."""
    assert await bus.entered(PATIENCE)
    assert bus.sure


async def cut(bus: Bus) -> None:
    """Its connection breaks; it has not come back yet."""
    assert bus._running is not None
    room = bus._running.room
    assert room is not None
    room.link.abort()
    await within(room.link.lost)
    await until_true(lambda: not bus.sure)


class Thing:
    """Something in a database, that can be changed, and loads of which can be held up."""

    def __init__(self, value: Any = 1) -> None:
        self.value = value
        self.loads = 0
        self.read = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def load(self) -> Any:
        """What a reader sees; it may be old when he gets it."""
        self.loads += 1
        value = self.value
        self.read.set()
        await self.go.wait()
        return value
