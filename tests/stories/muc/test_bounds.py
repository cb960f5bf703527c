"""What rooms take from their occupants has bounds, each with a clear error; the others notice nothing."""

from tests.kit.world import World

from .coven import ROOM, a_service, bodies, entering, enters, found, nick, say, world
from .test_speak import gather

__all__ = ["world"]


async def test_one_occupant_speaks_no_faster_than_the_service_allows() -> None:
    async with a_service(min_message_interval=2) as world:
        trio = await gather(world)
        trio.hag.send(say("one"))
        trio.hag.send(say("two"))
        assert bodies([await trio.hag.receive()]) == ["one"]
        await trio.hag.receives_error("resource-constraint")
        await world.advance(2)
        trio.hag.send(say("three"))
        await trio.hag.ping()
        assert bodies(await trio.crone.pending()) == ["one", "three"]


async def test_a_room_takes_so_many_messages_a_second() -> None:
    async with a_service(room_message_rate=3) as world:
        trio = await gather(world)
        for number in range(5):
            trio.hag.send(say(str(number)))
        await trio.hag.ping()
        assert bodies(await trio.crone.pending()) == ["0", "1", "2"]
        refused = [each for each in await trio.hag.pending() if each.get("type") == "error"]
        assert len(refused) == 2
        await world.advance(1)
        trio.wicca.send(say("again"))
        await trio.wicca.ping()
        assert bodies(await trio.crone.pending()) == ["again"]


async def test_presence_that_changes_too_often_is_told_later_and_once() -> None:
    async with a_service(min_presence_interval=5) as world:
        trio = await gather(world)
        for number in range(10):
            trio.hag.send(f"<presence to='{ROOM}/thirdwitch'><status>{number}</status></presence>")
        await trio.hag.ping()
        assert [each.findtext("{jabber:client}status") for each in await trio.crone.pending()] == ["0"]
        await world.advance(6)
        assert [each.findtext("{jabber:client}status") for each in await trio.crone.pending()] == ["9"]


async def test_nicks_that_change_in_a_loop_are_refused() -> None:
    async with a_service(min_presence_interval=5) as world:
        trio = await gather(world)
        for number in range(5):
            trio.hag.send(f"<presence to='{ROOM}/witch{number}'/>")
        await trio.hag.ping()
        assert len(await trio.crone.pending()) == 2
        refused = [each for each in await trio.hag.pending() if each.get("type") == "error"]
        assert len(refused) == 4


async def test_who_enters_and_leaves_in_a_loop_is_refused(world: World) -> None:
    trio = await gather(world)
    for _ in range(30):
        trio.hag.send(f"<presence type='unavailable' to='{ROOM}/thirdwitch'/>")
        trio.hag.send(entering("thirdwitch"))
    await trio.hag.ping()
    assert len(await trio.crone.pending()) == 19 * 2 + 1
    refused = [each for each in await trio.hag.pending() if each.get("type") == "error"]
    assert len(refused) == 11
    await world.advance(2)
    await enters(trio.hag, "thirdwitch")


async def test_who_changes_presence_in_a_loop_is_seen_once_a_second(world: World) -> None:
    trio = await gather(world)
    for number in range(100):
        trio.hag.send(f"<presence to='{ROOM}/thirdwitch'><status>{number}</status></presence>")
    await trio.hag.ping()
    assert len(await trio.crone.pending()) == 19
    await world.advance(1)
    assert [each.findtext("{jabber:client}status") for each in await trio.crone.pending()] == ["99"]


async def test_a_user_is_in_so_many_rooms() -> None:
    async with a_service(max_user_conferences=2) as world:
        hag = await world.online("hag66/pda")
        for name in ("one", "two"):
            await enters(hag, "w", room=f"{name}@conference.localhost")
        hag.send(entering("w", room="three@conference.localhost"))
        await hag.receives_error("resource-constraint")
        assert "three" not in world.module("muc").rooms.loaded
        hag.send("<presence type='unavailable' to='one@conference.localhost/w'/>")
        await hag.pending()
        await enters(hag, "w", room="three@conference.localhost")


async def test_the_service_has_so_many_rooms() -> None:
    async with a_service(max_rooms=2) as world:
        hag = await world.online("hag66/pda")
        await found(hag, "w", room="one@conference.localhost", persistentroom="1")
        await enters(hag, "w", room="two@conference.localhost")
        hag.send(entering("w", room="three@conference.localhost"))
        await hag.receives_error("resource-constraint")


async def test_an_account_is_in_a_room_so_many_times() -> None:
    async with a_service(max_user_sessions=2) as world:
        clients = [await world.online(f"hag66/{number}") for number in range(3)]
        await found(clients[0], "w")
        await enters(clients[1], "w2")
        for name in ("w", "w2", "w3"):
            clients[2].send(entering(name))
            await clients[2].pending()
            assert len(world.module("muc").rooms.loaded["coven"].occupants.sessions) == 2
        clients[2].send(entering("w"))
        await clients[2].receives_error("resource-constraint")


async def test_nicks_and_names_of_rooms_have_a_length() -> None:
    async with a_service(max_nick=5, max_room_id=5) as world:
        hag = await world.online("hag66/pda")
        hag.send(entering("thirdwitch"))
        await hag.receives_error("not-acceptable")
        hag.send(entering("third", room="heathrow@conference.localhost"))
        await hag.receives_error("not-acceptable")
        await enters(hag, "third")


async def test_who_may_make_rooms_is_a_rule() -> None:
    async with a_service(access_create="admin") as world:
        hag, admin = await world.online("hag66/pda"), await world.online("admin/office")
        hag.send(entering("w"))
        await hag.receives_error("not-allowed")
        await found(admin, "a")
        await enters(hag, "w")


async def test_who_may_use_the_service_is_a_rule() -> None:
    async with a_service(access="admin") as world:
        hag, admin = await world.online("hag66/pda"), await world.online("admin/office")
        await found(admin, "a")
        hag.send(entering("w"))
        await hag.receives_error("forbidden")


async def test_an_occupant_who_blocks_another_stays(world: World) -> None:
    trio = await gather(world)
    block = f"<block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/thirdwitch'/></block>"
    await trio.wicca.ask(f"<iq type='set'>{block}</iq>")
    await trio.wicca.pending()
    trio.hag.send(say("hi"))
    await trio.hag.ping()
    assert bodies(await trio.crone.pending()) == ["hi"]
    assert bodies(await trio.wicca.pending()) == []
    trio.crone.send(say("ho"))
    await trio.crone.ping()
    assert bodies(await trio.wicca.pending()) == ["ho"]
    assert nick((await trio.crone.pending())[-1]) == "firstwitch"
