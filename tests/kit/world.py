"""A server and its people, for stories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from xmppd.host import Host
from xmppd.testing import FakeClock, TestServer, running

from .client import Client


class World:
    """A running server; every client it made is closed at the end."""

    def __init__(self, server: TestServer, clock: FakeClock) -> None:
        self.server = server
        self.clock = clock
        self.clients: list[Client] = []

    @property
    def host(self) -> Host:
        """The first host."""
        return self.server.hosts[self.server.host]

    def module(self, name: str) -> Any:
        """A module of the first host."""
        return self.host.modules[name]

    async def account(self, name: str) -> None:
        """Make an account, with its name as password, unless it exists."""
        if not await self.host.accounts.exists(name):
            await self.host.create_account(name, name)

    async def dial(self) -> Client:
        """A connection on which nothing was said yet."""
        client = await Client.dial(self.server.port, self.server.host)
        self.clients.append(client)
        return client

    async def session(self, address: str) -> Client:
        """`alice/phone` logs in (her account is made if missing) and binds; she sends no presence."""
        name, _, resource = address.partition("/")
        await self.account(name)
        client = await self.dial()
        await client.open()
        await client.login(name, name)
        await client.bind(resource)
        return client

    async def online(self, address: str, presence: str = "<presence/>") -> Client:
        """The same, and sends initial presence; what comes back of it is taken out."""
        client = await self.session(address)
        client.send(presence)
        await client.pending()
        return client

    async def friends(self, one: Client, other: Client) -> None:
        """Both subscribe to each other; all that this causes is taken out."""
        for asker, answerer in ((one, other), (other, one)):
            asker.send(f"<presence to='{answerer.jid.bare}' type='subscribe'/>")
            await asker.ping()
            answerer.send(f"<presence to='{asker.jid.bare}' type='subscribed'/>")
            await answerer.ping()
        await one.pending()
        await other.pending()

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(self.server, seconds)

    async def close(self) -> None:
        """Everybody leaves."""
        for client in self.clients:
            await client.close()


@asynccontextmanager
async def a_world(**changes: Any) -> AsyncIterator[World]:
    """A world with a fake clock; `changes` replace sections of the configuration."""
    clock = FakeClock()
    async with running(clock, **changes) as server:
        world = World(server, clock)
        try:
            yield world
        finally:
            await world.close()


__all__ = ["World", "a_world"]
