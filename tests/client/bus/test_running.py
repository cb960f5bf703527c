"""The life of one member: it goes on whatever happens, and leaves nothing behind when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Self
from unittest.mock import MagicMock

import pytest

from tests.client.people import until
from tests.extensions.buses import NS_BUS, ROOM, a_server, members, silent_member
from tests.kit.world import World
from xmppd.client.bus import Bus, Invalidation
from xmppd.client.bus.errors import LinkLost

from .rooms import PATIENCE, back, cut, within


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_server() as world:
        yield world


def timers(bus: Bus) -> list[asyncio.TimerHandle]:
    """Those that will have everything dropped."""
    scheduled: list[asyncio.TimerHandle] = getattr(asyncio.get_running_loop(), "_scheduled")  # noqa: B009
    return [each for each in scheduled if each._callback == bus._reset and not each.cancelled()]  # type: ignore[attr-defined]


class Failing:
    """As long as it lasts, a member fails to catch up, again and again."""

    def __init__(self, bus: Bus, error: Exception) -> None:
        assert bus._running is not None
        self.running = bus._running
        self.failed = asyncio.Event()
        self._error = error
        self._catch_up = self.running._catch_up

    def __enter__(self) -> Self:
        self.running._catch_up = self._fail  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.running._catch_up = self._catch_up  # type: ignore[method-assign]

    async def once(self) -> None:
        """Wait until it has failed from now on."""
        self.failed.clear()
        await within(self.failed.wait())

    async def _fail(self, *_: object) -> None:
        self.failed.set()
        raise self._error


async def test_a_stay_that_ends_before_it_has_caught_up_does_not_prolong_the_absence(world: World) -> None:
    async with members(world, "web1") as (bus,):
        with Failing(bus, LinkLost("once more")) as failing:
            await cut(bus)
            away_since = failing.running._away_since
            await failing.once()
            await failing.once()
            assert len(timers(bus)) == 1
            assert failing.running._away_since == away_since
        await back(bus)
        assert timers(bus) == []


async def test_who_is_closed_forgets_at_once_and_not_again_later(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await bus.close()
        assert timers(bus) == []


async def test_an_error_nobody_thought_of_does_not_end_it(world: World) -> None:
    async with members(world, "web1") as (bus,):
        with Failing(bus, ZeroDivisionError("a cache that cannot be emptied, say")) as failing:
            await cut(bus)
            await failing.once()
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


def others() -> list[str]:
    """The tasks that are under way beside this test's own."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    return sorted(getattr(task.get_coro(), "__qualname__", "") for task in tasks)


def waits() -> int:
    """How many wait for an event."""
    return others().count("Event.wait")


class TestGivingUp:
    """Who gives up waiting for the bus leaves nothing behind."""

    def bus(self) -> Bus:
        """It never gets into a room."""
        return Bus("web1@localhost", "web1", ROOM, host="127.0.0.1", port=1, plaintext=True)

    async def test_starting(self) -> None:
        bus = self.bus()
        before = others()
        entering = asyncio.create_task(bus.__aenter__())
        await until(lambda: bus._running is not None)
        entering.cancel()
        await asyncio.wait({entering})
        assert bus._running is None
        assert others() == before

    async def test_waiting_to_be_in_the_room(self) -> None:
        bus = self.bus()
        await bus.start(0)
        entering = asyncio.create_task(bus.entered(3600.0))
        await asyncio.sleep(0)
        await until(lambda: waits() == 2)
        entering.cancel()
        await asyncio.wait({entering})
        await asyncio.sleep(0)
        assert waits() == 0
        await bus.close()

    async def test_closing(self, world: World) -> None:
        async with members(world, "web1") as (bus,):
            task, draining = bus._task, asyncio.Event()

            async def drain(_: object) -> None:
                draining.set()
                await asyncio.Event().wait()

            bus._drain = drain  # type: ignore[method-assign]
            closing = asyncio.create_task(bus.close())
            await within(draining.wait())
            closing.cancel()
            assert task is not None
            await within(asyncio.wait({task}))
            assert not bus.sure
            del bus._drain  # type: ignore[attr-defined]
            await bus.start(PATIENCE)
            assert bus.sure


async def test_nobody_speaks_for_it_under_a_name_that_it_had(world: World) -> None:
    async with members(world, "web1") as (bus,):
        running = bus._running
        assert running is not None
        running.outbox.named("web0")
        running.outbox.named("web1")
        eve = await silent_member(world, "web0")
        await until(lambda: running.outbox.last_sent and not running.outbox._beats)
        running.outbox._say = lambda _: None
        running.outbox.beat()
        published = running.outbox.add(Invalidation(keys=frozenset({"user:42"})), confirm=False).published
        await asyncio.sleep(0)
        under_way = len(running.outbox._beats)
        mark = f"xmlns='{NS_BUS}' origin='web0' epoch='{running.outbox.epoch}' seq='1'"
        for said in (f"<beat {mark}/>", f"<invalidate {mark}><key>user:42</key></invalidate><body>user:43</body>"):
            eve.send(f"<message type='groupchat' to='{ROOM}'>{said}</message>")
        heard = bus.stats.heard
        await until(lambda: bus.stats.heard > heard)
        assert len(running.outbox._beats) == under_way
        assert not published.done()


async def test_who_waits_for_members_is_told_when_it_is_closed(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await silent_member(world)
        while not bus.members:
            await bus.invalidate("a-barrier")
        waiting = asyncio.create_task(bus.invalidate("user:42", confirm=True, timeout=3600.0))
        assert bus._running is not None
        await until(bus._running.outbox.barriers.unanswered)
        await bus.close()
        assert (await within(waiting)).missing == {"web9"}


def test_another_thread_may_ask_while_it_is_closed() -> None:
    class Closing(Bus):
        """What runs is there once, and gone when it is looked at again."""

        asked = 0

        @property
        def _running(self) -> object:  # type: ignore[override]
            self.asked += 1
            return MagicMock(room=None) if self.asked == 1 else None

        @_running.setter
        def _running(self, _: object) -> None: ...

    for ask in (lambda bus: bus.sure, lambda bus: bus.name, lambda bus: bus.members):
        ask(Closing("web1@localhost", "web1", ROOM))
