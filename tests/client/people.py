"""Two kinds of people at a test server: slixmpp clients with our plugins, and clients that only say what is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from slixmpp import JID, ClientXMPP

from tests.kit.world import World

PATIENCE = 10.0  # seconds until a story that waits for nothing fails
T = TypeVar("T")


async def within(work: Awaitable[T]) -> T:
    """Wait for something that must come."""
    return await asyncio.wait_for(work, PATIENCE)


async def connected(world: World, address: str) -> ClientXMPP:
    """`alice/game` as a slixmpp client that has begun its session; her account is made if missing."""
    name, _, resource = address.partition("/")
    await world.account(name)
    xmpp = ClientXMPP(JID(f"{name}@{world.server.host}/{resource}"), name)
    xmpp.enable_direct_tls, xmpp.enable_starttls, xmpp.enable_plaintext = False, False, True
    plugins: Any = xmpp.plugin
    plugins["feature_mechanisms"].unencrypted_scram = True
    begun = asyncio.get_running_loop().create_future()
    xmpp.add_event_handler("session_start", begun.set_result, disposable=True)
    xmpp.connect("127.0.0.1", world.server.port)
    await within(begun)
    return xmpp


@asynccontextmanager
async def people(world: World, *addresses: str) -> AsyncIterator[list[ClientXMPP]]:
    """Connected clients, disconnected at the end."""
    clients = [await connected(world, address) for address in addresses]
    try:
        yield clients
    finally:
        for xmpp in clients:
            await left(xmpp)


async def until(done: Callable[[], object]) -> None:
    """Let everybody go on until something is true."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not done():
        assert asyncio.get_running_loop().time() < deadline, "it never came true"
        await asyncio.sleep(0)


async def left(xmpp: ClientXMPP) -> None:
    """The client has closed its stream."""
    if xmpp.is_connected():
        await xmpp.disconnect()
