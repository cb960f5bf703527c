"""XEP-0386: Bind 2, a session within the login."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.sasl2 import DESKTOP, NAMES, PHONE, find, local, scram, text
from tests.kit.world import World, a_world
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.jid import JID

BIND = f"<bind xmlns='{ns.BIND2}'><tag>AwesomeXMPP</tag></bind>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        await made.account("alice")
        yield made


async def bound(world: World, request: str = BIND, agent: str = PHONE) -> Client:
    client = await world.dial()
    await client.open()
    answer = await scram(client, "alice", "alice", request, agent)
    assert find(answer, "bind:bound") is not None
    client.jid = JID.parse(text(answer, "sasl2:authorization-identifier"))
    return client


async def test_it_is_offered_inline_and_beside_it_the_old_binding(world: World) -> None:
    client = await world.dial()
    features = await client.open()
    offer = find(features, "sasl2:authentication/sasl2:inline/bind:bind/bind:inline")
    assert offer is not None
    await client.login("alice", "alice")
    await client.bind("old")


async def test_what_modules_can_begin_is_listed(world: World) -> None:
    features = await (await world.dial()).open()
    names = [each.get("var") for each in features.iterfind(".//bind:inline/bind:feature", NAMES)]
    assert names == ["urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:sm:3"]


async def test_a_login_with_bind_is_one_round_trip_to_a_session(world: World) -> None:
    client = await bound(world)
    assert client.jid.bare == "alice@localhost"
    assert client.jid.resource.startswith("AwesomeXMPP/")
    assert client.features is not None
    assert find(client.features, f"{{{ns.BIND}}}bind") is None
    client.send("<presence/>")
    await client.ping()
    (session,) = world.host.sessions.of("alice@localhost")
    assert session.jid == client.jid
    assert session.available
    assert session.client == "Tester on Kit"


async def test_one_installation_keeps_its_resource_and_its_id_stays_hidden(world: World) -> None:
    first = await bound(world)
    await first.close()
    second, other = await bound(world), await bound(world, agent=DESKTOP)
    assert second.jid == first.jid != other.jid
    assert PHONE not in second.jid


async def test_an_earlier_session_of_the_same_installation_ends(world: World) -> None:
    first = await bound(world)
    second = await bound(world, BIND.replace("AwesomeXMPP", "Renamed"))
    await first.receives_stream_error("conflict")
    await second.ping()
    assert [session.jid for session in world.host.sessions.of("alice@localhost")] == [second.jid]


async def test_without_an_id_each_session_has_a_resource_of_its_own(world: World) -> None:
    first, second = await bound(world, agent=""), await bound(world, agent="")
    assert first.jid != second.jid
    await first.ping()


@pytest.mark.parametrize("tag", ["", "&#x110000;"[:0], "a" * 5000, "\u00a0\u2028"])
async def test_a_tag_is_taken_where_it_can_stand_in_an_address(world: World, tag: str) -> None:
    client = await bound(world, f"<bind xmlns='{ns.BIND2}'><tag>{tag}</tag></bind>")
    assert 0 < len(client.jid.resource) <= 120
    await client.ping()


# What begins with the session


async def test_carbons_client_state_and_stream_management_begin_with_it(world: World) -> None:
    wishes = (
        "<enable xmlns='urn:xmpp:carbons:2'/><inactive xmlns='urn:xmpp:csi:0'/>"
        "<enable xmlns='urn:xmpp:sm:3' resume='1'/>"
    )
    client = await world.dial()
    await client.open()
    answer = await scram(client, "alice", "alice", BIND.replace("</bind>", f"{wishes}</bind>"))
    enabled = find(answer, "bind:bound/sm:enabled")
    assert enabled is not None
    assert enabled.get("id")
    desktop, bob = await world.online("alice/desktop"), await world.online("bob/phone")
    client.send("<presence/>")
    await desktop.pending()
    desktop.send("<message to='bob@localhost' type='chat'><body>hi</body></message>")
    await bob.receives("c:message")
    client.send("<r xmlns='urn:xmpp:sm:3'/>")
    got = [local(await client.receive()) for _ in range(4)]
    assert got == ["presence", "presence", "message", "a"]  # presence was held until something urgent came


async def test_the_archive_is_described_at_the_moment_of_binding(world: World) -> None:
    bob = await world.online("bob/phone")
    bob.send("<message to='alice@localhost' type='chat'><body>one</body></message>")
    await bob.ping()
    client = await world.dial()
    await client.open()
    answer = await scram(client, "alice", "alice", BIND)
    metadata = answer.find(".//{urn:xmpp:mam:2}metadata")
    assert metadata is not None
    end = metadata.find("{urn:xmpp:mam:2}end")
    assert end is not None
    assert end.get("id")
    client.send("<presence/>")
    await client.ping()  # what lay in the offline store is in the archive, and is not given again
    assert not [each for each in client._inbox if local(each) == "message"]


async def test_a_session_is_resumed_within_the_login_and_nothing_is_bound(world: World) -> None:
    client = await world.dial()
    await client.open()
    bind = BIND.replace("</bind>", "<enable xmlns='urn:xmpp:sm:3' resume='1'/></bind>")
    first = await scram(client, "alice", "alice", bind)
    jid, enabled = text(first, "sasl2:authorization-identifier"), find(first, "bind:bound/sm:enabled")
    assert enabled is not None
    client.send("<presence/>")
    await client.ping()
    await client.drop()
    bob = await world.online("bob/phone")
    bob.send(f"<message to='{jid}' type='chat'><body>are you there?</body></message>")
    await bob.ping()
    again = await world.dial()
    await again.open()
    resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='2'/>"
    answer = await scram(again, "alice", "alice", resume + BIND)
    resumed = find(answer, "sm:resumed")
    assert resumed is not None
    assert resumed.get("h") == "2"
    assert find(answer, "bind:bound") is None
    assert text(answer, "sasl2:authorization-identifier") == jid
    assert local(await again.receive()) == "message", "a stream that is resumed hears of no features"
    assert len(world.host.sessions.of("alice@localhost")) == 1


async def test_where_nothing_can_be_resumed_a_session_is_bound(world: World) -> None:
    client = await world.dial()
    await client.open()
    resume = "<resume xmlns='urn:xmpp:sm:3' previd='long gone' h='0'/>"
    answer = await scram(client, "alice", "alice", resume + BIND)
    failed = find(answer, "sm:failed")
    assert failed is not None
    assert local(failed[0]) == "item-not-found"
    assert find(answer, "bind:bound") is not None


async def test_where_the_login_fails_nothing_is_bound(world: World) -> None:
    client = await world.dial()
    await client.open()
    assert local(await scram(client, "alice", "wrong", BIND)) == "failure"
    assert not world.host.sessions.of("alice@localhost")


async def test_past_the_limit_of_sessions_the_stream_ends() -> None:
    async with a_world(limits={"max_sessions_per_user": 1}) as world:
        await world.session("alice/desktop")
        client = await world.dial()
        await client.open()
        answer = await scram(client, "alice", "alice", BIND)
        assert answer.tag == f"{{{ns.STREAM}}}error"


async def test_what_comes_for_the_session_comes_behind_its_success(world: World) -> None:
    """A friend's message to the full address, which is known from last time, does not overtake `<success/>`."""
    first = await bound(world)
    bob = await world.online("bob/phone")
    await first.close()
    client = await world.dial()
    await client.open()
    for _ in range(20):
        bob.send(f"<message to='{first.jid}'><body>there?</body></message>")
    assert local(await scram(client, "alice", "alice", BIND)) == "success"
    await bob.ping()
    await client.ping()
