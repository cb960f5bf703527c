"""XEP-0199: XMPP Ping."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import NAMES, error_of
from tests.kit.world import World, a_world

PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "disco": {}, "roster": {}, "presence": {}}) as made:
        yield made


async def test_4_2_the_server_answers(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get' to='localhost'>{PING}</iq>")
    assert (reply.get("type"), reply.get("from"), reply.get("to")) == ("result", "localhost", "alice@localhost/phone")
    assert len(reply) == 0


async def test_4_2_a_ping_without_to_is_answered_too(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get'>{PING}</iq>")
    assert reply.get("type") == "result"
    assert reply.get("from") in (None, "alice@localhost")


async def test_4_4_a_client_pings_another_and_its_answer_returns(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    alice.send(f"<iq type='get' to='bob@localhost/phone' id='e2e1'>{PING}</iq>")
    ping = await bob.receives("c:iq[@type='get'][@from='alice@localhost/phone'][@id='e2e1']")
    assert ping[0].tag == "{urn:xmpp:ping}ping"
    bob.send("<iq type='result' to='alice@localhost/phone' id='e2e1'/>")
    await alice.receives("c:iq[@type='result'][@from='bob@localhost/phone'][@id='e2e1']")


async def test_4_4_the_server_answers_for_an_account_to_those_who_may_see_it(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    for client in (alice, bob):
        reply = await client.ask(f"<iq type='get' to='alice@localhost'>{PING}</iq>")
        assert (reply.get("type"), reply.get("from")) == ("result", "alice@localhost")


async def test_6_a_stranger_cannot_tell_who_is_there(world: World) -> None:
    await world.online("alice/phone")
    mallory = await world.session("mallory/phone")
    for whom in ("alice@localhost", "nobody@localhost", "alice@localhost/away", "nobody@localhost/phone"):
        reply = await mallory.ask(f"<iq type='get' to='{whom}'>{PING}</iq>")
        assert (error_of(reply), reply.get("from")) == ("service-unavailable", whom)


async def test_4_without_the_module_pings_are_unavailable() -> None:
    async with a_world(modules={"time": {}}) as world:
        alice = await world.session("alice/phone")
        for whom in (" to='localhost'", "", " to='alice@localhost'"):
            assert error_of(await alice.ask(f"<iq type='get'{whom}>{PING}</iq>")) == "service-unavailable"


@pytest.mark.parametrize("whom", ["localhost", "alice@localhost"])
async def test_5_the_feature_is_told(world: World, whom: str) -> None:
    alice = await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await alice.ask(f"<iq type='get' to='{whom}'>{query}</iq>")
    assert reply.xpath("info:query/info:feature[@var='urn:xmpp:ping']", namespaces=NAMES)
