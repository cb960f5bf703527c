"""What waits for a client that has lost its connection (XEP-0198) lies on disk before its sender is told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.test_offline import STATES
from xmppd.storage import Commit
from xmppd.xmpp.stanza import Element

from .managed import SM, acknowledge, bodies, enable, handled, heard_nothing, managed, resume, returning, tag, vanish
from .test_resumption import MODULES, says
from .test_resumption_returning import DELAY, PATIENT, comes, stamp

NS_MAM = "urn:xmpp:mam:2"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES, limits=PATIENT) as made:
        yield made


async def on_disk(world: World) -> int:
    """What the next life of the server would find in the offline store."""
    for box in world.module("offline")._boxes:
        await box.settled()
    row = await world.host.house.storage.fetch_one("SELECT count(*) FROM offline")
    return int(row[0]) if row else 0


async def back(world: World, gone: Client, id: str, h: int = 0) -> Client:
    """The client comes back to its session, having handled `h` stanzas."""
    again = await returning(world, str(gone.jid.local))
    assert (await resume(again, id, h)).tag == tag("resumed")
    again.jid = gone.jid
    return again


async def acknowledges(client: Client, h: int) -> None:
    """What came up to there; when it returns, the server knows."""
    acknowledge(client, h)
    await handled(client)


async def test_it_is_on_disk_before_it_is_acknowledged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob, _ = await managed(world, "bob/desk")
    await vanish(world, alice)
    slow = Commit()
    with monkeypatch.context() as patched:
        patched.setattr(world.host.house.storage, "add", lambda *row: slow)
        bob.send(f"<message to='alice@localhost' type='chat'><body>1</body></message><r xmlns='{SM}'/>")
        carol = await world.online("carol/desk")
    await carol.ping()
    assert heard_nothing(bob)
    slow.resolve([])
    assert (await bob.receive()).get("h") == "1"


async def test_a_ping_waits_for_it_too(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1, 2)
    rows = await world.host.house.storage.fetch("SELECT name FROM offline")
    assert rows == [("alice",)] * 2


async def test_a_client_that_comes_back_is_sent_it_once(world: World) -> None:
    """From the session, as if nothing had been; it is not dated, and no longer stored once it is acknowledged."""
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1, 2)
    again = await back(world, alice, id)
    got = await bodies(again, "1", "2")
    assert [each.find(DELAY) for each in got] == [None, None]
    assert await on_disk(world) == 2, "nobody knows yet that it has them"
    await acknowledges(again, 1)
    assert await on_disk(world) == 1
    await acknowledges(again, 2)
    assert await on_disk(world) == 0
    await says(bob, 3)
    await bodies(again, "3")
    assert await on_disk(world) == 0, "who is there needs no store"
    again.send("<presence/>")
    await again.receives("c:presence")
    await again.receives_nothing()


async def test_a_resumption_acknowledges_too(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    await bodies(alice, "1", "2")
    await vanish(world, alice)
    assert await on_disk(world) == 2, "what was underway when the connection broke"
    await back(world, alice, id, 1)
    assert await on_disk(world) == 1


async def test_what_was_underway_is_stored_where_it_may_be_lost(world: World) -> None:
    """A chat state, presence and requests are not."""
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    bob.send(f"<message to='alice@localhost' type='chat'><composing xmlns='{STATES}'/></message>")
    bob.send(f"<presence to='{alice.jid}'/><iq to='{alice.jid}' type='get' id='1'><q xmlns='urn:q'/></iq>")
    await bob.ping()
    assert await on_disk(world) == 0
    await vanish(world, alice)
    assert await on_disk(world) == 1


async def test_a_connection_that_breaks_again_keeps_it_stored(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1)
    again = await back(world, alice, id)
    await bodies(again, "1")
    await vanish(world, again)
    assert await on_disk(world) == 1
    once_more = await back(world, again, id, 1)
    assert await on_disk(world) == 0
    await once_more.pending()


async def test_who_does_not_come_back_finds_it_once(world: World) -> None:
    """In order with what came before and behind, each with its time."""
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    start = world.clock.time()
    await says(bob, 1)
    await vanish(world, alice)
    await world.advance(100)
    await says(bob, 2)
    await world.advance(201)
    await says(bob, 3)
    assert await on_disk(world) == 3
    anew = await comes(world, "alice/phone")
    got = await bodies(anew, "1", "2", "3")
    assert [stamp(each) - start for each in got] == [0, 100, 301]
    while await on_disk(world):
        await anew.receives_nothing()


async def test_another_session_is_not_given_it_while_the_first_may_come_back(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1)
    desk = await comes(world, "alice/desk")
    await desk.receives("c:presence")
    await desk.receives_nothing()
    again = await back(world, alice, id)
    await again.pending()
    assert await on_disk(world) == 1


async def test_it_is_not_deleted_with_others_that_are_delivered(world: World) -> None:
    """Stored for a session that was not available, stored for a device; the one is delivered, the other waits on."""
    alice, _ = await managed(world, "alice/phone")
    alice.send("<presence type='unavailable'/>")
    bob = await world.online("bob/desk")
    await alice.pending()
    await says(bob, 1)
    await vanish(world, alice)
    bob.send(f"<message to='{alice.jid}' type='chat'><body>2</body></message>")
    await says(bob, 3)
    assert await on_disk(world) == 3
    desk = await world.session("alice/desk")
    desk.send("<presence/>")
    await desk.receives("c:presence")
    await bodies(desk, "1", "3")
    while await on_disk(world) > 1:
        await desk.ping()
    await desk.close()
    await world.advance(301)
    await bodies(await comes(world, "alice/desk"), "2")


async def test_a_page_of_nothing_else_is_passed_over(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    alice.send("<presence type='unavailable'/>")
    bob = await world.online("bob/desk")
    await alice.pending()
    await vanish(world, alice)
    bob.send("".join(f"<message to='{alice.jid}' type='chat'><body>{number}</body></message>" for number in range(60)))
    await says(bob, "behind them")
    await bodies(await comes(world, "alice/desk"), "behind them")


async def test_another_session_that_is_given_it_in_the_end_has_it(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1)
    desk = await world.online("alice/desk")
    await world.advance(301)
    (got,) = await bodies(desk, "1")
    assert stamp(got)
    await desk.pending()
    assert await on_disk(world) == 0
    await desk.close()
    await (await comes(world, "alice/phone")).receives_nothing()


async def test_what_another_session_was_given_is_not_stored(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    desk, bob = await world.online("alice/desk"), await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1)
    await bodies(desk, "1")
    assert await on_disk(world) == 0


@pytest.mark.parametrize("first", ["phone", "tablet"])
async def test_what_waits_for_two_is_stored_once_until_one_of_them_has_it(world: World, first: str) -> None:
    clients = {name: await managed(world, f"alice/{name}") for name in ("phone", "tablet")}
    bob = await world.online("bob/desk")
    await says(bob, 1)
    for client, _ in clients.values():
        await client.pending()
        acknowledge(client, 0)
        await vanish(world, client)
    await says(bob, 2)
    assert await on_disk(world) == 2
    gone, id = clients[first]
    again = await back(world, gone, id)
    got = [each.findtext("{jabber:client}body") for each in await again.pending() if each.tag.endswith("message")]
    assert got == ["1", "2"]
    session = world.host.sessions.find(gone.jid)
    assert session is not None
    await acknowledges(again, session.door.ledger.sent)  # type: ignore[attr-defined]
    assert await on_disk(world) == 0


async def test_it_comes_behind_what_is_on_its_way_to_another(world: World) -> None:
    """A session gives up while stored messages leave in portions for another, which does not read messages yet."""
    await world.account("alice")
    bob = await world.online("bob/desk")
    await says(bob, *(f"{number} {'x' * 20000}" for number in range(100)))
    phone = await world.session("alice/phone")
    id = (await enable(phone, "resume='true' max='10'")).get("id")
    assert id
    await vanish(world, phone)
    bob.send(f"<message to='{phone.jid}' type='chat'><body>for the phone</body></message>")
    await bob.ping()
    desk = await world.session("alice/desk")
    desk.writer.transport.pause_reading()  # type: ignore[attr-defined]
    desk.send("<presence/>")
    box = world.module("offline")._boxes.get("alice")
    while not box.handed:
        await bob.ping()
    session = world.host.sessions.find(desk.jid)
    assert session is not None
    session.priority = -1
    await world.advance(11)
    while world.host.sessions.find(phone.jid):
        await bob.ping()
    session.priority = 0
    desk.writer.transport.resume_reading()  # type: ignore[attr-defined]
    got: list[str | None] = []
    while "for the phone" not in got:
        got.append((await desk.receive()).findtext("{jabber:client}body"))
    numbers = [int(body.split()[0]) for body in got if body and body[0].isdigit()]
    assert numbers == list(range(100))
    await desk.receives_nothing()


@pytest.mark.parametrize("order", [("phone", "desk"), ("desk", "phone")])
async def test_what_one_has_acknowledged_is_not_stored_for_the_other(world: World, order: tuple[str, str]) -> None:
    """Neither when they lose their connections, nor when one of them gives up and it goes to a third."""
    clients = {name: (await managed(world, f"alice/{name}"))[0] for name in ("phone", "desk")}
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    desk = world.host.sessions.find(clients["desk"].jid)
    assert desk is not None
    first = desk.door.ledger.sent - 1  # type: ignore[attr-defined]
    await clients["desk"].pending()
    await acknowledges(clients["desk"], first)
    for name in order:
        await vanish(world, clients[name])
    assert await on_disk(world) == 1
    tablet, _ = await managed(world, "alice/tablet")
    await vanish(world, tablet)
    await world.host.close_session(world.host.sessions.of("alice@localhost")[0])
    assert await on_disk(world) == 1


async def test_what_was_given_to_another_is_stored_when_that_is_lost_too(world: World) -> None:
    phone, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, phone)
    await says(bob, 1)
    desk, _ = await managed(world, "alice/desk")
    await world.advance(301)
    await bodies(desk, "1")
    assert await on_disk(world) == 0
    await vanish(world, desk)
    assert await on_disk(world) == 1


async def test_where_not_all_is_remembered_the_box_is_looked_up(world: World) -> None:
    """And what comes behind waits for it."""
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    world.module("offline")._boxes._complete = False
    await vanish(world, alice)
    await says(bob, 1, 2, 3)
    assert await on_disk(world) == 3
    await world.advance(301)
    await bodies(await comes(world, "alice/phone"), "1", "2", "3")


async def test_the_next_life_of_the_server_has_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The store as a killed server leaves it: what waited for a session is an offline message like any other."""
    folder = tmp_path_factory.mktemp("killed")
    kept: list[Any] = []
    async with a_world(modules=MODULES, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await vanish(world, alice)
        await says(bob, 1, 2)
        kept = await world.host.house.storage.fetch("SELECT host, name, seq, message FROM offline")
    async with a_world(modules=MODULES, data_dir=str(folder)) as world:
        await world.account("alice")
        insert = "INSERT INTO offline (host, name, seq, message) VALUES (?, ?, ?, ?)"
        await world.host.house.storage.write(*((insert, row) for row in kept))
    async with a_world(modules=MODULES, data_dir=str(folder)) as world:
        anew = await comes(world, "alice/phone")
        got: list[Element] = await bodies(anew, "1", "2")
        assert all(stamp(each) for each in got)


async def test_two_lookups_keep_it_once(world: World) -> None:
    """Two who write at once to somebody whose box is not remembered."""
    alice, _ = await managed(world, "alice/phone")
    bob, carol = await world.online("bob/desk"), await world.online("carol/desk")
    world.module("offline")._boxes._complete = False
    await vanish(world, alice)
    await asyncio.gather(says(bob, 1), says(carol, 2))
    assert await on_disk(world) == 2
