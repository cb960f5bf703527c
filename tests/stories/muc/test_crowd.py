"""Large rooms: newcomers are told of at a rate, and a crowd is not shown."""

from tests.kit.client import Client
from tests.kit.world import World

from .coven import MUC, NAMES, ROOM, a_service, codes, enters, found, item, nick, say


async def come(world: World, number: int, first: int = 0) -> list[Client]:
    """So many enter, one after another."""
    clients = []
    for index in range(first, first + number):
        client = await world.online(f"witch{index}/pda")
        await enters(client, f"witch{index}")
        clients.append(client)
    return clients


def shown(stanzas: list) -> list[str]:
    """The nicks whose coming is told of."""
    return [nick(each) for each in stanzas if each.tag.endswith("presence") and each.get("type") is None]


async def test_newcomers_are_told_of_at_a_rate() -> None:
    async with a_service(room_presence_rate=2) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        await world.advance(5)
        clients = await come(world, 6)
        assert shown(await crone.pending()) == ["witch0", "witch1"]
        await world.advance(1)
        assert shown(await crone.pending()) == ["witch2", "witch3"]
        await world.advance(1)
        assert shown(await crone.pending()) == ["witch4", "witch5"]
        await world.advance(5)
        await crone.receives_nothing()
        assert shown(await clients[2].pending()) == ["witch3", "witch4", "witch5"]
        assert shown(await clients[5].pending()) == []


async def test_a_newcomer_whose_coming_waits_sees_itself_and_everybody_at_once() -> None:
    async with a_service(room_presence_rate=1) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        await come(world, 3)
        hag = await world.online("hag66/pda")
        stanzas = await enters(hag, "thirdwitch")
        assert shown(stanzas) == ["firstwitch", "witch0", "witch1", "witch2", "thirdwitch"]
        assert codes(stanzas[4]) == ["110"]


async def test_who_comes_and_goes_before_it_is_told_was_never_there() -> None:
    async with a_service(room_presence_rate=1) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        fleeting = (await come(world, 1))[0]
        assert shown(await crone.pending()) == []
        fleeting.send(f"<presence type='unavailable' to='{ROOM}/witch0'/>")
        await fleeting.ping()
        await world.advance(10)
        await crone.receives_nothing()


async def test_what_a_newcomer_says_does_not_wait() -> None:
    async with a_service(room_presence_rate=1) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        early = (await come(world, 2))[1]
        await crone.pending()
        early.send(say("hi"))
        await crone.receives("c:message[c:body='hi']")


async def test_a_crowd_is_not_shown_but_its_moderators_are() -> None:
    async with a_service(crowd_size=4) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        await come(world, 3)
        assert shown(await crone.pending()) == ["witch0", "witch1", "witch2"]
        fifth = await world.online("witch3/pda")
        stanzas = await enters(fifth, "witch3")
        assert shown(stanzas) == ["firstwitch", "witch3"]
        await crone.receives_nothing()
        admin = await world.online("admin/office")
        await enters(admin, "warden")
        assert shown(await crone.pending()) == ["warden"]
        fifth.send(say("hi"))
        await crone.receives("c:message[c:body='hi']")


async def test_who_is_made_a_moderator_of_a_crowd_appears_and_who_is_none_disappears() -> None:
    async with a_service(crowd_size=2) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        clients = await come(world, 4)
        await clients[0].pending()
        for role, kind in (("moderator", None), ("participant", "unavailable")):
            change = f"<query xmlns='{MUC}#admin'><item nick='witch3' role='{role}'/></query>"
            await crone.ask(f"<iq type='set' to='{ROOM}'>{change}</iq>")
            seen = await clients[0].receive()
            assert (nick(seen), seen.get("type")) == ("witch3", kind)
            own = (await clients[3].pending())[-1]
            assert item(own)["role"] == role
            assert codes(own) == ["110"]


async def test_occupants_ask_a_crowd_who_is_there() -> None:
    async with a_service(crowd_size=2) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        last = (await come(world, 4))[-1]
        reply = await last.ask(
            f"<iq type='get' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
        )
        assert len(reply.xpath("items:query/items:item", namespaces=NAMES)) == 5
        asked = f"<query xmlns='{MUC}#admin'><item role='participant'/></query>"
        reply = await crone.ask(f"<iq type='get' to='{ROOM}'>{asked}</iq>")
        assert len(reply[0]) == 4


async def test_who_was_hidden_appears_when_the_crowd_is_gone() -> None:
    async with a_service(crowd_size=4) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        clients = await come(world, 5)
        await crone.pending()
        for client in clients[:3]:
            client.send("<presence type='unavailable'/>")
            await client.ping()
        await crone.pending()
        await world.advance(1)
        assert shown(await crone.pending()) == ["witch3", "witch4"]
