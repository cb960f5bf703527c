"""Latency: docs/protocols/latency.md as stories."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

LATENCY = "xmppd.extensions.latency"
ASK = "<latency xmlns='urn:xmppd:latency:0'/>"
X = "<x xmlns='http://jabber.org/protocol/muc'/>"
OWNER = "http://jabber.org/protocol/muc#owner"
ROOM = "lobby@conference.localhost"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    modules = {name: {} for name in ("disco", "ping", "muc", LATENCY, f"{LATENCY}.rooms")}
    async with a_world(modules=modules) as made:
        yield made


async def figures(client: Client, to: str = "localhost") -> Element:
    reply = await client.ask(f"<iq type='get' to='{to}'>{ASK}</iq>")
    assert reply.get("type") == "result", error_of(reply)
    return reply[0]


async def answer(world: World, client: Client, seconds: float, kind: str = "result") -> None:
    """The client's answer to the ping that is out takes so long."""
    ping = await client.receives("c:iq[@type='get']")
    world.clock._now += seconds
    client.send(f"<iq type='{kind}' to='localhost' id='{ping.get('id')}'/>")
    await client.ping()


async def enter(client: Client) -> None:
    client.send(f"<presence to='{ROOM}/{client.jid.local}'>{X}</presence>")
    await client.pending()


async def lobby(client: Client) -> None:
    """The client makes the room and opens it for others."""
    await enter(client)
    form = "<x xmlns='jabber:x:data' type='submit'/>"
    await client.ask(f"<iq type='set' to='{ROOM}'><query xmlns='{OWNER}'>{form}</query></iq>")


async def next_ping(world: World) -> None:
    await world.advance(5)


async def test_it_is_announced(world: World) -> None:
    alice = await world.session("alice/game")
    info = await alice.ask("<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
    assert "urn:xmppd:latency:0" in [each.get("var") for each in info[0]]


async def test_nothing_is_known_at_first_and_the_first_answer_says_all(world: World) -> None:
    alice = await world.session("alice/game")
    assert (await figures(alice)).get("samples") == "0"
    await answer(world, alice, 0.040)
    now = await figures(alice)
    assert (now.get("rtt"), now.get("jitter"), now.get("samples")) == ("40.0", "20.0", "1")


async def test_further_answers_are_smoothed(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    await answer(world, alice, 0.040)
    await next_ping(world)
    await answer(world, alice, 0.120)
    now = await figures(alice)
    assert (now.get("rtt"), now.get("jitter"), now.get("samples")) == ("50.0", "35.0", "2")


async def test_an_error_is_an_answer_too(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    await answer(world, alice, 0.030, "error")
    assert (await figures(alice)).get("rtt") == "30.0"


async def test_a_ping_that_nobody_answers_counts(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    await next_ping(world)
    await alice.receives("c:iq[@type='get']")
    await alice.receives("c:iq[@type='get']")
    assert float((await figures(alice)).get("rtt", "")) >= 1000


async def test_a_wrong_answer_counts_for_nothing(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    alice.send("<iq type='result' to='localhost' id='rtt-000000000000'/>")
    await alice.receives("c:iq[@type='get']")
    assert (await figures(alice)).get("samples") == "0"


async def test_who_does_not_ask_is_not_pinged(world: World) -> None:
    alice = await world.session("alice/game")
    await world.advance(20)
    await alice.receives_nothing()


async def test_who_asks_no_more_is_pinged_no_more(world: World) -> None:
    alice = await world.session("alice/game")
    await figures(alice)
    await world.advance(70)
    await alice.pending()
    assert not world.module(LATENCY).meters
    await world.advance(20)
    await alice.receives_nothing()


async def test_a_session_that_ends_is_forgotten(world: World) -> None:
    alice, bob = await world.session("alice/game"), await world.session("bob/game")
    await figures(alice)
    await alice.close()
    await bob.ping()
    assert not world.module(LATENCY).meters


async def test_only_the_own_server_tells(world: World) -> None:
    alice = await world.session("alice/game")
    reply = await alice.ask(f"<iq type='get' to='alice@localhost'>{ASK}</iq>")
    assert error_of(reply) == "service-unavailable"


async def test_in_a_room_the_slowest_counts(world: World) -> None:
    alice, bob = await world.online("alice/game"), await world.online("bob/game")
    await lobby(alice)
    await enter(bob)
    await alice.pending()
    first = await figures(alice, ROOM)
    assert (first.get("measured"), first.get("occupants")) == ("0", "2")
    await answer(world, alice, 0.010)
    await answer(world, bob, 0.170)
    now = await figures(bob, ROOM)
    assert (now.get("rtt"), now.get("measured")) == ("180.0", "2")  # bob's was out while alice's was answered


async def test_who_is_not_in_the_room_learns_nothing(world: World) -> None:
    alice, bob = await world.online("alice/game"), await world.online("bob/game")
    await lobby(alice)
    reply = await bob.ask(f"<iq type='get' to='{ROOM}'>{ASK}</iq>")
    assert error_of(reply) == "not-acceptable"
