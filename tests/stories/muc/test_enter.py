"""XEP-0045 7.2: entering a room, and who may not."""

from urllib.parse import unquote

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World

from .coven import MUC, NAMES, ROOM, a_service, codes, configure, entering, enters, found, has, item, nick, world

__all__ = ["world"]


async def refused(client: Client, stanza: str) -> str:
    """What a join is refused with, and the type of the error."""
    client.send(stanza)
    reply = await client.receive()
    return f"{error_of(reply)} {reply.xpath('string(c:error/@type)', namespaces=NAMES)}"


# 7.2.2, 7.2.3


async def test_no_nickname_specified(world: World) -> None:
    crone = await world.online("crone1/desktop")
    without = f"<presence to='{ROOM}'><x xmlns='{MUC}'/></presence>"
    assert await refused(crone, without) == "jid-malformed modify"
    await found(crone, "firstwitch")
    assert await refused(crone, without) == "jid-malformed modify"


@pytest.mark.parametrize("blank", ["%20", "%E2%80%83"])
async def test_a_nick_that_cannot_be_seen_is_refused(world: World, blank: str) -> None:
    crone = await world.online("crone1/desktop")
    assert (await refused(crone, entering(unquote(blank)))).startswith("jid-malformed")


async def test_service_sends_presence_from_existing_occupants_to_new_occupant(world: World) -> None:
    crone, wicca, hag = [await world.online(name) for name in ("crone1/desktop", "wiccarocks/laptop", "hag66/pda")]
    await found(crone, "firstwitch")
    await enters(wicca, "secondwitch")
    first, second, own, *_ = await enters(hag, "thirdwitch")
    assert (nick(first), item(first)) == ("firstwitch", {"affiliation": "owner", "role": "moderator"})
    assert (nick(second), item(second)) == ("secondwitch", {"affiliation": "none", "role": "participant"})
    assert nick(own) == "thirdwitch"
    assert codes(first) == codes(second) == []


async def test_service_sends_new_occupants_presence_to_all_occupants(world: World) -> None:
    crone, wicca, hag = [await world.online(name) for name in ("crone1/desktop", "wiccarocks/laptop", "hag66/pda")]
    await found(crone, "firstwitch")
    await enters(wicca, "secondwitch")
    await crone.pending()
    await enters(hag, "thirdwitch")
    for reader in (crone, wicca):
        seen = await reader.receives("c:presence[not(@type)]")
        assert nick(seen) == "thirdwitch"
        assert codes(seen) == []


async def test_service_sends_new_occupants_presence_to_new_occupant(world: World) -> None:
    crone = await world.online("crone1/desktop")
    crone.send(entering("firstwitch").replace("<presence ", "<presence id='n13mt3l' "))
    own = await crone.receive()
    assert own.get("id") == "n13mt3l"
    assert codes(own) == ["201", "110"]
    assert (await crone.receive()).find("{jabber:client}subject") is not None


