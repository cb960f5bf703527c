"""XEP-0313 in rooms: what was said is found again by those whom it concerns, under the nicks alone."""

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world

from .coven import ROOM, a_service, bodies, enters, found, say, world
from .test_speak import gather

__all__ = ["world"]

MAM = "urn:xmpp:mam:2"
QUERY = f"<query xmlns='{MAM}'/>"


async def read(client: Client, inside: str = "") -> list[str]:
    """The texts that a search finds."""
    await client.pending()
    client.send(f"<iq type='set' id='m1' to='{ROOM}'><query xmlns='{MAM}'>{inside}</query></iq>")
    found = await client.pending()
    return [str(text) for each in found for text in each.xpath(".//*[local-name()='body']/text()")]


def by(address: str) -> str:
    """A search for one address."""
    field = f"<field var='with'><value>{address}</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>{field}</x>"


async def test_occupants_find_what_was_said(world: World) -> None:
    trio = await gather(world, persistentroom="1")
    trio.hag.send(say("one"))
    trio.wicca.send(say("two"))
    await trio.wicca.ping()
    assert sorted(await read(trio.crone)) == ["one", "two"]


async def test_a_page_of_large_messages_ends_sooner() -> None:
    """As in the archive of an account; who asks goes on behind it."""
    async with a_service(max_message=250_000) as world:
        trio = await gather(world, persistentroom="1")
        for number in range(3):
            trio.hag.send(say(f"{number}{'x' * 200_000}"))
            await trio.hag.pending()
        assert [text[0] for text in await read(trio.crone)] == ["0", "1"]


async def test_the_id_of_a_message_is_its_id_in_the_archive(world: World) -> None:
    trio = await gather(world, persistentroom="1")
    trio.hag.send(say("one"))
    copy = await trio.crone.receive()
    id = copy.xpath(f"string(*[local-name()='stanza-id'][@by='{ROOM}']/@id)")
    trio.crone.send(f"<iq type='set' id='m1' to='{ROOM}'>{QUERY}</iq>")
    result = await trio.crone.receive()
    assert result.xpath("string(*[local-name()='result']/@id)") == id


async def test_nobody_learns_by_a_search_who_is_behind_a_nick(world: World) -> None:
    trio = await gather(world, persistentroom="1")
    trio.hag.send(say("one"))
    await trio.hag.ping()
    assert await read(trio.wicca, by("hag66@localhost")) == []
    assert await read(trio.wicca, by(f"{ROOM}/thirdwitch")) == ["one"]


async def test_a_members_only_room_lets_members_alone_search(world: World) -> None:
    crone, stranger = await world.online("crone1/desktop"), await world.online("hecate/broom")
    await found(crone, "firstwitch", persistentroom="1", membersonly="1")
    crone.send(say("one"))
    await crone.ping()
    reply = await stranger.ask(f"<iq type='set' to='{ROOM}'>{QUERY}</iq>")
    assert error_of(reply) == "forbidden"
    assert await read(crone) == ["one"]


@pytest.mark.parametrize("fields", [{}, {"persistentroom": "1", "enablearchiving": "0"}])
async def test_a_room_without_an_archive_says_so(world: World, fields: dict[str, str]) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", **fields)
    crone.send(say("one"))
    assert bodies([await crone.receive()]) == ["one"]
    reply = await crone.ask(f"<iq type='set' to='{ROOM}'>{QUERY}</iq>")
    assert error_of(reply) == "feature-not-implemented"


async def test_rooms_work_without_the_module() -> None:
    modules: dict[str, dict[str, str]] = {name: {} for name in ("disco", "ping", "presence", "roster")}
    async with a_world(modules=modules | {"muc": {}}) as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch", persistentroom="1")
        await enters(hag, "thirdwitch")
        hag.send(say("one"))
        await crone.pending()
        crone.send(say("two"))
        assert "two" in bodies(await crone.pending())


async def test_chat_states_alone_are_not_archived() -> None:
    async with a_service() as world:
        trio = await gather(world, persistentroom="1")
        trio.hag.send(
            f"<message type='groupchat' to='{ROOM}'>"
            "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        await trio.crone.receives("c:message[@type='groupchat']")
        rows = await world.host.house.storage.fetch("SELECT 1 FROM mam WHERE archive = ?", ROOM)
        assert rows == []
