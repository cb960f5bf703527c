"""Hostile components: each attack has its error, at a bounded cost, and nobody else notices."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from tests.kit.component import DOMAIN, Component, component, doors
from tests.kit.raw import Raw
from tests.kit.world import a_world
from tests.stories.hard_input.calm import LIMIT, Calm
from tests.stories.hard_input.test_memory import stays_flat
from tests.wire.test_component import HEADER as OTHER_HEADER
from tests.wire.test_hard_input import FORBIDDEN

HEADER = OTHER_HEADER.replace(b"bus.example", DOMAIN.encode())
ATTACKS = {
    name: (
        stream.replace(b"jabber:client", b"jabber:component:accept").replace(
            b"to='localhost'", b"to='%b'" % DOMAIN.encode()
        ),
        error,
    )
    for name, (stream, error) in FORBIDDEN.items()
}


@pytest.fixture
async def calm() -> AsyncIterator[Calm]:
    """A server with two people on it who chat, and a door for components."""
    changes = {"listen": doors(), "modules": {"ping": {}}, "limits": {"max_stanza_size": LIMIT}}
    async with a_world(**changes) as world:
        yield Calm(world, await world.session("bob/x"), await world.session("carol/x"))


async def error_after(calm: Calm, sent: bytes, size: int = 0) -> str:
    async with Raw(calm.world.server.doors[1].port) as raw:
        await raw.send(sent, size)
        return await raw.error()


@pytest.mark.parametrize(("stream", "condition"), ATTACKS.values(), ids=ATTACKS)
async def test_what_is_forbidden_has_its_error(calm: Calm, stream: bytes, condition: str) -> None:
    assert await error_after(calm, stream[: 1 << 17]) in (condition, "not-authorized")
    await calm.chat()


async def test_a_slow_sender_is_served(calm: Calm) -> None:
    assert await error_after(calm, HEADER + b"<handshake>no</handshake>", 1) == "not-authorized"
    await calm.chat()


async def test_a_namespace_that_is_no_uri_proves_nothing(calm: Calm) -> None:
    sent = HEADER + b"<handshake><a xmlns='%zz'/></handshake>"
    assert await error_after(calm, sent) == "not-authorized"
    await calm.chat()


async def proven(calm: Calm) -> Component:
    await calm.world.server.doors[1].emptied()
    return await component(calm.world)


async def storm(calm: Calm, numbers: "count[int]") -> None:
    """Each kind of attack before the handshake, and floods of new names and addresses behind it."""
    for stream, _ in ATTACKS.values():
        await error_after(calm, stream[: 1 << 17])
    for _ in range(5):
        await error_after(calm, HEADER[:-1] + b" xmlns:a%d='urn:%d'><mail/>" % (next(numbers), next(numbers)))
        eve = await proven(calm)
        for _ in range(20):
            names = b"".join(b"<a%x/>" % next(numbers) for _ in range(2000))
            sender = b"u%d@%b" % (next(numbers), DOMAIN.encode())
            eve.send(b"<message from='%b' to='nobody@localhost' type='headline'>%b</message>" % (sender, names))
            eve.send(b"<message from='%b' to='u%d@localhost' type='headline'/>" % (sender, next(numbers)))
            eve.send(
                b"<x:message xmlns:x='jabber:component:accept' from='%b' to='a@b'>%b</x:message>" % (sender, names)
            )
            await eve.pending()
        eve.send(b"<message from='%b' to='bob@localhost'><body>%b" % (DOMAIN.encode(), b"a" * LIMIT))
        await eve.receives_stream_error("policy-violation")
    await calm.chat()


@pytest.mark.slow
async def test_memory_stays_flat(calm: Calm) -> None:
    await stays_flat(calm, storm)
