"""XEP-0045 15.4 and XEP-0410: requests between occupants, and to oneself."""

import pytest

from tests.kit.client import error_of
from tests.kit.world import World

from .coven import ROOM, a_service, enters, found, world
from .test_speak import Trio, gather, trio

__all__ = ["trio", "world"]

PING = "<ping xmlns='urn:xmpp:ping'/>"
VERSION = "<query xmlns='jabber:iq:version'/>"


async def test_a_self_ping_of_an_occupant_is_answered_by_the_room(trio: Trio) -> None:
    reply = await trio.hag.ask(f"<iq type='get' to='{ROOM}/thirdwitch'>{PING}</iq>")
    assert (reply.get("type"), reply.get("from")) == ("result", f"{ROOM}/thirdwitch")


@pytest.mark.parametrize("nick", ["firstwitch", "nobody"])
async def test_a_ping_of_who_is_not_joined_is_not_acceptable(trio: Trio, nick: str) -> None:
    stranger = await trio.world.online("hecate/broom")
    reply = await stranger.ask(f"<iq type='get' to='{ROOM}/{nick}'>{PING}</iq>")
    assert error_of(reply) == "not-acceptable"


async def test_a_ping_into_a_room_that_is_gone_is_not_acceptable(world: World) -> None:
    hag = await world.online("hag66/pda")
    reply = await hag.ask(f"<iq type='get' to='{ROOM}/thirdwitch'>{PING}</iq>")
    assert error_of(reply) == "not-acceptable"


async def test_a_room_announces_self_pings(trio: Trio) -> None:
    reply = await trio.hag.ask(
        f"<iq type='get' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    assert reply.xpath("*/*[@var='http://jabber.org/protocol/muc#self-ping-optimization']")


async def test_a_request_passes_from_occupant_to_occupant_and_back(trio: Trio) -> None:
    trio.wicca.send(f"<iq type='get' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>")
    asked = await trio.hag.receives("c:iq[@type='get']")
    assert asked.get("from") == f"{ROOM}/secondwitch"
    assert asked.get("to") == "hag66@localhost/pda"
    answer = "<query xmlns='jabber:iq:version'><name>Cauldron</name></query>"
    trio.hag.send(f"<iq type='result' id='{asked.get('id')}' to='{asked.get('from')}'>{answer}</iq>")
    got = await trio.wicca.receives("c:iq[@type='result'][@id='v1']")
    assert got.get("from") == f"{ROOM}/thirdwitch"
    assert "Cauldron" in str(got.xpath("string(.)"))
    assert b"localhost/pda" not in str(got.attrib).encode()


async def test_the_answer_is_taken_from_who_was_asked_alone_and_once(trio: Trio) -> None:
    trio.wicca.send(f"<iq type='get' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>")
    asked = await trio.hag.receives("c:iq[@type='get']")
    answer = f"<iq type='result' id='{asked.get('id')}' to='{ROOM}/secondwitch'/>"
    trio.crone.send(answer)
    await trio.crone.ping()
    await trio.wicca.receives_nothing()
    trio.hag.send(answer)
    trio.hag.send(answer)
    await trio.wicca.receives("c:iq[@type='result']")
    await trio.hag.ping()
    await trio.wicca.receives_nothing()


async def test_an_error_passes_too(trio: Trio) -> None:
    trio.wicca.send(f"<iq type='set' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>")
    asked = await trio.hag.receives("c:iq[@type='set']")
    error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    trio.hag.send(f"<iq type='error' id='{asked.get('id')}' to='{ROOM}/secondwitch'>{error}</iq>")
    await trio.wicca.receives_error("service-unavailable")
    await trio.crone.receives_nothing()


async def test_a_card_is_the_accounts_and_the_server_answers_for_it(trio: Trio) -> None:
    card = "<vCard xmlns='vcard-temp'><FN>Third Witch</FN></vCard>"
    await trio.hag.ask(f"<iq type='set'>{card}</iq>")
    reply = await trio.wicca.ask(f"<iq type='get' to='{ROOM}/thirdwitch'><vCard xmlns='vcard-temp'/></iq>")
    assert reply.get("from") == f"{ROOM}/thirdwitch"
    assert reply.findtext("{vcard-temp}vCard/{vcard-temp}FN") == "Third Witch"


async def test_who_does_not_answer_is_answered_for(trio: Trio) -> None:
    trio.wicca.send(f"<iq type='get' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>")
    await trio.hag.receive()
    await trio.world.advance(160)
    error = await trio.wicca.receives_error("remote-server-timeout")
    assert error.get("id") == "v1"


async def test_one_occupant_has_so_many_requests_under_way(trio: Trio) -> None:
    ask = f"<iq type='get' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>"
    trio.wicca.send(ask * 51)
    await trio.wicca.ping()
    asked = await trio.hag.pending()
    assert len(asked) == 50
    await trio.wicca.receives_error("resource-constraint")
    trio.crone.send(ask)
    await trio.crone.receives_nothing()
    trio.hag.send(f"<iq type='result' id='{asked[0].get('id')}' to='{ROOM}/secondwitch'/>")
    await trio.hag.ping()
    await trio.wicca.receives("c:iq[@type='result']")
    trio.wicca.send(ask)
    await trio.wicca.receives_nothing()


async def test_a_room_has_so_many_requests_under_way(trio: Trio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xmppd.modules.muc.passing.MOST_ASKED", 2)
    ask = f"<iq type='get' id='v1' to='{ROOM}/thirdwitch'>{VERSION}</iq>"
    trio.wicca.send(ask * 2)
    await trio.wicca.receives_nothing()
    trio.crone.send(ask)
    await trio.crone.receives_error("resource-constraint")


async def test_a_request_to_nobody_is_item_not_found(trio: Trio) -> None:
    reply = await trio.wicca.ask(f"<iq type='get' to='{ROOM}/nobody'>{VERSION}</iq>")
    assert error_of(reply) == "item-not-found"


async def test_a_room_may_pass_no_requests_on() -> None:
    async with a_service(default_room_options={"allow_query_users": False}) as world:
        trio = await gather(world)
        reply = await trio.wicca.ask(f"<iq type='get' to='{ROOM}/thirdwitch'>{VERSION}</iq>")
        assert error_of(reply) == "not-allowed"
        await trio.hag.receives_nothing()


async def test_disco_of_an_occupant_by_a_stranger_is_a_bad_request(world: World) -> None:
    crone, stranger = await world.online("crone1/desktop"), await world.online("hecate/broom")
    await found(crone, "firstwitch")
    await enters(await world.online("hag66/pda"), "thirdwitch")
    info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await stranger.ask(f"<iq type='get' to='{ROOM}/thirdwitch'>{info}</iq>")
    assert error_of(reply) == "bad-request"