async def test_what_a_newcomer_says_of_itself_reaches_the_others(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    hag.send(entering("thirdwitch").replace("</presence>", "<show>away</show><c xmlns='urn:x:caps' v='1'/></presence>"))
    seen = await crone.receive()
    assert has(seen, "c:show[.='away']")
    assert seen.find("{urn:x:caps}c") is not None
    assert seen.find(f"{{{MUC}}}x") is None


async def test_only_the_room_speaks_of_roles_ids_and_hats(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    forged = (
        f"<x xmlns='{MUC}#user'><item affiliation='owner' role='moderator'/><status code='307'/></x>"
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='somebody'/><hats xmlns='urn:xmpp:hats:0'><hat/></hats>"
    )
    hag.send(entering("thirdwitch").replace("</presence>", forged + "</presence>"))
    seen = await crone.receive()
    assert item(seen)["affiliation"] == "none"
    assert codes(seen) == []
    assert len(seen.xpath("*[local-name()='occupant-id']")) == 1
    assert "somebody" not in seen.xpath("*[local-name()='occupant-id']/@id")
    assert not seen.xpath("*[local-name()='hats']")


# 7.2.4, 7.2.5


async def test_service_sends_full_jid_to_all_occupants(world: World) -> None:
    crone, wicca, hag = [await world.online(name) for name in ("crone1/desktop", "wiccarocks/laptop", "hag66/pda")]
    await found(crone, "firstwitch", whois="anyone")
    await enters(wicca, "secondwitch")
    await crone.pending()
    first, second, own, *_ = await enters(hag, "thirdwitch")
    assert [item(each)["jid"] for each in (first, second, own)] == [
        "crone1@localhost/desktop",
        "wiccarocks@localhost/laptop",
        "hag66@localhost/pda",
    ]
    assert codes(own) == ["100", "110"]
    assert item(await wicca.receive())["jid"] == "hag66@localhost/pda"


async def test_semi_anonymous_rooms_show_real_addresses_to_moderators_alone(world: World) -> None:
    crone, wicca, hag = [await world.online(name) for name in ("crone1/desktop", "wiccarocks/laptop", "hag66/pda")]
    await found(crone, "firstwitch")
    await enters(wicca, "secondwitch")
    assert item(await crone.receive())["jid"] == "wiccarocks@localhost/laptop"
    stanzas = await enters(hag, "thirdwitch")
    assert all("jid" not in item(each) for each in stanzas[:3])
    assert "jid" not in item(await wicca.receive())
    assert item(await crone.receive())["jid"] == "hag66@localhost/pda"


# 7.2.6 to 7.2.12


async def test_service_denies_access_because_no_password_provided(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", passwordprotectedroom="1", roomsecret="cauldronburn")
    assert await refused(hag, entering("thirdwitch")) == "not-authorized auth"
    assert await refused(hag, entering("thirdwitch", "<password>cauldron</password>")) == "not-authorized auth"


async def test_user_provides_password_on_entering_a_room(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", passwordprotectedroom="1", roomsecret="cauldronburn")
    await enters(hag, "thirdwitch", "<password>cauldronburn</password>")
    assert "cauldronburn" not in str((await crone.receive()).xpath("string(.)"))


async def test_service_denies_access_because_user_is_not_on_member_list(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", membersonly="1")
    assert await refused(hag, entering("thirdwitch")) == "registration-required auth"


async def test_service_denies_access_because_user_is_banned(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    ban = f"<query xmlns='{MUC}#admin'><item affiliation='outcast' jid='hag66@localhost'/></query>"
    await crone.ask(f"<iq type='set' to='{ROOM}'>{ban}</iq>")
    assert await refused(hag, entering("thirdwitch")) == "forbidden auth"


async def test_service_denies_access_because_of_nick_conflict(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "thirdwitch")
    assert await refused(hag, entering("thirdwitch")) == "conflict cancel"


async def test_the_same_account_may_enter_twice_under_one_nick(world: World) -> None:
    crone, pda, phone = [await world.online(name) for name in ("crone1/desktop", "hag66/pda", "hag66/phone")]
    await found(crone, "firstwitch")
    await enters(pda, "thirdwitch")
    await crone.pending()
    stanzas = await enters(phone, "thirdwitch")
    assert [nick(each) for each in stanzas[:2]] == ["firstwitch", "thirdwitch"]
    assert "110" in codes(stanzas[1])
    await crone.receives_nothing()
    crone.send(f"<message type='groupchat' to='{ROOM}'><body>hi</body></message>")
    for reader in (pda, phone):
        await reader.receives("c:message[@from='coven@conference.localhost/firstwitch']")


async def test_who_is_there_twice_leaves_with_the_last_resource(world: World) -> None:
    crone, pda, phone = [await world.online(name) for name in ("crone1/desktop", "hag66/pda", "hag66/phone")]
    await found(crone, "firstwitch")
    await enters(pda, "thirdwitch")
    await enters(phone, "thirdwitch")
    await crone.pending()
    pda.send(f"<presence type='unavailable' to='{ROOM}/thirdwitch'/>")
    assert codes(await pda.receives("c:presence[@type='unavailable']")) == ["110"]
    await crone.receives_nothing()
    await phone.close()
    await crone.receives("c:presence[@type='unavailable'][@from='coven@conference.localhost/thirdwitch']")


async def test_service_informs_user_that_room_occupant_limit_has_been_reached() -> None:
    async with a_service(max_users=2) as world:
        crone, wicca, hag, admin = [
            await world.online(name) for name in ("crone1/desktop", "wicca/laptop", "hag66/pda", "admin/office")
        ]
        await found(crone, "firstwitch")
        await enters(wicca, "secondwitch")
        assert await refused(hag, entering("thirdwitch")) == "service-unavailable wait"
        await enters(admin, "malory")  # an owner of every room, who may enter all the same


async def test_a_room_may_admit_fewer_than_the_service_allows(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", maxusers="10")
    for number in range(9):
        await enters(await world.online(f"witch{number}/pda"), f"witch{number}")
    assert await refused(hag, entering("thirdwitch")) == "service-unavailable wait"


async def test_service_denies_access_because_room_does_not_yet_exist(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await enters(crone, "firstwitch")
    assert await refused(hag, entering("thirdwitch")) == "item-not-found cancel"
    await configure(crone)
    await enters(hag, "thirdwitch")


async def test_a_locked_room_goes_with_its_owner(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await enters(crone, "firstwitch")
    await crone.close()
    assert codes((await enters(hag, "thirdwitch"))[0]) == ["201", "110"]


async def test_service_warns_that_discussions_are_logged() -> None:
    async with a_service(default_room_options={"logging": True}) as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch")
        assert codes((await enters(hag, "thirdwitch"))[1]) == ["170", "110"]
        assert codes(await crone.receive()) == []


# 7.2.18, 15.3


async def test_service_response_to_groupchat_1_0_join_and_non_occupant_presence_update(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    for _ in ("before there is a room", "and in one"):
        hag.send(f"<presence to='{ROOM}/thirdwitch' id='7'/>")
        gone = await hag.receives("c:presence[@type='unavailable'][@id='7']")
        assert codes(gone) == ["110", "307", "333"]
        assert item(gone) == {"affiliation": "none", "role": "none"}
        await found(crone, "firstwitch")
    await crone.receives_nothing()


async def test_a_presence_with_a_type_is_no_request_to_enter(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    for kind in ("probe", "subscribe", "unavailable"):
        hag.send(f"<presence type='{kind}' to='{ROOM}/thirdwitch'><x xmlns='{MUC}'/></presence>")
    await hag.ping()
    await crone.receives_nothing()


async def test_who_enters_again_is_sent_everything_again(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    await enters(hag, "thirdwitch")
    hag.send(f"<message type='groupchat' to='{ROOM}'><body>hi</body></message>")
    await hag.pending()
    await crone.pending()
    stanzas = await enters(hag, "thirdwitch")
    assert [nick(each) for each in stanzas] == ["firstwitch", "thirdwitch", "thirdwitch", ""]
    assert has(stanzas[2], "c:body[.='hi']")
    await crone.receives_nothing()
    hag.send(entering("thirdwitch").replace("</presence>", "<show>dnd</show></presence>"))
    await hag.pending()
    assert has(await crone.receive(), "c:show[.='dnd']")
