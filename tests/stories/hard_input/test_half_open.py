"""Five thousand connections that never get anywhere."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.kit.raw import HEADER, Raw
from tests.kit.world import World, a_world
from tests.stories.hard_input.calm import Calm
from tests.stories.hard_input.test_memory import held

MANY = 5000
PER_CONNECTION = 16  # KiB that one may cost, both ends together
BEGINNINGS = [
    b"",
    b"<",
    HEADER[:80],
    HEADER,
    HEADER + b"<iq type='set' id='1'><query xmlns='jabber:iq:register'>",
    HEADER + b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hLHI9YWJj</auth>",
    HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\x16\x03\x01\x02\x00\x01",
]


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MANY + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"needs {needed} open files, this machine allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def a_calm(**limits: int) -> AsyncIterator[Calm]:
    async with a_world(modules={"ping": {}}, limits=limits) as world:
        yield Calm(world, await world.session("bob/x"), await world.session("carol/x"))


async def half_open(world: World, stack: AsyncExitStack) -> None:
    """Connect them all; each says a beginning and no more."""
    loop = asyncio.get_running_loop()
    for number in range(MANY):
        connection = stack.enter_context(socket.socket())
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", world.server.port))
        beginning = BEGINNINGS[number % len(BEGINNINGS)]
        if beginning:
            with contextlib.suppress(ConnectionError):
                connection.send(beginning)


async def settled(calm: Calm, connections: int) -> None:
    """Wait until the server holds so many."""
    door = calm.world.server.doors[0]
    async with asyncio.timeout(20):
        while len(door.connections) != connections:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


@pytest.mark.slow
async def test_five_thousand_half_open_connections_cost_little_and_end_in_time() -> None:
    room = ("max_unauthenticated", "max_unauthenticated_per_address", "max_connections_per_address")
    async with a_calm(**dict.fromkeys(room, 2 * MANY)) as calm:
        before = held()
        async with AsyncExitStack() as stack:
            await half_open(calm.world, stack)
            await settled(calm, MANY + 2)
            await calm.chat()
            assert (held() - before) / MANY < PER_CONNECTION
            await calm.world.session("dave/x")
            await calm.world.advance(65)
            await settled(calm, 3)
            await calm.chat()
        shared = calm.world.server.shared
        assert shared is not None
        assert shared.unauthenticated == 0


@pytest.mark.slow
async def test_past_the_limit_they_are_refused_and_those_inside_notice_nothing() -> None:
    async with a_calm() as calm, AsyncExitStack() as stack:
        await half_open(calm.world, stack)
        await settled(calm, 202)
        await calm.chat()
        async with Raw(calm.world.server.port) as raw:
            assert await raw.error() == "resource-constraint"
        await calm.world.advance(65)
        await settled(calm, 2)
        await calm.world.session("dave/x")
        await calm.chat()
