"""RFC 6121 2.1 to 2.5: rosters."""

import asyncio

import pytest

from tests.kit.client import error_of
from tests.kit.world import World, a_world

from .contacts import GET, MODULES, NS, interested, item, roster, setting, world

__all__ = ["world"]


async def test_a_new_roster_is_empty(world: World) -> None:
    alice = await world.session("alice/phone")
    result = await alice.ask(GET)
    assert result.get("type") == "result"
    assert result.xpath("count(r:query)", namespaces=NS) == 1
    assert result.xpath("count(r:query/r:item)", namespaces=NS) == 0


async def test_a_contact_is_added_renamed_regrouped_and_removed(world: World) -> None:
    alice = await interested(await world.session("alice/phone"))
    added = await alice.ask(setting("<item jid='bob@localhost' name='Bob'><group>Friends</group></item>"))
    assert added.get("type") == "result"
    assert len(added) == 0
    push = await alice.receives(item("bob@localhost", name="Bob", subscription="none"))
    assert push.get("type") == "set"
    assert push.get("to") == "alice@localhost/phone"
    assert push.xpath("string(r:query/r:item/r:group)", namespaces=NS) == "Friends"
    await alice.ask(setting("<item jid='bob@localhost' name='Robert'/>"))
    await alice.receives("c:iq/roster:query/roster:item[@name='Robert'][not(roster:group)]/../..")
    await alice.ask(setting("<item jid='bob@localhost' subscription='remove'/>"))
    await alice.receives(item("bob@localhost", subscription="remove"))
    assert await roster(alice) == {}


async def test_a_roster_outlives_its_session(world: World) -> None:
    alice = await world.session("alice/phone")
    await alice.ask(setting("<item jid='bob@localhost' name='B &amp; &lt;b&gt;'><group>&apos;1&apos;</group></item>"))
    await alice.close()
    world.module("roster").book.forget("alice@localhost")
    again = await world.session("alice/phone")
    result = await again.ask(GET)
    assert result.xpath("string(r:query/r:item/@name)", namespaces=NS) == "B & <b>"
    assert result.xpath("string(r:query/r:item/r:group)", namespaces=NS) == "'1'"


async def test_pushes_go_to_interested_resources_only(world: World) -> None:
    """RFC 6121 2.1.6, 2.2."""
    phone = await interested(await world.session("alice/phone"))
    desk = await interested(await world.online("alice/desk"))
    other = await world.online("alice/other")
    await desk.pending()
    await phone.pending()
    await phone.ask(setting("<item jid='bob@localhost'/>"))
    await phone.receives(item("bob@localhost"))
    await desk.receives(item("bob@localhost"))
    await other.receives_nothing()


async def test_a_push_has_a_new_id_each_time(world: World) -> None:
    alice = await interested(await world.session("alice/phone"))
    for name in ("a", "b"):
        await alice.ask(setting(f"<item jid='bob@localhost' name='{name}'/>"))
    first, second = await alice.pending()
    assert first.get("id")
    assert first.get("id") != second.get("id")


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "bad-request"),
        ("<item jid='a@b.example'/><item jid='c@b.example'/>", "bad-request"),
        ("<item name='nobody'/>", "bad-request"),
        ("<item jid='@b.example'/>", "bad-request"),
        ("<item jid='a@b.example'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@b.example'><group/></item>", "not-acceptable"),
        (f"<item jid='a@b.example' name='{'x' * 1024}'/>", "not-acceptable"),
        (f"<item jid='a@b.example' name='{'ß' * 512}'/>", "not-acceptable"),
        (f"<item jid='a@b.example'><group>{'x' * 1024}</group></item>", "not-acceptable"),
        ("<item jid='a@b.example'>" + "".join(f"<group>{n}</group>" for n in range(65)) + "</item>", "not-acceptable"),
        ("<item jid='a@b.example' subscription='remove'/>", "item-not-found"),
    ],
)
async def test_a_wrong_set_is_refused_and_changes_nothing(world: World, inside: str, condition: str) -> None:
    """RFC 6121 2.3.3, 2.5.3."""
    alice = await interested(await world.session("alice/phone"))
    assert error_of(await alice.ask(setting(inside))) == condition
    await alice.receives_nothing()
    assert await roster(alice) == {}


async def test_names_and_groups_up_to_their_limit_are_kept(world: World) -> None:
    alice = await world.session("alice/phone")
    name = "ß" * 511 + "x"
    await alice.ask(setting(f"<item jid='a@b.example' name='{name}'><group>{name}</group></item>"))
    result = await alice.ask(GET)
    assert result.xpath("string(r:query/r:item/@name)", namespaces=NS) == name
    assert result.xpath("string(r:query/r:item/r:group)", namespaces=NS) == name


