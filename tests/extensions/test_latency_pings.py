"""Latency from the pings that the server sends to silent sessions anyway: docs/protocols/latency.md as stories."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.extensions.test_latency import LATENCY, figures
from tests.kit.client import Client
from tests.kit.websocket import PING, PONG, masked, websocket
from tests.kit.world import World
from tests.stories.managed import SM, enable, tag
from tests.stories.web.doors import a_web


@pytest.fixture
async def world() -> AsyncIterator[World]:
    modules = {name: {} for name in ("ping", LATENCY)}
    async with a_web(modules=modules, limits={"ping_interval": 10, "idle_timeout": 60}) as made:
        yield made


async def silence(world: World) -> None:
    """So long that the server wants a sign of life."""
    await world.advance(15)


def late(world: World, seconds: float) -> None:
    """The answer takes so long."""
    world.clock._now += seconds


async def told(client: Client) -> tuple[str | None, str | None]:
    """What the server knows when it is asked for the first time."""
    reply = await figures(client)
    return reply.get("rtt"), reply.get("samples")


@pytest.mark.parametrize("kind", ["result", "error"])
async def test_the_answer_to_a_ping_counts(world: World, kind: str) -> None:
    alice = await world.session("alice/game")
    await silence(world)
    ping = await alice.receives("c:iq[@type='get']")
    late(world, 0.040)
    alice.send(f"<iq type='{kind}' to='localhost' id='{ping.get('id')}'/>")
    assert await told(alice) == ("40.0", "1")


async def test_the_acknowledgement_that_was_asked_for_counts(world: World) -> None:
    alice = await world.session("alice/game")
    await enable(alice)
    await silence(world)
    assert (await alice.receive()).tag == tag("r")
    late(world, 0.030)
    alice.send(f"<a xmlns='{SM}' h='0'/>")
    assert await told(alice) == ("30.0", "1")


async def test_other_acknowledgements_do_not(world: World) -> None:
    alice = await world.session("alice/game")
    await enable(alice)
    alice.send(f"<a xmlns='{SM}' h='0'/>")
    await silence(world)
    assert (await alice.receive()).tag == tag("r")
    late(world, 0.030)
    alice.send(f"<r xmlns='{SM}'/><a xmlns='{SM}' h='0'/><a xmlns='{SM}' h='0'/>")
    assert (await alice.receive()).tag == tag("a")
    assert await told(alice) == ("30.0", "1")


async def test_the_pong_of_a_websocket_counts(world: World) -> None:
    alice = await websocket(world, "alice/game")
    alice.put(masked(PONG, b""))
    await silence(world)
    assert await alice.message() == (PING, b"")
    late(world, 0.020)
    alice.put(masked(PONG, b"") + masked(PONG, b""))
    assert await told(alice) == ("20.0", "1")


async def test_who_does_not_answer_before_it_speaks_is_not_known(world: World) -> None:
    alice = await world.session("alice/game")
    await silence(world)
    await alice.ping()
    await silence(world)
    assert (await told(alice))[1] == "0"


async def test_who_is_measured_is_not_measured_twice(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    own = await alice.receives("c:iq[@type='get']")
    await silence(world)
    assert own.get("id", "").startswith("rtt-")
    assert not world.module(LATENCY).known


async def test_a_session_that_ends_is_forgotten(world: World) -> None:
    alice, bob = await world.session("alice/game"), await world.session("bob/game")
    await silence(world)
    assert len(world.module(LATENCY).known) == 2
    await alice.close()
    await bob.ping()
    assert len(world.module(LATENCY).known) == 1


async def test_without_the_module_nobody_is_told() -> None:
    async with a_web(modules={"ping": {}}, limits={"ping_interval": 10, "idle_timeout": 60}) as world:
        alice, bob = await world.session("alice/game"), await websocket(world, "bob/game")
        await silence(world)
        ping = await alice.receives("c:iq[@type='get']")
        alice.send(f"<iq type='result' to='localhost' id='{ping.get('id')}'/>")
        bob.put(masked(PONG, b""))
        await alice.ping()
        await bob.ping()
