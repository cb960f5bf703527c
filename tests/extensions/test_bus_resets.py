"""How often members drop everything is told by their beats, and counted by the server that keeps the room."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.client.people import until
from tests.extensions.buses import BUS, CONFIRM, NS_BUS, ROOM, a_server, figure, members, silent_member, told, watcher
from tests.kit.client import Client
from tests.kit.world import World
from xmppd.client.bus import Bus
from xmppd.extensions.bus.resets import MOST_AT_ONCE, MOST_KNOWN, Resets
from xmppd.xmpp.stanza import Stanza


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_server() as world:
        yield world


def resets(world: World) -> float:
    return figure(world, "resets_total")


async def beat(client: Client, attributes: str, origin: str = "web9") -> None:
    """A member beats, with these attributes."""
    inside = f"<beat xmlns='{NS_BUS}' origin='{origin}' {attributes}/><no-store xmlns='urn:xmpp:hints'/>"
    client.send(f"<message type='groupchat' to='{ROOM}'>{inside}</message>")
    await client.ping()


async def lose_one(world: World, bus: Bus) -> None:
    """The room says something that neither members nor its archive have."""
    await told(world, "a", CONFIRM)
    world.module(BUS).rooms["cache"].seq += 1
    before = bus.stats.resets
    await told(world, "b", CONFIRM)
    await until(lambda: bus.stats.resets > before)


async def test_a_member_that_drops_everything_is_counted(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await told(world, "a", CONFIRM)
        assert resets(world) == 0  # it was new, and had nothing
        for count in (1, 2):
            await lose_one(world, bus)
            await until(lambda count=count: resets(world) == count)  # type: ignore[misc]


async def test_the_next_beat_tells_it_and_is_said_at_once(world: World) -> None:
    bob = await watcher(world)
    async with members(world, "web1", beat=1000.0, lease=2000.0) as (bus,):
        await lose_one(world, bus)
        await until(lambda: resets(world) == 1)
        beats = [each.find(f"{{{NS_BUS}}}beat") for each in await bob.pending()]
        assert [each.get("resets") for each in beats if each is not None][-1] == "1"


async def test_what_was_told_before_it_came_is_not_counted_again(world: World) -> None:
    inside = f"<member xmlns='{NS_BUS}' origin='web9' epoch='e' seq='0' lease='7' resets='5'/>"
    web9 = await watcher(world, "web9", inside)
    await beat(web9, "epoch='e' seq='0' resets='6'")
    assert resets(world) == 1
    await beat(web9, "epoch='e' seq='0' resets='6'")
    assert resets(world) == 1


@pytest.mark.parametrize(
    ("attributes", "counted"),
    [
        ("epoch='e' seq='0' resets='2'", 2),
        ("epoch='e' seq='0' resets='999999999'", MOST_AT_ONCE),
        ("epoch='e' seq='0' resets='9999999999'", 0),
        ("epoch='e' seq='0' resets='-1'", 0),
        ("epoch='e' seq='0' resets='\u0663'", 0),
        ("epoch='another' seq='0' resets='2'", 0),
        ("seq='0' resets='2'", 0),
    ],
)
async def test_only_what_may_be_true_is_counted(world: World, attributes: str, counted: int) -> None:
    web9 = await silent_member(world)
    await beat(web9, attributes)
    assert resets(world) == counted
    await beat(web9, attributes)
    assert resets(world) == counted


async def test_who_is_no_member_has_no_resets(world: World) -> None:
    await beat(await watcher(world), "epoch='e' seq='0' resets='2'", "bob")
    assert resets(world) == 0


def test_members_that_are_remembered_are_bounded() -> None:
    known = Resets()
    said = Stanza("message", None, None, "", "", "", f"<beat xmlns='{NS_BUS}' epoch='e' resets='1'/>".encode())
    here = Stanza("presence", None, None, "", "", "", f"<member xmlns='{NS_BUS}' epoch='e'/>".encode())
    assert all(known.told(str(number), said, here) == 1 for number in range(MOST_KNOWN + 10))
    assert len(known._known) == MOST_KNOWN