async def test_a_full_roster_takes_no_more_contacts_but_still_changes() -> None:
    async with a_world(modules=MODULES, limits={"max_roster_items": 2}) as world:
        alice = await world.session("alice/phone")
        for name in ("a", "b"):
            await alice.ask(setting(f"<item jid='{name}@localhost'/>"))
        assert error_of(await alice.ask(setting("<item jid='c@localhost'/>"))) == "resource-constraint"
        alice.send("<presence to='c@localhost' type='subscribe'/>")
        await alice.receives_error("resource-constraint")
        renamed = await alice.ask(setting("<item jid='a@localhost' name='A'/>"))
        assert renamed.get("type") == "result"
        assert set(await roster(alice)) == {"a@localhost", "b@localhost"}


async def test_what_only_the_server_may_say_is_ignored(world: World) -> None:
    """RFC 6121 2.1.2.1, 2.1.2.2, 2.1.2.5."""
    alice = await world.session("alice/phone")
    await alice.ask(setting("<item jid='bob@localhost' subscription='both' ask='subscribe' approved='true'/>"))
    assert await roster(alice) == {"bob@localhost": "none"}


async def test_a_rename_keeps_the_subscription(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.friends(alice, bob)
    await alice.ask(setting("<item jid='bob@localhost' name='Bob'/>"))
    assert await roster(alice) == {"bob@localhost": "both"}


async def test_a_roster_is_for_its_owner(world: World) -> None:
    """RFC 6121 2.1.5, 2.3.3."""
    await world.account("bob")
    alice = await world.session("alice/phone")
    to_bob = GET.replace("<iq ", "<iq to='bob@localhost' ")
    assert error_of(await alice.ask(to_bob)) == "forbidden"
    set_bob = setting("<item jid='eve@localhost'/>").replace("<iq ", "<iq to='bob@localhost' ")
    assert error_of(await alice.ask(set_bob)) == "forbidden"
    bob = await world.session("bob/desk")
    assert await roster(bob) == {}


async def test_the_own_bare_address_may_be_written_as_to(world: World) -> None:
    alice = await world.session("alice/phone")
    set_own = setting("<item jid='bob@localhost'/>").replace("<iq ", "<iq to='alice@localhost' ")
    assert (await alice.ask(set_own)).get("type") == "result"
    own = await alice.ask(GET.replace("<iq ", "<iq to='alice@localhost' "))
    assert own.xpath("string(r:query/r:item/@jid)", namespaces=NS) == "bob@localhost"


async def test_addresses_are_prepared(world: World) -> None:
    alice = await world.session("alice/phone")
    await alice.ask(setting("<item jid='BOB@LocalHost' name='one'/>"))
    await alice.ask(setting("<item jid='bob@localhost' name='two'/>"))
    assert await roster(alice) == {"bob@localhost": "none"}


async def test_removing_a_contact_ends_both_subscriptions(world: World) -> None:
    """RFC 6121 2.5.2."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await interested(bob)
    await world.friends(alice, bob)
    await alice.ask(setting("<item jid='bob@localhost' subscription='remove'/>"))
    await bob.ping()
    came = [(each.get("type"), each.get("from")) for each in await bob.pending() if each.tag.endswith("presence")]
    assert came == [
        ("unavailable", "alice@localhost/phone"),
        ("unsubscribe", "alice@localhost"),
        ("unsubscribed", "alice@localhost"),
    ]
    assert await roster(bob) == {"alice@localhost": "none"}
    assert await roster(alice) == {}


async def test_a_removed_account_is_missed_by_its_contacts(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await interested(bob)
    await world.friends(alice, bob)
    await world.host.remove_account(alice.jid.bare)
    assert await roster(bob) == {"alice@localhost": "none"}
    types = {each.get("type") for each in await bob.pending() if each.tag.endswith("presence")}
    assert types == {"unavailable", "unsubscribe", "unsubscribed"}
    rows = await world.host.house.storage.fetch("SELECT * FROM roster WHERE account = ?", "alice@localhost")
    assert rows == []


async def test_a_write_that_fails_is_told_and_leaves_no_trace(world: World) -> None:
    alice = await interested(await world.session("alice/phone"))
    await world.host.house.storage.write(("ALTER TABLE roster RENAME TO hidden", ()))
    assert error_of(await alice.ask(setting("<item jid='bob@localhost'/>"))) == "internal-server-error"
    await world.host.house.storage.write(("ALTER TABLE hidden RENAME TO roster", ()))
    assert await roster(alice) == {}
    await alice.receives_nothing()


async def test_an_anonymous_roster_ends_with_its_session() -> None:
    async with a_world(modules=MODULES, auth={"mechanisms": ["ANONYMOUS"]}) as world:
        guest = await world.dial()
        await guest.open()
        guest.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        await guest.receive()
        await guest.open()
        await guest.bind()
        await guest.ask(setting("<item jid='bob@localhost'/>"))
        assert await roster(guest) == {"bob@localhost": "none"}
        await guest.close()
        await (await world.dial()).open()
        assert world.server.shared is not None
        while tasks := world.server.shared.tasks:
            await asyncio.wait(tasks)
        assert await world.host.house.storage.fetch("SELECT * FROM roster") == []
