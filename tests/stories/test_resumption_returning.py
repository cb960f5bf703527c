"""XEP-0198 4: what a session has not acknowledged when it ends goes back to the road."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.routing.event import Event
from xmppd.xmpp.stanza import Element, Stanza
from xmppd.xmpp.timestamps import parse_datetime

from .managed import acknowledge, bodies, enable, managed, resume, returning, tag, vanish
from .test_resumption import MODULES, says

DELAY = "{urn:xmpp:delay}delay"
PATIENT = {"ping_interval": 10_000, "idle_timeout": 20_000}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES, limits=PATIENT) as made:
        yield made


async def comes(world: World, address: str) -> Client:
    """Somebody comes online, and whatever waits comes in."""
    client = await world.session(address)
    client.send("<presence/>")
    await client.receives("c:presence")
    return client


def stamp(message: Element) -> float:
    """When it was sent first: it says so once. What is stored at one moment is microseconds apart."""
    (delay,) = message.findall(DELAY)
    assert delay.get("from") == "localhost"
    return round(parse_datetime(delay.get("stamp") or "").timestamp(), 3)


async def test_it_waits_for_the_next_session_with_its_time(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    start = world.clock.time()
    await says(bob, 1)
    await world.advance(10.25)
    await says(bob, 2)
    await vanish(world, alice)
    await world.advance(19.75)
    await says(bob, 3)
    await world.advance(300)
    await says(bob, 4)
    anew = await comes(world, "alice/phone")
    got = await bodies(anew, "1", "2", "3", "4")
    assert [stamp(each) - start for each in got] == [0, 10.25, 30, 330]
    await anew.receives_nothing()


async def test_it_goes_to_a_session_that_came_later(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    start = world.clock.time()
    await vanish(world, alice)
    desk = await world.online("alice/desk")
    await says(bob, 3)
    await bodies(desk, "3")
    await world.advance(301)
    got = await bodies(desk, "1", "2")
    assert [stamp(each) - start for each in got] == [0, 0]
    assert [each.get("to") for each in got] == ["alice@localhost"] * 2
    await desk.pending()
    assert await stored(world) == 0


async def stored(world: World) -> int:
    """How many messages lie in the offline store for the next session."""
    while world.server.shared is not None and world.server.shared.tasks:
        await asyncio.wait(world.server.shared.tasks)
    held = 0
    for box in world.module("offline")._boxes:
        await box.settled()
        held += len(box.held)
    row = await world.host.house.storage.fetch_one("SELECT count(*) FROM offline")
    return int(row[0]) - held if row else 0


async def test_a_session_that_got_it_is_not_given_it_again(world: World) -> None:
    """A message to the bare address reaches all; who took it has it."""
    alice, _ = await managed(world, "alice/phone")
    desk, bob = await world.online("alice/desk"), await world.online("bob/desk")
    await alice.pending()
    await says(bob, 1, 2)
    await bodies(desk, "1", "2")
    await vanish(world, alice)
    await world.advance(301)
    await desk.receives("c:presence[@type='unavailable']")
    await desk.receives_nothing()
    assert await stored(world) == 0


async def test_not_even_if_it_left_and_came_meanwhile(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    desk, bob = await world.online("alice/desk"), await world.online("bob/desk")
    await says(bob, 1)
    desk.send("<presence type='unavailable'/>")
    await desk.ping()
    await says(bob, 2)
    desk.send("<presence/>")
    await desk.pending()
    await vanish(world, alice)
    await world.advance(301)
    got = [each for each in await desk.pending() if each.tag == "{jabber:client}message"]
    assert [each.findtext("{jabber:client}body") for each in got] == ["2"]


async def test_what_two_sessions_lose_is_kept_once(world: World) -> None:
    """The last that could have had it is responsible."""
    alice, _ = await managed(world, "alice/phone")
    desk, _ = await managed(world, "alice/desk", "resume='true' max='100'")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    await vanish(world, desk)
    await vanish(world, alice)
    await world.advance(150)
    assert await stored(world) == 0
    await world.advance(200)
    assert await stored(world) == 2
    anew = await comes(world, "alice/phone")
    await bodies(anew, "1", "2")


async def test_what_one_of_two_has_acknowledged_is_not_kept(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    desk, _ = await managed(world, "alice/desk")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    got = await desk.pending()
    assert len(got) >= 2
    session = world.host.sessions.find(desk.jid)
    assert session is not None
    acknowledge(desk, session.door.ledger.sent)  # type: ignore[attr-defined]
    await desk.close()
    await vanish(world, alice)
    await world.advance(301)
    assert await stored(world) == 0


async def test_what_is_lost_again_and_again_keeps_its_first_time(world: World) -> None:
    alice, _ = await managed(world, "alice/phone", "resume='true' max='10'")
    bob = await world.online("bob/desk")
    start = world.clock.time()
    await says(bob, 1)
    await vanish(world, alice)
    desk, _ = await managed(world, "alice/desk", "resume='true' max='100'")
    await world.advance(11)
    (got,) = await bodies(desk, "1")
    assert stamp(got) == start
    await vanish(world, desk)
    await world.advance(101)
    anew = await comes(world, "alice/tablet")
    (got,) = await bodies(anew, "1")
    assert stamp(got) == start


async def test_one_road_back_does_not_end_another(world: World) -> None:
    """Phone and tablet both lose a message; what the desk is given of the one is not given to it by the other."""
    phone, _ = await managed(world, "alice/phone", "resume='true' max='10'")
    tablet, _ = await managed(world, "alice/tablet", "resume='true' max='100'")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await vanish(world, phone)
    await vanish(world, tablet)
    desk, _ = await managed(world, "alice/desk", "resume='true' max='5'")
    await world.advance(11)
    await bodies(desk, "1")
    await vanish(world, desk)
    await world.advance(6)
    assert await stored(world) == 0, "the tablet has it"
    await world.advance(100)
    assert await stored(world) == 1


async def test_a_carbon_counts_as_having_it(world: World) -> None:
    """Who copies a message to further sessions says so (XEP-0280); the copies themselves are not given back."""
    alice, _ = await managed(world, "alice/phone")
    desk, _ = await managed(world, "alice/desk")
    bob = await world.online("bob/desk")

    async def copy(event: Event) -> None:
        session = world.host.sessions.find(desk.jid)
        if session is not None and event.stanza.to == alice.jid:
            event.stanza.given(session)
            letter = b"<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>"
            await session.deliver(Stanza("message", desk.jid, desk.jid.bare, "chat", letter=letter))

    world.host.hooks.account_receive.add(copy)
    bob.send(f"<message to='{alice.jid}' type='chat'><body>1</body></message>")
    await bob.ping()
    await vanish(world, alice)
    await world.advance(100)
    await vanish(world, desk)
    await world.advance(201)
    assert await stored(world) == 0, "the desk is still responsible"
    await world.advance(100)
    assert await stored(world) == 0, "a copy is only a copy"


async def test_what_a_session_has_read_in_the_archive_it_is_not_given() -> None:
    async with a_world(modules={**MODULES, "mam": {}}, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, 1, 2)
        await vanish(world, alice)
        desk = await world.session("alice/desk")
        await desk.ask("<iq type='set'><query xmlns='urn:xmpp:mam:2'/></iq>")
        desk.send("<presence/>")
        read = await desk.pending()
        assert [each.tag for each in read[:2]] == ["{jabber:client}message"] * 2
        await says(bob, 3)
        await bodies(desk, "3")
        await world.advance(301)
        await desk.receives("c:presence[@type='unavailable']")
        await desk.receives_nothing()
        assert await stored(world) == 0


async def test_a_message_to_the_full_address_goes_to_others(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    desk, bob = await world.online("alice/desk"), await world.online("bob/desk")
    for type in ("chat", "normal"):
        bob.send(f"<message to='{alice.jid}' type='{type}'><body>{type}</body></message>")
    await bob.ping()
    await vanish(world, alice)
    await world.advance(301)
    got = [each for each in await desk.pending() if each.find(DELAY) is not None]
    assert [each.findtext("{jabber:client}body") for each in got] == ["chat", "normal"]


async def test_a_negative_priority_is_given_nothing(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await vanish(world, alice)
    desk = await world.online("alice/desk", "<presence><priority>-1</priority></presence>")
    await world.advance(301)
    await desk.pending()
    assert await stored(world) == 1


@pytest.mark.parametrize("type", ["error", "groupchat", "headline"])
async def test_what_is_for_one_device_is_dropped(world: World, type: str) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    bob.send(f"<message to='{alice.jid}' type='{type}'><body>hi</body></message>")
    await bob.ping()
    await vanish(world, alice)
    await world.advance(301)
    await bob.receives_nothing()
    assert await stored(world) == 0


async def test_a_page_of_an_archive_is_dropped(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    session = world.host.sessions.find(alice.jid)
    assert session is not None
    result = Stanza("message", alice.jid, alice.jid.bare, letter=b"<result xmlns='urn:xmpp:mam:2' id='1'/>")
    await session.deliver(result)
    await vanish(world, alice)
    await world.advance(301)
    assert await stored(world) == 0


async def test_a_request_is_answered_and_presence_dropped(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    bob.send(f"<iq to='{alice.jid}' type='get' id='v1'><query xmlns='jabber:iq:version'/></iq>")
    bob.send(f"<iq to='{alice.jid}' type='result' id='v2'/><presence to='{alice.jid}'/>")
    await bob.ping()
    await vanish(world, alice)
    await world.advance(301)
    error = await bob.receives_error("service-unavailable")
    assert (error.get("id"), error.get("from")) == ("v1", alice.jid)
    await bob.receives_nothing()


async def test_without_a_store_the_sender_is_told() -> None:
    async with a_world(modules={"ping": {}, "presence": {}, "roster": {}}, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, 1)
        await vanish(world, alice)
        await world.advance(301)
        await bob.receives_error("service-unavailable")


async def test_it_is_neither_archived_nor_copied_again(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    seen: list[Any] = []
    world.host.hooks.account_receive.add(lambda event: seen.append(event.stanza) if event.stanza.has("body") else None)
    await says(bob, 1)
    assert len(seen) == 1
    await vanish(world, alice)
    await world.advance(301)
    assert await stored(world) == 1
    assert len(seen) == 1


async def test_what_comes_meanwhile_comes_behind(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2, 3)
    await vanish(world, alice)
    world.module("offline")._boxes._complete = False  # so that the first message has to look up the box
    world.clock._now += 301
    world.server.timetable.run_due()
    await says(bob, 4)
    anew = await comes(world, "alice/phone")
    await bodies(anew, "1", "2", "3", "4")


async def test_stored_messages_are_stored_until_they_are_acknowledged(world: World) -> None:
    """The offline store asks the client, not its TCP; nothing of it is given back, for it is still there."""
    await world.account("alice")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    alice = await world.session("alice/phone")
    id = (await enable(alice)).get("id") or ""
    alice.send("<presence/>")
    await alice.receives("c:presence")
    await bodies(alice, "1", "2")
    assert await stored(world) == 2
    await vanish(world, alice)
    again = await returning(world, "alice")
    await resume(again, id, 2)
    again.jid = alice.jid
    (second,) = await bodies(again, "2")
    assert stamp(second)
    await vanish(world, again)
    await world.advance(301)
    assert await stored(world) == 2
    anew = await comes(world, "alice/phone")
    await bodies(anew, "1", "2")
    await anew.receives_nothing()


async def test_stored_messages_that_are_acknowledged_are_gone(world: World) -> None:
    await world.account("alice")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    alice = await world.session("alice/phone")
    await enable(alice)
    alice.send("<presence/>")
    await alice.receives("c:presence")
    await bodies(alice, "1", "2")
    acknowledge(alice, 3)
    await alice.ping()
    await alice.close()
    anew = await comes(world, "alice/phone")
    await anew.receives_nothing()


async def test_a_server_that_stops_gives_everything_back(tmp_path: Path) -> None:
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        alice, _ = await managed(world, "alice/phone")
        await managed(world, "carol/desk")
        bob = await world.online("bob/desk")
        await says(bob, 1, 2)
        await says(bob, 3, to="carol")
        await vanish(world, alice)
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        await bodies(await comes(world, "alice/phone"), "1", "2")
        await bodies(await comes(world, "carol/desk"), "3")


async def test_a_server_that_stops_asks_first(tmp_path: Path) -> None:
    """What a client has is not stored for it."""
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, 1, 2)
        await bodies(alice, "1", "2")
        closing = asyncio.create_task(world.server.close())
        assert (await alice.receive()).tag == tag("r")
        acknowledge(alice, 2)
        await closing
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        anew = await comes(world, "alice/phone")
        await anew.receives_nothing()
