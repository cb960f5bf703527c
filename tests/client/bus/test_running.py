"""The life of one member: it goes on whatever happens, and leaves nothing behind when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.client.people import until
from tests.extensions.buses import ROOM, a_server, members
from tests.kit.world import World
from xmppd.client.bus import Bus
from xmppd.client.bus.errors import LinkLost

from .rooms import back, cut, within


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_server() as world:
        yield world


def timers(bus: Bus) -> list[asyncio.TimerHandle]:
    """Those that will have everything dropped."""
    scheduled: list[asyncio.TimerHandle] = getattr(asyncio.get_running_loop(), "_scheduled")  # noqa: B009
    return [each for each in scheduled if each._callback == bus._reset and not each.cancelled()]  # type: ignore[attr-defined]


async def test_a_stay_that_ends_before_it_has_caught_up_does_not_prolong_the_absence(world: World) -> None:
    async with members(world, "web1") as (bus,):
        running = bus._running
        assert running is not None
        catch_up, lost = running._catch_up, asyncio.Event()

        async def loses(*_: object) -> None:
            lost.set()
            raise LinkLost("once more")

        running._catch_up = loses  # type: ignore[method-assign]
        await cut(bus)
        away_since = running._away_since
        await within(lost.wait())
        lost.clear()
        await within(lost.wait())
        assert len(timers(bus)) == 1
        assert running._away_since == away_since
        running._catch_up = catch_up  # type: ignore[method-assign]
        await back(bus)
        assert timers(bus) == []


async def test_who_is_closed_forgets_at_once_and_not_again_later(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await bus.close()
        assert timers(bus) == []


async def test_an_error_nobody_thought_of_does_not_end_it(world: World) -> None:
    async with members(world, "web1") as (bus,):
        running = bus._running
        assert running is not None
        catch_up, broken = running._catch_up, asyncio.Event()

        async def breaks(*_: object) -> None:
            broken.set()
            raise ZeroDivisionError("a cache that cannot be emptied, say")

        running._catch_up = breaks  # type: ignore[method-assign]
        await cut(bus)
        await within(broken.wait())
        running._catch_up = catch_up  # type: ignore[method-assign]
        await back(bus)


async def test_who_was_refused_once_may_be_waited_for_again(world: World) -> None:
    where = {"host": "127.0.0.1", "port": world.server.port, "plaintext": True, "most_backoff": 0.2}
    bus = Bus("web1@localhost", "web1", ROOM, **where)
    await bus.start(0)
    try:
        assert bus._running is not None
        await within(bus._running.refused.wait())
        await world.account("web1")
        await until(lambda: bus.sure)
        await cut(bus)
        await back(bus)
    finally:
        await bus.close()
