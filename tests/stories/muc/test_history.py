"""XEP-0045 7.2.13 to 7.2.16: discussion history and the subject for who enters."""

import pytest

from tests.kit.world import World
from xmppd.xmpp.stanza import Element

from .coven import ROOM, a_service, bodies, entering, enters, found, has, nick, say, world

__all__ = ["world"]

LINES = (
    "Thrice the brinded cat hath mewed.",
    "Thrice and once the hedge-pig whined.",
    "Harpier cries 'Tis time, 'tis time.",
)


@pytest.fixture
async def talk(world: World) -> World:
    """A room where three things were said, a minute each after the other."""
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    for line in LINES:
        crone.send(say(line))
        await crone.ping()
        await world.advance(60)
    return world


async def told(world: World, wish: str = "") -> list[Element]:
    """What somebody who enters with this <history/> is told of what was said before."""
    hag = await world.online("hecate/broom")
    stanzas = await enters(hag, "hecate", wish)
    return [each for each in stanzas if has(each, "c:body")]


async def test_delivery_of_discussion_history(talk: World) -> None:
    stanzas = await told(talk)
    assert bodies(stanzas) == list(LINES)
    for each in stanzas:
        assert each.get("from") == f"{ROOM}/firstwitch"
        assert each.get("type") == "groupchat"
        assert has(each, f"d:delay[@from='{ROOM}']")
    stamps = [each.xpath("string(*[local-name()='delay']/@stamp)") for each in stanzas]
    assert stamps == ["2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z", "2023-11-14T22:15:20Z"]


async def test_history_comes_behind_all_presence_and_before_the_subject(talk: World) -> None:
    hag = await talk.online("hecate/broom")
    kinds = [each.tag.partition("}")[2] for each in await enters(hag, "hecate")]
    assert kinds == ["presence", "presence", "message", "message", "message", "message"]


@pytest.mark.parametrize(("wish", "number"), [("maxstanzas='2'", 2), ("maxstanzas='0'", 0), ("maxstanzas='20'", 3)])
async def test_user_requests_limit_on_number_of_messages_in_history(talk: World, wish: str, number: int) -> None:
    assert bodies(await told(talk, f"<history {wish}/>")) == list(LINES)[3 - number :]


async def test_user_requests_limit_on_number_of_characters_in_history(talk: World) -> None:
    assert bodies(await told(talk, "<history maxchars='65000'/>")) == list(LINES)
    some = await told(talk, "<history maxchars='1000'/>")
    assert 0 < len(some) < 3
    assert bodies(some) == list(LINES)[-len(some) :]


async def test_user_requests_history_in_last_3_minutes(talk: World) -> None:
    assert bodies(await told(talk, "<history seconds='180'/>")) == list(LINES)
    await talk.advance(30)
    assert bodies(await told(talk, "<history seconds='160'/>")) == list(LINES[1:])


async def test_user_requests_all_history_since_the_beginning_of_the_unix_era(talk: World) -> None:
    assert bodies(await told(talk, "<history since='1970-01-01T00:00:00Z'/>")) == list(LINES)
    assert bodies(await told(talk, "<history since='2023-11-14T22:14:20Z'/>")) == list(LINES[1:])


async def test_user_requests_no_history(talk: World) -> None:
    assert await told(talk, "<history maxchars='0'/>") == []


@pytest.mark.parametrize("wish", ["maxchars='-1'", "maxstanzas='many'", "seconds=''", "since='yesterday'"])
async def test_a_wish_that_is_no_number_and_no_time_is_refused(talk: World, wish: str) -> None:
    hag = await talk.online("hecate/broom")
    hag.send(entering("hecate", f"<history {wish}/>"))
    await hag.receives_error("bad-request")


async def test_a_room_keeps_as_much_as_the_service_allows() -> None:
    async with a_service(history_size=2) as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch")
        for line in LINES:
            crone.send(say(line))
        await crone.ping()
        assert bodies(await enters(hag, "thirdwitch")) == list(LINES[1:])


async def test_a_room_keeps_so_many_bytes() -> None:
    async with a_service(history_bytes=3000) as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch", persistentroom="1")
        for letter in "abcd":
            crone.send(say(letter * 1000))
        await crone.ping()
        assert [body[0] for body in bodies(await enters(hag, "thirdwitch"))] == ["c", "d"]
        for client in (crone, hag):
            await client.close()
        await world.advance(3700 + 60)  # the room leaves memory
        hag = await world.online("hag66/pda")
        assert [body[0] for body in bodies(await enters(hag, "thirdwitch"))] == ["c", "d"]
        hag.send(say("e" * 1000))
        await hag.pending()
        assert [body[0] for body in bodies(await enters(hag, "thirdwitch"))] == ["d", "e"]


async def test_who_enters_a_room_of_many_words_is_sent_no_more_than_it_keeps(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    for number in range(10):
        crone.send(say(f"{number}{'x' * 60_000}"))
        await crone.pending()
    for _ in range(2):
        assert [body[0] for body in bodies(await enters(hag, "thirdwitch"))] == ["6", "7", "8", "9"]


async def test_what_forbids_to_be_stored_and_has_no_body_is_no_history(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    crone.send(say("gone</body><no-store xmlns='urn:xmpp:hints'/><body xml:lang='de'>weg"))
    crone.send(f"<message type='groupchat' to='{ROOM}'><active xmlns='urn:x'/></message>")
    await crone.ping()
    assert bodies(await enters(hag, "thirdwitch")) == []


async def test_history_and_subject_of_a_persistent_room_are_stored() -> None:
    async with a_service() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1")
        crone.send(say(LINES[0]))
        crone.send(f"<message type='groupchat' to='{ROOM}'><subject>Fire</subject></message>")
        await crone.close()
        await world.advance(3700 + 60)  # the room leaves memory
        assert not world.module("muc").rooms.loaded
        hag = await world.online("hag66/pda")
        _, line, subject = await enters(hag, "thirdwitch")
        assert bodies([line]) == [LINES[0]]
        assert line.get("from") == f"{ROOM}/firstwitch"
        assert subject.findtext("{jabber:client}subject") == "Fire"


# 7.2.15


async def test_service_informs_new_occupant_of_room_subject(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    crone.send(f"<message type='groupchat' to='{ROOM}' id='s1'><subject>Fire Burn!</subject></message>")
    await crone.ping()
    *_, subject = await enters(hag, "thirdwitch")
    assert (nick(subject), subject.get("id")) == ("firstwitch", "s1")
    assert subject.findtext("{jabber:client}subject") == "Fire Burn!"
    assert has(subject, f"d:delay[@from='{ROOM}'][@stamp='2023-11-14T22:13:20Z']")
    assert not has(subject, "c:body")


async def test_no_subject(world: World) -> None:
    crone = await world.online("crone1/desktop")
    subject = (await enters(crone, "firstwitch"))[-1]
    assert subject.get("type") == "groupchat"
    assert not subject.findtext("{jabber:client}subject")
    assert not has(subject, "c:body")
