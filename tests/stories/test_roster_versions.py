"""RFC 6121 2.6, XEP-0237: roster versioning."""

import pytest

from tests.kit.client import Client
from tests.kit.world import World
from xmppd.xmpp.stanza import Element

from .contacts import NS, interested, item, setting, world

__all__ = ["world"]


async def get(client: Client, version: str) -> Element:
    return await client.ask(f"<iq type='get'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>")


async def version_of(client: Client) -> str:
    return str((await get(client, "")).xpath("string(r:query/@ver)", namespaces=NS))


async def add(client: Client, *names: str) -> None:
    for name in names:
        await client.ask(setting(f"<item jid='{name}@localhost' name='{name}'/>"))
    await client.pending()


async def test_the_stream_offers_versions_and_pre_approval(world: World) -> None:
    await world.account("alice")
    alice = await world.dial()
    before = await alice.open()
    assert before.find("{urn:xmpp:features:rosterver}ver") is None
    await alice.login("alice", "alice")
    assert alice.features is not None
    assert alice.features.find("{urn:xmpp:features:rosterver}ver") is not None
    assert alice.features.find("{urn:xmpp:features:pre-approval}sub") is not None


async def test_an_unknown_or_empty_version_gets_the_whole_roster(world: World) -> None:
    alice = await world.session("alice/phone")
    await add(alice, "bob")
    for version in ("", "nonsense", "9" * 99, "99999999999999", "-1", "0"):
        result = await get(alice, version)
        assert result.xpath("count(r:query[@ver]/r:item)", namespaces=NS) == 1, version


async def test_the_version_a_client_has_already_gets_an_empty_result(world: World) -> None:
    alice = await world.session("alice/phone")
    await add(alice, "bob")
    version = await version_of(alice)
    assert len(await get(alice, version)) == 0
    await alice.receives_nothing()


async def test_a_version_outlives_the_server_s_memory(world: World) -> None:
    alice = await world.session("alice/phone")
    await add(alice, "bob")
    version = await version_of(alice)
    world.module("roster").book.forget("alice@localhost")
    assert len(await get(alice, version)) == 0


async def test_each_change_has_a_new_version_and_a_push_tells_it(world: World) -> None:
    alice = await interested(await world.session("alice/phone"))
    versions = [await version_of(alice)]
    for name in ("a", "b"):
        await alice.ask(setting(f"<item jid='bob@localhost' name='{name}'/>"))
        push = await alice.receives(item("bob@localhost", name=name))
        versions.append(str(push.xpath("string(r:query/@ver)", namespaces=NS)))
    assert len(set(versions)) == 3
    assert await version_of(alice) == versions[-1]


async def test_what_changed_since_a_version_is_pushed_behind_an_empty_result(world: World) -> None:
    """RFC 6121 2.6.3."""
    alice = await world.session("alice/phone")
    await add(alice, "a", "b", "c", "d")
    version = await version_of(alice)
    await alice.ask(setting("<item jid='b@localhost' subscription='remove'/>"))
    await alice.ask(setting("<item jid='c@localhost' name='C'/>"))
    await alice.ask(setting("<item jid='e@localhost'/>"))
    await alice.close()
    world.module("roster").book.forget("alice@localhost")
    again = await world.session("alice/phone")
    again.send(f"<iq type='get' id='get'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>")
    await again.receives("c:iq[@id='get'][@type='result'][not(*)]")
    await again.receives(item("b@localhost", subscription="remove"))
    await again.receives(item("c@localhost", name="C"))
    last = await again.receives(item("e@localhost"))
    await again.receives_nothing()
    assert last.xpath("string(r:query/@ver)", namespaces=NS) == await version_of(again)


async def test_after_many_changes_the_whole_roster_comes(world: World) -> None:
    alice = await world.session("alice/phone")
    await add(alice, "a")
    version = await version_of(alice)
    await add(alice, *(f"n{number}" for number in range(21)))
    assert (await get(alice, version)).xpath("count(r:query/r:item)", namespaces=NS) == 22


async def test_removals_that_were_forgotten_are_not_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xmppd.modules.roster.book.MOST_REMOVED", 2)
    alice = await world.session("alice/phone")
    await add(alice, "a", "b", "c", "d")
    version = await version_of(alice)
    for name in ("a", "b", "c"):
        await alice.ask(setting(f"<item jid='{name}@localhost' subscription='remove'/>"))
    for _ in range(2):  # once from memory, once from the database
        result = await get(alice, version)
        assert result.xpath("r:query/r:item/@jid", namespaces=NS) == ["d@localhost"]
        world.module("roster").book.forget("alice@localhost")
    rows = await world.host.house.storage.fetch("SELECT contact FROM roster WHERE account = ?", "alice@localhost")
    assert sorted(row[0] for row in rows) == ["", "d@localhost"]


async def test_an_account_made_anew_does_not_repeat_a_version(world: World) -> None:
    alice = await world.session("alice/phone")
    await add(alice, "bob")
    version = await version_of(alice)
    await world.host.remove_account(alice.jid.bare)
    await world.advance(1)
    again = await world.session("alice/phone")
    await add(again, "carol")
    result = await get(again, version)
    assert result.xpath("r:query/r:item/@jid", namespaces=NS) == ["carol@localhost"]
