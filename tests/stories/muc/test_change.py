"""XEP-0045 7.6, 7.7, 7.14, 17.4.2: nicks and availability change, occupants leave or are found to be gone."""

import pytest

from tests.kit.world import World

from .coven import MUC, ROOM, USER, a_service, codes, enters, found, has, item, nick, say, world
from .test_speak import Trio, gather, trio

__all__ = ["trio", "world"]


# 7.6


async def test_occupant_changes_nickname(trio: Trio) -> None:
    trio.hag.send(f"<presence to='{ROOM}/oldhag' id='ifd1c35'/>")
    for client in trio.everybody:
        gone, here = await client.receive(), await client.receive()
        assert (gone.get("type"), nick(gone), nick(here)) == ("unavailable", "thirdwitch", "oldhag")
        assert item(gone)["nick"] == "oldhag"
        assert item(gone)["role"] == "participant"
        assert codes(gone) == (["303", "110"] if client is trio.hag else ["303"])
        assert codes(here) == (["110"] if client is trio.hag else [])
        assert ("jid" in item(here)) == (client is trio.crone)
    trio.hag.send(say("hi"))
    assert nick(await trio.crone.receive()) == "oldhag"


async def test_service_denies_nickname_change_because_of_nick_conflict(trio: Trio) -> None:
    trio.hag.send(f"<presence to='{ROOM}/secondwitch'/>")
    await trio.hag.receives_error("conflict")
    await trio.crone.receives_nothing()


async def test_service_denies_nickname_change_because_roomnicks_are_locked_down(world: World) -> None:
    options = {"allow_visitor_nickchange": False, "moderated": True}
    async with a_service(default_room_options=options) as other:
        trio = await gather(other)
        trio.hag.send(f"<presence to='{ROOM}/oldhag'/>")
        await trio.hag.receives_error("not-acceptable")
        trio.crone.send(f"<presence to='{ROOM}/oldcrone'/>")
        assert codes(await trio.hag.receive()) == ["303"]


async def test_all_resources_behind_a_nick_take_another_together(trio: Trio) -> None:
    phone = await trio.world.online("hag66/phone")
    await enters(phone, "thirdwitch")
    await trio.hag.pending()
    phone.send(f"<presence to='{ROOM}/oldhag'/>")
    for client in (trio.hag, phone):
        assert codes(await client.receive()) == ["303", "110"]
        assert codes(await client.receive()) == ["110"]


# 7.7


async def test_occupant_changes_availability_status(trio: Trio) -> None:
    change = "<show>xa</show><status>gone where the goblins go</status>"
    trio.wicca.send(f"<presence to='{ROOM}/secondwitch'>{change}</presence>")
    for client in trio.everybody:
        seen = await client.receives("c:presence[not(@type)][c:show='xa'][c:status='gone where the goblins go']")
        assert nick(seen) == "secondwitch"
        assert codes(seen) == (["110"] if client is trio.wicca else [])
        assert ("jid" in item(seen)) == (client is trio.crone)
    hecate = await trio.world.online("hecate/broom")
    stanzas = await enters(hecate, "hecate")
    assert [has(each, "c:show[.='xa']") for each in stanzas[:4]] == [False, True, False, False]


async def test_visitors_may_be_kept_from_showing_a_status() -> None:
    async with a_service(default_room_options={"allow_visitor_status": False, "moderated": True}) as world:
        trio = await gather(world)
        trio.hag.send(f"<presence to='{ROOM}/thirdwitch'><show>xa</show><status>buy</status></presence>")
        seen = await trio.crone.receive()
        assert has(seen, "c:show")
        assert not has(seen, "c:status")


async def test_presence_is_broadcast_for_the_roles_that_the_room_names(world: World) -> None:
    trio = await gather(world, presencebroadcast="moderator")
    hecate = await world.online("hecate/broom")
    stanzas = await enters(hecate, "hecate")
    assert [nick(each) for each in stanzas[:2]] == ["firstwitch", "hecate"]
    for client in trio.everybody:
        await client.receives_nothing()
    give = f"<query xmlns='{MUC}#admin'><item nick='hecate' role='moderator'/></query>"
    await trio.crone.ask(f"<iq type='set' to='{ROOM}'>{give}</iq>")
    assert item(await trio.hag.receive())["role"] == "moderator"
    take = f"<query xmlns='{MUC}#admin'><item nick='hecate' role='participant'/></query>"
    await trio.crone.ask(f"<iq type='set' to='{ROOM}'>{take}</iq>")
    await trio.hag.receives("c:presence[@type='unavailable'][@from='coven@conference.localhost/hecate']")
    hecate.send(f"<presence type='unavailable' to='{ROOM}/hecate'/>")
    await hecate.ping()
    await trio.hag.receives_nothing()


