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


async def test_one_account_speaks_ten_times_a_second_under_all_its_nicks(world: World) -> None:
    trio = await gather(world)
    other = await world.session("hag66/broom")
    await enters(other, "fourthwitch")
    await trio.crone.pending()
    for number in range(50):
        (trio.hag if number % 2 else other).send(say(str(number)))
    await trio.hag.ping()
    await other.ping()
    assert len(bodies(await trio.crone.pending())) == 50
    await other.pending()
    other.send(say("no"))
    await other.receives_error("resource-constraint")
    trio.wicca.send(say("yes"))
    await trio.wicca.ping()
    assert bodies(await trio.crone.pending()) == ["yes"]
    await world.advance(1)
    for _ in range(20):
        other.send(say("again"))
    await other.ping()
    assert bodies(await trio.crone.pending()) == ["again"] * 10


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


# How large it may be


def status(size: int, to: str = f"{ROOM}/thirdwitch", inside: str = "") -> str:
    """A presence with a status of so many bytes."""
    return f"<presence to='{to}'>{inside}<status>{'s' * size}</status></presence>"


async def test_nobody_makes_a_room_that_cannot_be_entered_by_what_they_say_of_themselves(world: World) -> None:
    trio, wish = await gather(world), "<x xmlns='http://jabber.org/protocol/muc'/>"
    nicks = [await world.session(f"hag66/{number}") for number in range(12)]
    for number, client in enumerate(nicks):
        client.send(status(250_000, f"{ROOM}/witch{number}", wish))
        await client.receives_error("policy-violation")
    trio.hag.send(status(250_000))
    await trio.hag.receives_error("policy-violation")
    assert await trio.crone.pending() == []
    trio.hag.send(status(3000))
    assert len(await trio.hag.pending()) == 1


async def test_who_leaves_with_too_many_words_leaves_without_them(world: World) -> None:
    trio = await gather(world)
    long = f"<presence type='unavailable' to='{ROOM}/thirdwitch'><status>{'s' * 250_000}</status></presence>"
    trio.hag.send(long)
    await trio.hag.ping()
    (gone,) = await trio.crone.pending()
    assert (gone.get("type"), gone.findtext("{jabber:client}status")) == ("unavailable", None)


async def test_who_leaves_with_words_that_cannot_be_read_leaves_without_them(world: World) -> None:
    trio = await gather(world)
    strange = "<x xmlns='http://jabber.org/protocol/muc'/><x xmlns='%zz'/>"
    trio.hag.send(f"<presence type='unavailable' to='{ROOM}/thirdwitch'>{strange}</presence>")
    await trio.hag.ping()
    assert [each.get("type") for each in await trio.crone.pending()] == ["unavailable"]


async def test_messages_and_subjects_have_a_size(world: World) -> None:
    trio = await gather(world, changesubject="1")
    subject = f"<message type='groupchat' to='{ROOM}'><subject>%s</subject></message>"
    for refused in (say("m" * 66_000), subject % ("s" * 9000), say("m", id="i" * 66_000)):
        trio.hag.send(refused)
        await trio.hag.receives_error("policy-violation")
    assert await trio.crone.pending() == []
    for taken in (say("m" * 65_000), subject % ("s" * 8000)):
        trio.hag.send(taken)
        await trio.hag.ping()
    assert len(await trio.crone.pending()) == 2
