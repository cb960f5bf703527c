"""The option `until_acknowledged`: what no archive has is stored until the client acknowledges it (XEP-0198)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.world import World, a_world

from .managed import SM, acknowledge, bodies, managed, vanish
from .test_resumption import MODULES, says
from .test_resumption_kept import acknowledges, back, on_disk
from .test_resumption_returning import PATIENT, comes, stamp

SURE: dict[str, Any] = {**MODULES, "offline": {"until_acknowledged": True}}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=SURE, limits=PATIENT) as made:
        yield made


async def test_what_a_client_is_sent_is_stored_until_it_acknowledges(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob, _ = await managed(world, "bob/desk")
    bob.send(f"<message to='alice@localhost' type='chat'><body>1</body></message><r xmlns='{SM}'/>")
    assert (await bob.receive()).get("h") == "1"
    row = await world.host.house.storage.fetch_one("SELECT count(*) FROM offline")
    assert row == (1,)
    await says(bob, 2, 3)
    (got, *_) = await bodies(alice, "1", "2", "3")
    assert got.find("{urn:xmpp:delay}delay") is None
    await acknowledges(alice, 2)
    assert await on_disk(world) == 1
    await acknowledges(alice, 3)
    assert await on_disk(world) == 0
    assert not [each for each in await alice.pending() if each.tag.endswith("message")]


async def test_what_a_client_without_acknowledgements_was_given_is_not(world: World) -> None:
    await world.online("alice/desk")
    await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    assert await on_disk(world) == 0


async def test_a_lost_connection_changes_nothing(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await vanish(world, alice)
    await says(bob, 2)
    assert await on_disk(world) == 2
    again = await back(world, alice, id)
    await bodies(again, "1", "2")
    await acknowledges(again, 2)
    assert await on_disk(world) == 0


async def test_who_never_comes_back_finds_it_once(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    await bodies(alice, "1", "2")
    acknowledge(alice, 1)
    await alice.ping()
    await vanish(world, alice)
    await world.advance(301)
    assert await on_disk(world) == 1
    anew = await comes(world, "alice/phone")
    (got,) = await bodies(anew, "2")
    assert stamp(got)
    await anew.receives_nothing()


async def test_who_is_given_it_in_place_of_another_acknowledges_it_too(world: World) -> None:
    phone, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await vanish(world, phone)
    desk, _ = await managed(world, "alice/desk")
    await world.advance(301)
    await bodies(desk, "1")
    assert await on_disk(world) == 1
    session = world.host.sessions.find(desk.jid)
    assert session is not None
    await acknowledges(desk, session.door.ledger.sent)  # type: ignore[attr-defined]
    assert await on_disk(world) == 0


async def test_what_is_archived_is_not_stored_again() -> None:
    async with a_world(modules={**SURE, "mam": {}}, limits=PATIENT) as world:
        await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, 1)
        assert await on_disk(world) == 0


async def test_who_is_sent_too_much_that_is_not_acknowledged_is_sent_no_more() -> None:
    modules = {**MODULES, "offline": {"until_acknowledged": True, "max_user_messages": 2}}
    async with a_world(modules=modules, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        for number in (1, 2, 3):
            bob.send(f"<message to='alice@localhost' id='{number}' type='chat'><body>{number}</body></message>")
        assert (await bob.receives_error("service-unavailable")).get("id") == "3"
        await bodies(alice, "1", "2")