# 7.14


async def test_occupant_exits_a_room(trio: Trio) -> None:
    trio.hag.send(f"<presence to='{ROOM}/thirdwitch' type='unavailable'/>")
    own = await trio.hag.receives("c:presence[@type='unavailable']")
    assert codes(own) == ["110"]
    assert item(own)["role"] == "none"
    for client in (trio.crone, trio.wicca):
        seen = await client.receives("c:presence[@type='unavailable']")
        assert nick(seen) == "thirdwitch"
        assert item(seen)["role"] == "none"
        assert codes(seen) == []
    trio.crone.send(say("is she gone?"))
    await trio.crone.ping()
    await trio.hag.receives_nothing()


async def test_custom_exit_message(trio: Trio) -> None:
    status = "<status>gone where the goblins go</status>"
    trio.wicca.send(f"<presence to='{ROOM}/secondwitch' type='unavailable'>{status}</presence>")
    for client in trio.everybody:
        await client.receives("c:presence[@type='unavailable'][c:status='gone where the goblins go']")


async def test_who_becomes_unavailable_leaves(trio: Trio) -> None:
    trio.hag.send("<presence type='unavailable'><status>bye</status></presence>")
    await trio.crone.receives("c:presence[@type='unavailable'][c:status='bye']")


async def test_who_is_cut_off_leaves(trio: Trio) -> None:
    await trio.hag.drop()
    gone = await trio.crone.receives("c:presence[@type='unavailable']")
    assert nick(gone) == "thirdwitch"


async def test_a_stranger_who_leaves_is_not_heard(trio: Trio) -> None:
    stranger = await trio.world.online("hecate/broom")
    stranger.send(f"<presence to='{ROOM}/thirdwitch' type='unavailable'/>")
    await stranger.receives_nothing()
    await trio.crone.receives_nothing()


async def test_a_room_that_is_not_persistent_goes_with_the_last_occupant(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    assert "coven" in world.module("muc").rooms.loaded
    crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
    await crone.pending()
    assert "coven" not in world.module("muc").rooms.loaded
    assert codes((await enters(crone, "firstwitch"))[0]) == ["201", "110"]


async def test_a_persistent_room_stays_and_knows_who_is_who(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", persistentroom="1", roomname="A Dark Cave")
    await crone.close()
    await world.advance(3700 + 60)
    assert not world.module("muc").rooms.loaded
    again = await world.online("crone1/desktop")
    own = (await enters(again, "firstwitch"))[0]
    assert codes(own) == ["110"]
    assert item(own)["affiliation"] == "owner"


# 11.1, 17.4.2


@pytest.mark.parametrize("kind", ["message", "presence"])
async def test_muc_service_removes_user_because_of_error(trio: Trio, kind: str) -> None:
    error = "<error type='cancel'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    trio.hag.send(f"<{kind} type='error' to='{ROOM}/firstwitch'><body>hi</body>{error}</{kind}>")
    assert codes(await trio.hag.receives("c:presence[@type='unavailable']")) == ["333", "110"]
    seen = await trio.crone.receives("c:presence[@type='unavailable']")
    assert (nick(seen), codes(seen)) == ("thirdwitch", ["333"])


async def test_other_errors_remove_nobody(trio: Trio) -> None:
    error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    trio.hag.send(f"<message type='error' to='{ROOM}'>{error}</message>")
    trio.hag.send(f"<message type='error' to='{ROOM}'><error type='cancel'/></message>")
    trio.hag.send(f"<message type='error' to='{ROOM}'/>")
    await trio.hag.receives_nothing()
    await trio.crone.receives_nothing()


async def test_an_error_of_a_private_message_goes_back_to_who_sent_it(trio: Trio) -> None:
    error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    trio.hag.send(f"<message type='error' id='7' to='{ROOM}/secondwitch'>{error}</message>")
    got = await trio.wicca.receives_error("service-unavailable")
    assert got.get("from") == f"{ROOM}/thirdwitch"


# 11.2


async def test_muc_service_removes_user_because_of_service_shutdown(trio: Trio) -> None:
    await trio.world.server._loaders["localhost"].unload("muc")
    assert codes(await trio.hag.receives("c:presence[@type='unavailable']")) == ["332"]


async def test_presence_of_the_room_holds_one_extension(trio: Trio) -> None:
    trio.hag.send(f"<presence to='{ROOM}/thirdwitch'><x xmlns='{USER}'><item role='moderator'/></x></presence>")
    seen = await trio.crone.receive()
    assert len(seen.findall(f"{{{USER}}}x")) == 1
    assert item(seen)["role"] == "participant"
