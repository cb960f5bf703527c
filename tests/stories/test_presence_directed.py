"""RFC 6121 4.6: directed presence."""

import pytest

from tests.kit.world import World, a_world

from .contacts import MODULES, world

__all__ = ["world"]

ALICE, BOB = "alice@localhost", "bob@localhost"


async def test_directed_presence_goes_to_one_alone_and_changes_nothing_else(world: World) -> None:
    """RFC 6121 4.6.3: it is not included in later broadcasts."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}/desk'><show>chat</show></presence>")
    await bob.receives(f"c:presence[@from='{ALICE}/phone'][@to='{BOB}/desk'][c:show='chat']")
    await alice.receives_nothing()
    alice.send("<presence><show>away</show></presence>")
    await alice.ping()
    await bob.receives_nothing()


@pytest.mark.parametrize("end", ["<presence type='unavailable'/>", "</stream:stream>"])
async def test_who_got_directed_presence_is_told_of_the_end_once(world: World, end: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}/desk'/><presence to='{BOB}/desk'><show>away</show></presence>")
    await alice.ping()
    await bob.pending()
    alice.send(end)
    await bob.receives(f"c:presence[@type='unavailable'][@from='{ALICE}/phone'][@to='{BOB}/desk']")
    await bob.receives_nothing()


async def test_a_session_that_never_was_available_ends_what_it_directed(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}'/>")
    await bob.receives(f"c:presence[not(@type)][@from='{ALICE}/phone']")
    await alice.close()
    await bob.receives(f"c:presence[@type='unavailable'][@from='{ALICE}/phone']")


async def test_directed_unavailable_was_the_end_already(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}/desk'/><presence to='{BOB}/desk' type='unavailable'/>")
    await alice.ping()
    assert [each.get("type") for each in await bob.pending()] == [None, "unavailable"]
    await alice.close()
    await bob.receives_nothing()


async def test_a_contact_is_told_once(world: World) -> None:
    """RFC 6121 4.6.3: a contact who gets the broadcast needs no copy of his own."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.friends(alice, bob)
    alice.send(f"<presence to='{BOB}'/>")
    await bob.receives(f"c:presence[@from='{ALICE}/phone']")
    await alice.close()
    await bob.receives("c:presence[@type='unavailable']")
    await bob.receives_nothing()


async def test_a_contact_who_may_not_see_is_told_of_what_was_directed(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.friends(alice, bob)
    alice.send(f"<presence to='{BOB}' type='unsubscribed'/><presence to='{BOB}'/>")
    await alice.ping()
    await bob.pending()
    await alice.close()
    await bob.receives("c:presence[@type='unavailable']")


async def test_an_unavailable_session_directs_again(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}'/><presence type='unavailable'/>")
    await alice.ping()
    assert [each.get("type") for each in await bob.pending()] == [None, "unavailable"]
    alice.send("<presence type='unavailable'/>")
    await alice.ping()
    await bob.receives_nothing()
    alice.send(f"<presence to='{BOB}'/>")
    await alice.ping()
    await alice.close()
    assert [each.get("type") for each in await bob.pending()] == [None, "unavailable"]


async def test_directed_presence_is_bounded() -> None:
    async with a_world(modules=MODULES | {"presence": {"max_directed": 2}}) as world:
        alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
        for name in ("carol", "dave", "carol"):
            alice.send(f"<presence to='{name}@localhost'/>")
        alice.send(f"<presence to='{BOB}'/>")
        await alice.receives_error("resource-constraint")
        await bob.receives_nothing()


async def test_directed_presence_to_an_unknown_domain_is_answered(world: World) -> None:
    alice = await world.online("alice/phone")
    alice.send("<presence to='room@elsewhere.example/nick'/>")
    await alice.receives_error("remote-server-not-found")
