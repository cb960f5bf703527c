"""XEP-0045 6 and 7.12: what the service and its rooms tell of themselves."""

import pytest

from tests.kit.client import Client, error_of, show
from tests.kit.world import World
from xmppd.modules.muc.store import Line
from xmppd.xmpp.stanza import Element

from .coven import MUC, NAMES, ROOM, a_service, enters, found, world

__all__ = ["world"]

SERVICE = "conference.localhost"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"


async def info(client: Client, to: str = ROOM, node: str = "") -> Element:
    """The answer to disco#info."""
    attribute = f" node='{node}'" if node else ""
    return await client.ask(f"<iq type='get' to='{to}'><query xmlns='{INFO}'{attribute}/></iq>")


async def items(client: Client, to: str = SERVICE, inside: str = "") -> Element:
    """The answer to disco#items."""
    reply = await client.ask(f"<iq type='get' to='{to}'><query xmlns='{ITEMS}'>{inside}</query></iq>")
    assert reply.get("type") == "result", show(reply)
    return reply


def jids(reply: Element) -> list[str]:
    """The items' addresses."""
    return [str(jid) for jid in reply.xpath("items:query/items:item/@jid", namespaces=NAMES)]


def features(reply: Element) -> set[str]:
    """The features of an answer."""
    return {str(var) for var in reply.xpath("info:query/info:feature/@var", namespaces=NAMES)}


def field(reply: Element, var: str) -> list[str]:
    """The values of a field of the form."""
    found = reply.xpath(f"info:query/x:x/x:field[@var='{var}']/x:value", namespaces=NAMES)
    return [value.text or "" for value in found]


# 6.1, 6.2


async def test_server_returns_disco_items_result(world: World) -> None:
    hag = await world.online("hag66/pda")
    assert SERVICE in jids(await items(hag, "localhost"))


async def test_service_returns_disco_info_result(world: World) -> None:
    hag = await world.online("hag66/pda")
    reply = await info(hag, SERVICE)
    identity = reply.find(f"{{{INFO}}}query/{{{INFO}}}identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type")) == ("conference", "text")
    assert {MUC, f"{MUC}#stable_id"} <= features(reply)


# 6.3


async def test_service_returns_disco_items_result_with_public_rooms(world: World) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "w", room=f"heath@{SERVICE}", roomname="A Lonely Heath")
    await found(hag, "w", room=ROOM, roomname="A Dark Cave", persistentroom="1")
    await found(hag, "w", room=f"hidden@{SERVICE}", publicroom="0")
    await found(hag, "w", room=f"vault@{SERVICE}", publicroom="0", persistentroom="1")
    await enters(hag, "w", room=f"locked@{SERVICE}")
    reply = await items(hag)
    assert jids(reply) == [ROOM, f"heath@{SERVICE}"]
    assert reply.xpath("items:query/items:item/@name", namespaces=NAMES) == ["A Dark Cave", "A Lonely Heath"]


async def test_service_returns_limited_list_of_disco_items_result(world: World) -> None:
    hag = await world.online("hag66/pda")
    rooms = [f"room{number:02}@{SERVICE}" for number in range(9)]
    for index, room in enumerate(rooms):
        await found(hag, "w", room=room, **({"persistentroom": "1"} if index % 3 else {}))
    seen: list[str] = []
    after = ""
    while True:
        place = f"<after>{after}</after>" if after else ""
        reply = await items(hag, inside=f"<set xmlns='http://jabber.org/protocol/rsm'><max>4</max>{place}</set>")
        page = jids(reply)
        if not page:
            break
        assert len(page) <= 4
        assert reply.xpath("string(*/rsm:set/rsm:count)", namespaces=NAMES) == "9"
        if not after:
            assert reply.xpath("string(*/rsm:set/rsm:first/@index)", namespaces=NAMES) == "0"
        seen += page
        after = page[-1]
    assert seen == rooms
    last = await items(hag, inside="<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>")
    assert jids(last) == rooms[-2:]
    before = f"<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before>{rooms[4]}</before></set>"
    assert jids(await items(hag, inside=before)) == rooms[2:4]
    count = await items(hag, inside="<set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set>")
    assert jids(count) == []
    assert count.xpath("string(*/rsm:set/rsm:count)", namespaces=NAMES) == "9"


async def test_rooms_are_listed_that_are_not_in_memory(world: World) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "w", persistentroom="1", roomname="A Dark Cave")
    hag.send("<presence type='unavailable'/>")
    await hag.pending()
    await world.advance(3700 + 60)
    assert not world.module("muc").rooms.loaded
    stranger = await world.online("hecate/broom")
    assert jids(await items(stranger)) == [ROOM]
    assert not world.module("muc").rooms.loaded


# 6.4


async def test_room_returns_disco_info_result(world: World) -> None:
    hag, stranger = await world.online("hag66/pda"), await world.online("hecate/broom")
    await found(
        hag, "w", roomname="A Dark Cave", passwordprotectedroom="1", roomsecret="x", publicroom="0", whois="anyone"
    )
    reply = await info(stranger)
    identity = reply.find(f"{{{INFO}}}query/{{{INFO}}}identity")
    assert identity is not None
    assert dict(identity.attrib) == {"category": "conference", "type": "text", "name": "A Dark Cave"}
    assert {
        MUC,
        f"{MUC}#stable_id",
        "muc_passwordprotected",
        "muc_hidden",
        "muc_temporary",
        "muc_open",
        "muc_unmoderated",
        "muc_nonanonymous",
    } <= features(reply)


