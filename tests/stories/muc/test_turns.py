"""A room handles one stanza at a time; what comes meanwhile waits, and no room waits for itself."""

import asyncio

from tests.kit.client import Client
from tests.kit.world import World
from xmppd.api import Event
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DISCO_INFO
from xmppd.xmpp.stanza import Stanza

from .coven import MUC, ROOM, a_service, bodies, codes, entering, found, nick, say, world
from .test_speak import gather

__all__ = ["world"]


async def come(clients: list[Client]) -> None:
    """All enter at once."""
    for number, client in enumerate(clients):
        client.send(entering(f"w{number}"))
    for client in clients:
        await client.ping()


async def test_what_comes_during_a_turn_waits_for_its_own(world: World) -> None:
    trio = await gather(world)
    room = world.module("muc").rooms.loaded["coven"]
    async with room.lock:
        trio.hag.send(say("one"))
        trio.wicca.send(say("two"))
        await trio.crone.ping()
        assert room.occupants.by_nick("thirdwitch") is not None
    seen = [bodies([await client.receive(), await client.receive()]) for client in trio.everybody]
    assert seen[0] == seen[1] == seen[2]
    assert sorted(seen[0]) == ["one", "two"]


async def test_a_ghost_is_found_when_it_is_spoken_to_and_leaves(world: World) -> None:
    trio = await gather(world)
    session = world.host.sessions.find(trio.hag.jid)
    assert session is not None
    world.host.sessions.remove(session)  # gone, and nobody was told
    trio.crone.send(say("are you there?"))
    await trio.crone.receives("c:message[c:body]")
    gone = await trio.crone.receives("c:presence[@type='unavailable']")
    assert (nick(gone), codes(gone)) == ("thirdwitch", ["333"])


async def test_occupants_of_a_host_that_cannot_be_reached_leave(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    letter = f"<x xmlns='{MUC}'/>".encode()
    for number in range(50):
        far = JID.parse(f"king@far.example/{number}")
        to = JID.parse(f"{ROOM}/king{number}")
        event = Event(Stanza("presence", to, far, "", "", "", letter, (f"{MUC} x",)))
        await world.host.house.router.route(event)
        await world.module("muc").settle()
    await crone.pending()
    assert len(world.module("muc").rooms.loaded["coven"].occupants) == 1
    crone.send(say("hi"))
    await crone.receives("c:message[c:body='hi']")


async def test_many_enter_and_leave_at_once(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    clients = [await world.online(f"witch{number}/pda") for number in range(20)]
    await come(clients)
    room = world.module("muc").rooms.loaded["coven"]
    assert len(room.occupants) == 21
    await asyncio.gather(*(client.close() for client in clients))
    await crone.ping()
    assert len(room.occupants) == 1


async def test_two_who_enter_a_new_room_at_once_are_in_the_same() -> None:
    async with a_service(room_locking=False) as world:
        clients = [await world.online(f"witch{number}/pda") for number in range(5)]
        await come(clients)
        assert len(world.module("muc").rooms.loaded["coven"].occupants) == 5
        assert sum(kind == "owner" for kind in world.module("muc").rooms.loaded["coven"].affiliations.values()) == 1


async def test_what_waits_by_itself_for_a_room_that_goes_meanwhile_is_answered(world: World) -> None:
    trio = await gather(world)
    muc = world.module("muc")
    room = muc.rooms.loaded["coven"]
    query = f"<query xmlns='{DISCO_INFO}'/>".encode()
    asked = Stanza("iq", JID.parse(ROOM), trio.hag.jid, "get", "d1", "", query, (f"{DISCO_INFO} query",))
    async with room.lock:
        await world.host.house.router.route(Event(asked))
        await room.destroy("<destroy/>")
    await muc.settle()
    await trio.hag.receives("c:presence[@type='unavailable']")
    await trio.hag.receives_error("item-not-found")


async def test_nobody_is_shown_in_a_room_that_was_destroyed_meanwhile() -> None:
    async with a_service(room_presence_rate=1) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        clients = [await world.online(f"witch{number}/pda") for number in range(3)]
        await come(clients)
        for number, client in enumerate(clients):
            client.send(f"<presence to='{ROOM}/w{number}'><show>away</show></presence>")
            await client.pending()
        room = world.module("muc").rooms.loaded["coven"]
        assert room.pending
        async with room.lock:
            passing = asyncio.create_task(world.advance(1))
            await crone.pending()
            await room.destroy("<destroy/>")
        await passing
        for client in clients:
            await client.receives("c:presence[@type='unavailable']")
            await client.receives_nothing()
