"""XEP-0012: Last Activity."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

MODULES: dict[str, dict[str, Any]] = {"ping": {}, "disco": {}, "last": {}, "roster": {}, "presence": {}}
QUERY = "<query xmlns='jabber:iq:last'/>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


async def last(client: Client, whom: str) -> Element:
    return await client.ask(f"<iq type='get' to='{whom}'>{QUERY}</iq>")


async def seconds(client: Client, whom: str) -> tuple[int, str]:
    """Seconds and status of an answer."""
    reply = await last(client, whom)
    assert reply.get("type") == "result", error_of(reply)
    assert reply.get("from") == whom
    return int(reply[0].get("seconds", "")), reply[0].text or ""


async def leave(client: Client, status: str = "") -> None:
    inside = f"<status>{status}</status>" if status else ""
    client.send(f"<presence type='unavailable'>{inside}</presence>")
    await client.ping()


async def two_friends(world: World) -> tuple[Client, Client]:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    return alice, bob


async def test_3_who_is_away_is_away_since_the_last_presence_with_its_status(world: World) -> None:
    alice, bob = await two_friends(world)
    await leave(alice, "Heading &lt;home&gt;")
    await world.advance(90)
    assert await seconds(bob, "alice@localhost") == (90, "Heading <home>")


async def test_3_the_last_resource_counts(world: World) -> None:
    alice, bob = await two_friends(world)
    laptop = await world.online("alice/laptop")
    await leave(alice, "phone off")
    assert await seconds(bob, "alice@localhost") == (0, "")
    await world.advance(10)
    await leave(laptop)
    await world.advance(5)
    assert await seconds(bob, "alice@localhost") == (5, "")


async def test_3_a_lost_connection_counts_as_well(world: World) -> None:
    alice, bob = await two_friends(world)
    await alice.drop()
    await bob.receives("c:presence[@type='unavailable'][@from='alice@localhost/phone']")
    await world.module("last").set_last(JID.parse("carol@localhost"), 0, "")  # writes are in order: hers is done too
    await world.advance(7)
    assert await seconds(bob, "alice@localhost") == (7, "")


async def test_3_it_is_still_known_after_the_next_session(world: World) -> None:
    alice, bob = await two_friends(world)
    await leave(alice, "one")
    alice.send("<presence/>")
    await alice.ping()
    assert await seconds(bob, "alice@localhost") == (0, "")
    await leave(alice, "two")
    assert await seconds(bob, "alice@localhost") == (0, "two")


async def test_3_who_is_here_is_here(world: World) -> None:
    _, bob = await two_friends(world)
    await world.advance(60)
    assert await seconds(bob, "alice@localhost") == (0, "")


async def test_3_who_was_never_here_is_not_found(world: World) -> None:
    alice = await world.session("alice/phone")
    assert error_of(await last(alice, "alice@localhost")) == "item-not-found"


async def test_3_who_is_connected_and_hides_is_not_here(world: World) -> None:
    alice, bob = await two_friends(world)
    await leave(alice)
    await world.advance(30)
    assert await seconds(bob, "alice@localhost") == (30, "")


async def test_3_a_stranger_is_forbidden_whether_one_is_here_or_not(world: World) -> None:
    alice = await world.online("alice/phone")
    mallory = await world.online("mallory/phone")
    assert error_of(await last(mallory, "alice@localhost")) == "forbidden"
    await leave(alice)
    assert error_of(await last(mallory, "alice@localhost")) == "forbidden"


async def test_3_one_who_is_watched_may_not_watch_back(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    alice.send("<presence to='bob@localhost' type='subscribe'/>")
    await alice.ping()
    bob.send("<presence to='alice@localhost' type='subscribed'/>")
    await bob.pending()
    await alice.pending()
    assert error_of(await last(bob, "alice@localhost")) == "forbidden"
    assert await seconds(alice, "bob@localhost") == (0, "")


async def test_4_a_contact_asks_a_resource_and_its_answer_returns(world: World) -> None:
    alice, bob = await two_friends(world)
    bob.send(f"<iq type='get' to='alice@localhost/phone' id='last2'>{QUERY}</iq>")
    await alice.receives("c:iq[@type='get'][@from='bob@localhost/phone'][@id='last2']")
    alice.send(
        "<iq type='result' to='bob@localhost/phone' id='last2'><query xmlns='jabber:iq:last' seconds='123'/></iq>"
    )
    reply = await bob.receives("c:iq[@type='result'][@from='alice@localhost/phone'][@id='last2']")
    assert reply[0].get("seconds") == "123"


@pytest.mark.parametrize("resource", ["phone", "elsewhere"])
async def test_4_and_8_a_stranger_reaches_no_resource(world: World, resource: str) -> None:
    alice, mallory = await world.online("alice/phone"), await world.online("mallory/phone")
    reply = await last(mallory, f"alice@localhost/{resource}")
    assert (error_of(reply), reply.get("from")) == ("forbidden", f"alice@localhost/{resource}")
    await alice.receives_nothing()


async def test_4_a_contact_asks_a_resource_that_is_not_there(world: World) -> None:
    _, bob = await two_friends(world)
    assert error_of(await last(bob, "alice@localhost/elsewhere")) == "service-unavailable"


async def test_4_ones_own_resources_answer_each_other(world: World) -> None:
    alice, laptop = await world.session("alice/phone"), await world.session("alice/laptop")
    alice.send(f"<iq type='get' to='alice@localhost/laptop' id='own'>{QUERY}</iq>")
    await laptop.receives("c:iq[@id='own']")


async def test_5_the_server_tells_how_long_it_runs(world: World) -> None:
    alice = await world.session("alice/phone")
    await world.advance(60)
    reply = await last(alice, "localhost")
    assert (reply[0].get("seconds"), reply[0].text) == ("60", None)


@pytest.mark.parametrize("whom", ["localhost", "alice@localhost"])
async def test_6_the_feature_is_told(world: World, whom: str) -> None:
    alice = await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await alice.ask(f"<iq type='get' to='{whom}'>{query}</iq>")
    assert reply.xpath("info:query/info:feature[@var='jabber:iq:last']", namespaces=NAMES)


async def test_strangers_may_be_let_in() -> None:
    async with a_world(modules=MODULES | {"last": {"strangers": True}}) as world:
        alice, bob = await world.online("alice/phone"), await world.session("bob/phone")
        assert await seconds(bob, "alice@localhost") == (0, "")
        bob.send(f"<iq type='get' to='alice@localhost/phone' id='q'>{QUERY}</iq>")
        await alice.receives("c:iq[@id='q']")


async def test_a_long_status_is_cut(world: World) -> None:
    alice = await world.online("alice/phone")
    await leave(alice, "x" * 5000)
    assert await seconds(alice, "alice@localhost") == (0, "x" * 1024)


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    alice = await world.online("alice/phone")
    await leave(alice)
    alice.send("<presence/>")
    await alice.ping()
    await world.host.remove_account(alice.jid.bare)
    rows = await world.host.house.storage.fetch("SELECT * FROM last_activity")
    assert rows == []


async def test_the_administrator_sees_and_sets_it(world: World) -> None:
    alice = JID.parse("alice@localhost")
    module = world.module("last")
    assert await module.get_last(alice) == {"timestamp": 0, "status": "NOT FOUND"}
    await module.set_last(alice, 1_600_000_000, "gone")
    assert await module.get_last(alice) == {"timestamp": 1_600_000_000, "status": "gone"}
    await world.online("alice/phone")
    assert await module.get_last(alice) == {"timestamp": 1_700_000_000, "status": "ONLINE"}


async def test_who_has_just_left_is_told_before_and_after_it_is_written(world: World) -> None:
    alice = await world.session("alice/phone")
    bob = await world.online("bob/desk")
    await world.friends(await world.online("alice/desk"), bob)
    bob.send("<presence type='unavailable'><status>home</status></presence>")
    await bob.ping()
    table = "SELECT account, status FROM last_activity WHERE account = 'bob@localhost'"
    for written in ([], [("bob@localhost", "home")]):
        assert await world.host.house.storage.fetch(table) == written
        reply = await alice.ask("<iq type='get' to='bob@localhost'><query xmlns='jabber:iq:last'/></iq>")
        assert reply.findtext("{jabber:iq:last}query") == "home"
        await world.advance(6)


async def test_who_has_just_left_is_written_when_the_server_stops(tmp_path: Path) -> None:
    async with a_world(data_dir=str(tmp_path)) as world:
        await world.online("alice/phone")
    async with a_world(data_dir=str(tmp_path)) as world:
        rows = await world.host.house.storage.fetch("SELECT account FROM last_activity")
        assert rows == [("alice@localhost",)]
