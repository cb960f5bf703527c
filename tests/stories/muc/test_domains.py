"""A component enters from its bare domain: what it becomes in a room, not all of its accounts become with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.component import DOMAIN, component, doors
from tests.kit.world import World, a_world
from xmppd.testing import MODULES

from .coven import MUC, ROOM, found, has, item
from .ruling import affiliated, does
from .test_register import register


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A world with rooms and a door for components."""
    async with a_world(modules={name: {} for name in MODULES} | {"muc": {}}, listen=doors()) as world:
        yield world


def enters(nick: str, sender: str) -> str:
    return f"<presence from='{sender}' to='{ROOM}/{nick}'><x xmlns='{MUC}'/></presence>"


async def owned(world: World, **fields: str) -> Client:
    """A room, and its owner."""
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", **fields)
    return crone


@pytest.mark.parametrize("sender", [DOMAIN, f"{DOMAIN}/bot"])
async def test_it_owns_no_room(world: World, sender: str) -> None:
    bus = await component(world)
    bus.send(enters("bot", sender))
    await bus.receives_error("not-allowed")
    assert not world.module("muc").rooms.loaded
    bus.send(enters("king", f"king@{DOMAIN}/1"))
    assert has((await bus.pending())[0], "m:x/m:status[@code='201']")


async def test_it_enters_a_room_as_the_stranger_that_it_is(world: World) -> None:
    await owned(world)
    bus = await component(world)
    bus.send(enters("bot", DOMAIN))
    *_, own, subject = await bus.pending()
    assert item(own)["affiliation"] == "none"
    assert has(subject, "*[local-name()='subject']")


async def test_it_registers_with_no_room(world: World) -> None:
    crone = await owned(world, persistentroom="1")
    await crone.ask(affiliated(member="hag66@localhost"))
    bus = await component(world)
    bus.send(register("Bot").replace("<iq", f"<iq id='1' from='{DOMAIN}'", 1))
    await bus.receives_error("not-allowed")


async def test_nobody_makes_it_an_owner_by_its_nick(world: World) -> None:
    crone = await owned(world)
    bus = await component(world)
    bus.send(enters("bot", DOMAIN))
    await bus.pending()
    await crone.pending()
    for name in ("owner", "admin"):
        crone.send(
            f"<iq type='set' id='{name}' to='{ROOM}'><query xmlns='{MUC}#admin'>"
            f"<item nick='bot' affiliation='{name}'/></query></iq>"
        )
        await crone.receives_error("not-acceptable")
    await does(crone, affiliated(member=DOMAIN))