@pytest.mark.parametrize(
    ("name", "value", "on", "off"),
    [
        ("membersonly", "1", "muc_membersonly", "muc_open"),
        ("moderatedroom", "1", "muc_moderated", "muc_unmoderated"),
        ("persistentroom", "1", "muc_persistent", "muc_temporary"),
        ("publicroom", "0", "muc_hidden", "muc_public"),
        ("whois", "anyone", "muc_nonanonymous", "muc_semianonymous"),
    ],
)
async def test_a_room_names_the_type_it_is_of(world: World, name: str, value: str, on: str, off: str) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "w")
    assert off in features(await info(hag))
    await found(hag, "w", room=f"other@{SERVICE}", **{name: value})
    told = features(await info(hag, f"other@{SERVICE}"))
    assert on in told
    assert off not in told


async def test_room_returns_extended_disco_info_result(world: World) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "w", roomdesc="The place for all good witches!", lang="en", changesubject="1")
    hag.send(f"<message type='groupchat' to='{ROOM}'><subject>Spells</subject></message>")
    await hag.pending()
    reply = await info(hag)
    assert field(reply, "FORM_TYPE") == [f"{MUC}#roominfo"]
    assert field(reply, "muc#roominfo_description") == ["The place for all good witches!"]
    assert field(reply, "muc#roominfo_subject") == ["Spells"]
    assert field(reply, "muc#roominfo_occupants") == ["1"]
    assert field(reply, "muc#roominfo_lang") == ["en"]
    assert field(reply, "muc#roomconfig_changesubject") == ["1"]
    assert field(reply, "muc#maxhistoryfetch") == ["20"]


async def test_a_subject_that_cannot_be_read_is_refused_and_spoils_nothing(world: World) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "w")
    strange = "<subject>Spells</subject><x xmlns='%zz'/>"
    hag.send(f"<message type='groupchat' to='{ROOM}'>{strange}</message>")
    await hag.receives_error("policy-violation")
    assert field(await info(hag), "muc#roominfo_subject") == []
    room = world.module("muc").rooms.loaded["coven"]
    room.subject = Line(0, 0, "w", "", "", "", strange.encode())  # as an older version took it
    assert field(await info(hag), "muc#roominfo_subject") == [""]


async def test_a_closed_room_keeps_its_subject_from_strangers(world: World) -> None:
    hag, stranger = await world.online("hag66/pda"), await world.online("hecate/broom")
    await found(hag, "w", membersonly="1")
    hag.send(f"<message type='groupchat' to='{ROOM}'><subject>Spells</subject></message>")
    await hag.pending()
    assert field(await info(hag), "muc#roominfo_subject") == ["Spells"]
    assert field(await info(stranger), "muc#roominfo_subject") == []


async def test_a_room_that_does_not_exist_is_item_not_found(world: World) -> None:
    hag, stranger = await world.online("hag66/pda"), await world.online("hecate/broom")
    assert error_of(await info(stranger)) == "item-not-found"
    await enters(hag, "w")
    assert error_of(await info(stranger)) == "item-not-found"  # locked
    await info(hag)


# 6.5


async def test_room_returns_disco_items_result_items_are_public() -> None:
    async with a_service(default_room_options={"public_list": True}) as world:
        hag, stranger = await world.online("hag66/pda"), await world.online("hecate/broom")
        await found(hag, "firstwitch")
        assert jids(await items(stranger, ROOM)) == [f"{ROOM}/firstwitch"]


async def test_room_returns_empty_disco_items_result_items_are_private(world: World) -> None:
    hag, stranger = await world.online("hag66/pda"), await world.online("hecate/broom")
    await found(hag, "firstwitch")
    assert jids(await items(stranger, ROOM)) == []
    assert jids(await items(hag, ROOM)) == [f"{ROOM}/firstwitch"]


async def test_occupants_are_listed_in_pages(world: World) -> None:
    hag = await world.online("hag66/pda")
    await found(hag, "witch0")
    for number in range(1, 5):
        await enters(await world.online(f"w{number}/pda"), f"witch{number}")
    await hag.pending()
    page = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>{}</after></set>"
    assert jids(await items(hag, ROOM, page.format(f"{ROOM}/witch1"))) == [f"{ROOM}/witch2", f"{ROOM}/witch3"]


# 7.12


async def test_user_requests_reserved_nickname(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    reply = await info(hag, node="x-roomuser-item")
    assert reply.get("type") == "result"
    assert len(reply[0]) == 0
    reserve = f"<query xmlns='{MUC}#admin'><item affiliation='member' jid='hag66@localhost' nick='thirdwitch'/></query>"
    await crone.ask(f"<iq type='set' to='{ROOM}'>{reserve}</iq>")
    reply = await info(hag, node="x-roomuser-item")
    identity = reply.find(f"{{{INFO}}}query/{{{INFO}}}identity")
    assert identity is not None
    assert dict(identity.attrib) == {"category": "conference", "type": "text", "name": "thirdwitch"}


# 17.1.1


async def test_service_returns_service_unavailable_for_traffic(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    assert error_of(await info(crone, node=f"{MUC}#traffic")) == "service-unavailable"


@pytest.mark.parametrize("to", [SERVICE, ROOM])
async def test_nodes_that_nobody_knows_are_not_found(world: World, to: str) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    assert error_of(await info(crone, to, "urn:x")) == "item-not-found"


@pytest.mark.parametrize("to", [SERVICE, ROOM])
async def test_service_and_rooms_answer_pings(world: World, to: str) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    reply = await crone.ask(f"<iq type='get' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert reply.get("type") == "result"
