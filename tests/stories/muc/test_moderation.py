"""XEP-0425: moderators take back what others say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.testing import MODULES
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

from .coven import NAMES, ROOM, bodies, configure, enters, found, has, say
from .ruling import OWNER, Company, coven, does, fails, gather, query

__all__ = ["coven"]

NS = "urn:xmpp:message-moderate:1"
RETRACT = "urn:xmpp:message-retract:1"
MAM = "urn:xmpp:mam:2"
PATHS = NAMES | {"mod": NS, "r": RETRACT}


@pytest.fixture
async def archived() -> AsyncIterator[Company]:
    """The four in a room with an archive."""
    modules: dict[str, Any] = {name: {} for name in MODULES} | {"muc": {}, "mam": {}}
    async with a_world(modules=modules) as world:
        yield await gather(world, persistentroom="1")


def moderate(id: str, reason: str = "", inside: str = f"<retract xmlns='{RETRACT}'/>") -> str:
    """Take a message back."""
    said = f"<reason>{reason}</reason>" if reason else ""
    return f"<iq type='set' to='{ROOM}'><moderate xmlns='{NS}' id='{id}'>{inside}{said}</moderate></iq>"


async def spoken(company: Company, text: str = "DM me for free magic potions!") -> str:
    """The stranger says something; its stanza-id."""
    company.stranger.send(say(text))
    message = await company.stranger.receives("c:message[c:body]")
    await company.quiet()
    (id,) = message.xpath(f"id:stanza-id[@by='{ROOM}']/@id", namespaces=NAMES)
    return str(id)


async def search(client: Client, room: str = ROOM) -> list[Element]:
    """All that the archive has."""
    await client.pending()
    client.send(f"<iq type='set' id='m1' to='{room}'><query xmlns='{MAM}'/></iq>")
    return [stanza for stanza in await client.pending() if stanza.find(f"{{{MAM}}}result") is not None]


async def test_the_muc_advertises_support_for_moderation(coven: Company) -> None:
    reply = await does(coven.stranger, f"<iq type='get' to='{ROOM}'><query xmlns='{NAMES['info']}'/></iq>")
    assert has(reply, f"info:query/info:feature[@var='{NS}']")


async def test_the_moderators_client_sends_an_iq_stanza_to_the_muc_service(coven: Company) -> None:
    id = await spoken(coven)
    await does(coven.admin, moderate(id, "inappropriate content"))
    for client in coven.everybody:
        message = await client.receives(f"c:message[@type='groupchat'][@from='{ROOM}'][@id]")
        retract = f"r:retract[@id='{id}']"
        assert message.xpath(f"{retract}/mod:moderated[@by='{ROOM}/secondwitch']/o:occupant-id", namespaces=PATHS)
        assert message.xpath(f"{retract}/r:reason[.='inappropriate content']", namespaces=PATHS)


async def test_a_retracted_message_is_no_history(coven: Company) -> None:
    await spoken(coven, "I came first")
    id = await spoken(coven)
    await does(coven.admin, moderate(id))
    lear = await coven.world.online("lear/castle")
    assert bodies(await enters(lear, "king")) == ["I came first"]


async def test_only_moderators_moderate(coven: Company) -> None:
    id = await spoken(coven)
    for client in (coven.member, coven.stranger):
        assert await fails(client, moderate(id)) == "forbidden"
        await client.receives_nothing()


@pytest.mark.parametrize(
    ("iq", "condition"),
    [
        (moderate("nothing-of-this-id"), "item-not-found"),
        (moderate(""), "bad-request"),
        (moderate("x", inside=""), "bad-request"),
        (moderate("x", "y" * 1001), "not-acceptable"),
    ],
)
async def test_what_cannot_be_moderated(coven: Company, iq: str, condition: str) -> None:
    assert await fails(coven.admin, iq) == condition
    await coven.member.receives_nothing()


async def test_retracted_groupchat_message_tombstone_in_a_mam_result(archived: Company) -> None:
    id = await spoken(archived)
    await does(archived.admin, moderate(id, "inappropriate content"))
    found = await search(archived.member)
    assert "magic potions" not in "".join("".join(each.itertext()) for each in found)
    first = found[0]
    assert first.find(f"{{{MAM}}}result").get("id") == id  # type: ignore[union-attr]
    path = f".//r:retracted[@stamp]/mod:moderated[@by='{ROOM}/secondwitch']/o:occupant-id"
    assert first.xpath(path, namespaces=PATHS)
    assert first.xpath(".//r:retracted/r:reason[.='inappropriate content']", namespaces=PATHS)
    assert first.xpath(".//c:message/o:occupant-id", namespaces=PATHS), "of the author, who is still known"
    assert found[-1].xpath(f".//c:message/r:retract[@id='{id}']", namespaces=PATHS), "who was away learns of it"


async def test_what_cannot_be_read_is_retracted_too(archived: Company) -> None:
    id = await spoken(archived, "magic potions</body><x xmlns='%zz'/><body xml:lang='de'>Zaubertrank")
    await does(archived.admin, moderate(id))
    found = "".join("".join(each.itertext()) for each in await search(archived.member))
    assert "magic potions" not in found
    assert "Zaubertrank" not in found


async def test_what_is_in_the_archive_alone_is_retracted_too(archived: Company) -> None:
    await configure(archived.owner, persistentroom="1")
    await archived.quiet()
    id = await spoken(archived)
    for number in range(20):
        await spoken(archived, f"line {number}")
    await does(archived.admin, moderate(id))
    assert "magic potions" not in "".join("".join(each.itertext()) for each in await search(archived.member))


async def test_a_room_made_anew_shows_nothing_of_an_older_ones_archive(archived: Company) -> None:
    async def said(world: World) -> list[str]:
        lear = await world.online("lear/castle")
        await found(lear, "king", persistentroom="1")
        return ["".join(each.itertext()) for each in await search(lear) if "magic potions" in "".join(each.itertext())]

    await spoken(archived)
    assert len(await search(archived.owner)) > 0
    await configure(archived.owner, persistentroom="0")
    for client, nick in zip(archived.everybody, ("first", "second", "third", "fourth"), strict=True):
        client.send(f"<presence to='{ROOM}/{nick}witch' type='unavailable'/>")
        await client.pending()
    assert await said(archived.world) == []


async def test_what_a_crash_left_of_an_older_room_is_not_in_a_new_ones_archive(archived: Company) -> None:
    stale = JID.parse("cave@conference.localhost")
    mam = archived.world.module("mam")
    old = Stanza("message", None, stale.with_resource("old"), "groupchat", letter=b"<body>magic potions</body>")
    await mam.keep(stale, old, with_=archived.owner.jid, id=mam.new_id(), rooms=True)
    await found(archived.owner, "firstwitch", room=stale, persistentroom="1")
    assert await search(archived.owner, stale) == []


async def test_a_destroyed_rooms_archive_goes_with_it(archived: Company) -> None:
    await spoken(archived)
    await does(archived.owner, query("<destroy/>", namespace=OWNER))
    rows = await archived.world.host.house.storage.fetch("SELECT * FROM mam WHERE archive = ?", ROOM)
    assert rows == []
