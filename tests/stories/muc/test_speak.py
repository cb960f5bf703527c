"""XEP-0045 7.3 to 7.5: messages to all, the subject, private messages; XEP-0359 and XEP-0421 in rooms."""

from dataclasses import dataclass

import pytest

from tests.kit.client import Client
from tests.kit.world import World

from .coven import ROOM, USER, a_service, bodies, enters, found, has, nick, say, world

__all__ = ["world"]


@dataclass
class Trio:
    """An owner, an occupant, and another one."""

    world: World
    crone: Client
    wicca: Client
    hag: Client

    @property
    def everybody(self) -> tuple[Client, ...]:
        """All three."""
        return self.crone, self.wicca, self.hag


async def gather(world: World, **fields: str) -> Trio:
    """They are in a room with these fields of muc#roomconfig."""
    crone, wicca, hag = [await world.online(name) for name in ("crone1/desktop", "wiccarocks/laptop", "hag66/pda")]
    await found(crone, "firstwitch", **fields)
    await enters(wicca, "secondwitch")
    await enters(hag, "thirdwitch")
    for client in (crone, wicca, hag):
        await client.pending()
    return Trio(world, crone, wicca, hag)


@pytest.fixture
async def trio(world: World) -> Trio:
    """The three in an open room."""
    return await gather(world)


# 7.4


async def test_occupant_sends_a_message_to_all_occupants(trio: Trio) -> None:
    trio.hag.send(say("Harpier cries: 'tis time, 'tis time.", id="hysf1v37"))
    for client in trio.everybody:
        copy = await client.receives("c:message[@type='groupchat'][@id='hysf1v37']")
        assert copy.get("from") == f"{ROOM}/thirdwitch"
        assert copy.get("to") == client.jid
        assert bodies([copy]) == ["Harpier cries: 'tis time, 'tis time."]


async def test_a_message_without_an_id_is_given_one(trio: Trio) -> None:
    trio.hag.send(say("hi"))
    copies = [await client.receive() for client in trio.everybody]
    assert len({copy.get("id") for copy in copies}) == 1
    assert copies[0].get("id")


async def test_all_that_a_message_holds_passes(trio: Trio) -> None:
    trio.hag.send(say("hi</body><x xmlns='urn:x:y' a='1'><z/></x><body xml:lang='de'>hallo"))
    copy = await trio.wicca.receive()
    assert copy.find("{urn:x:y}x/{urn:x:y}z") is not None
    assert copy.xpath("*[local-name()='body'][@xml:lang='de']")


async def test_visitors_may_not_speak(world: World) -> None:
    trio = await gather(world, moderatedroom="1")
    trio.hag.send(say("hi"))
    await trio.hag.receives_error("forbidden")
    await trio.crone.receives_nothing()


async def test_who_is_not_in_the_room_may_not_speak(trio: Trio) -> None:
    stranger = await trio.world.online("hecate/broom")
    stranger.send(say("hi"))
    await stranger.receives_error("not-acceptable")
    await trio.crone.receives_nothing()


async def test_a_message_to_a_room_that_does_not_exist_is_item_not_found(world: World) -> None:
    hag = await world.online("hag66/pda")
    hag.send(say("hi"))
    await hag.receives_error("item-not-found")


async def test_a_message_to_the_room_is_of_type_groupchat(trio: Trio) -> None:
    trio.hag.send(say("hi").replace("groupchat", "chat"))
    await trio.hag.receives_error("bad-request")


async def test_everybody_sees_everything_in_the_same_order(trio: Trio) -> None:
    for number in range(10):
        for client in trio.everybody:
            client.send(say(f"{nick_of(client)} {number}"))
    for client in trio.everybody:
        await client.ping()
    seen = [bodies(await client.pending()) for client in trio.everybody]
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 30


def nick_of(client: Client) -> str:
    """A name for a client."""
    return client.jid.local


# XEP-0359, XEP-0421


async def test_every_message_has_an_id_of_the_room(trio: Trio) -> None:
    trio.hag.send(say("one"))
    trio.hag.send(say("two"))
    ids = []
    for client in trio.everybody:
        copies = [await client.receive(), await client.receive()]
        ids.append([str(copy.xpath(f"string(*[local-name()='stanza-id'][@by='{ROOM}']/@id)")) for copy in copies])
    assert ids[0] == ids[1] == ids[2]
    assert len({*ids[0], ""}) == 3


async def test_an_id_that_claims_to_be_the_rooms_is_taken_off(trio: Trio) -> None:
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='forged'/>"
    other = "<stanza-id xmlns='urn:xmpp:sid:0' by='other@example.net' id='kept'/>"
    trio.hag.send(say(f"hi</body>{forged}{other}<x xmlns='urn:x'/><body xml:lang='de'>hallo"))
    copy = await trio.crone.receive()
    ids = copy.xpath("*[local-name()='stanza-id']/@id")
    assert "kept" in ids
    assert "forged" not in ids
    assert len(ids) == 2


@pytest.mark.parametrize("who", [ROOM, f"{ROOM}/secondwitch", "Coven@Conference.localhost"])
@pytest.mark.parametrize("mark", ["delay xmlns='urn:xmpp:delay'", "x xmlns='jabber:x:delay'"])
async def test_a_date_that_claims_to_be_the_rooms_is_taken_off(trio: Trio, who: str, mark: str) -> None:
    forged = f"<{mark} from='{who}' stamp='2002-10-13T23:58:37Z'/>"
    own = f"<{mark} from='{trio.hag.jid}' stamp='2003-10-13T23:58:37Z'/>"
    odd = f"<{mark} from='@' stamp='2004-10-13T23:58:37Z'/><{mark} stamp='2005-10-13T23:58:37Z'/>"
    trio.hag.send(say(f"hi</body>{forged}{own}{odd}<body xml:lang='de'>hallo"))
    copy = await trio.crone.receive()
    assert [str(stamp)[:4] for stamp in copy.xpath("*/@stamp")] == ["2003", "2004", "2005"]


async def test_messages_and_presence_carry_an_id_of_the_occupant_that_stays(trio: Trio) -> None:
    def occupant(stanza: object) -> str:
        return str(stanza.xpath("string(*[local-name()='occupant-id']/@id)"))  # type: ignore[attr-defined]

    trio.hag.send(say("hi"))
    id = occupant(await trio.wicca.receive())
    await trio.hag.pending()
    trio.hag.send(f"<presence type='unavailable' to='{ROOM}/thirdwitch'/>")
    assert occupant(await trio.wicca.receive()) == id
    again = await trio.world.online("hag66/phone")
    await enters(again, "othernick")
    assert occupant(await trio.wicca.receive()) == id
    trio.wicca.send(say("hi"))
    assert occupant(await trio.wicca.receive()) not in (id, "")


async def test_nobody_speaks_under_anothers_id_or_as_the_room(trio: Trio) -> None:
    forged = f"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><x xmlns='{USER}'><status code='104'/></x>"
    trio.hag.send(say(f"hi</body>{forged}<body xml:lang='de'>hallo"))
    copy = await trio.crone.receive()
    assert "forged" not in copy.xpath("*[local-name()='occupant-id']/@id")
    assert not has(copy, "m:x")


# 7.3, 8.1


async def test_moderator_changes_subject(trio: Trio) -> None:
    trio.crone.send(f"<message type='groupchat' to='{ROOM}' id='lh2bs617'><subject>Fire Burn!</subject></message>")
    for client in trio.everybody:
        told = await client.receives("c:message[@type='groupchat'][@id='lh2bs617'][c:subject='Fire Burn!']")
        assert told.get("from") == f"{ROOM}/firstwitch"


async def test_service_returns_error_related_to_unauthorized_subject_change(trio: Trio) -> None:
    trio.hag.send(f"<message type='groupchat' to='{ROOM}'><subject>Fire Burn!</subject></message>")
    await trio.hag.receives_error("forbidden")
    await trio.crone.receives_nothing()


async def test_occupants_change_the_subject_where_the_room_allows_it(world: World) -> None:
    trio = await gather(world, changesubject="1")
    trio.hag.send(f"<message type='groupchat' to='{ROOM}'><subject>Fire Burn!</subject></message>")
    await trio.crone.receives("c:message[c:subject='Fire Burn!']")


async def test_moderator_sets_empty_subject(trio: Trio) -> None:
    for subject in ("Fire Burn!", ""):
        trio.crone.send(f"<message type='groupchat' to='{ROOM}'><subject>{subject}</subject></message>")
    await trio.crone.ping()
    hecate = await trio.world.online("hecate/broom")
    told = (await enters(hecate, "hecate"))[-1]
    assert not told.findtext("{jabber:client}subject")
    assert has(told, "d:delay")


async def test_a_subject_beside_a_body_is_no_change_of_the_subject(trio: Trio) -> None:
    trio.hag.send(f"<message type='groupchat' to='{ROOM}'><subject>s</subject><body>hi</body></message>")
    await trio.crone.receives("c:message[c:body='hi']")
    hecate = await trio.world.online("hecate/broom")
    assert not (await enters(hecate, "hecate"))[-1].findtext("{jabber:client}subject")


# 7.5


async def test_occupant_sends_private_message(trio: Trio) -> None:
    trio.wicca.send(f"<message id='hgn27af1' to='{ROOM}/firstwitch' type='chat'><body>I'll give thee</body></message>")
    got = await trio.crone.receives("c:message[@type='chat'][@id='hgn27af1']")
    assert got.get("from") == f"{ROOM}/secondwitch"
    assert got.get("to") == "crone1@localhost/desktop"
    assert has(got, "m:x")
    await trio.hag.receives_nothing()


async def test_a_private_message_reaches_all_resources_behind_a_nick(trio: Trio) -> None:
    phone = await trio.world.online("hag66/phone")
    await enters(phone, "thirdwitch")
    await trio.hag.pending()
    trio.wicca.send(f"<message to='{ROOM}/thirdwitch' type='chat'><body>psst</body></message>")
    for client in (trio.hag, phone):
        await client.receives("c:message[@type='chat'][c:body='psst']")


async def test_occupant_attempts_to_send_a_message_of_type_groupchat_to_a_particular_occupant(trio: Trio) -> None:
    trio.wicca.send(f"<message to='{ROOM}/firstwitch' type='groupchat'><body>hi</body></message>")
    await trio.wicca.receives_error("bad-request")
    await trio.crone.receives_nothing()


async def test_a_private_message_to_nobody_is_item_not_found(trio: Trio) -> None:
    trio.wicca.send(f"<message to='{ROOM}/nobody' type='chat'><body>hi</body></message>")
    await trio.wicca.receives_error("item-not-found")


async def test_a_private_message_of_a_stranger_is_not_acceptable(trio: Trio) -> None:
    stranger = await trio.world.online("hecate/broom")
    stranger.send(f"<message to='{ROOM}/firstwitch' type='chat'><body>hi</body></message>")
    await stranger.receives_error("not-acceptable")
    await trio.crone.receives_nothing()


async def test_a_private_message_carries_no_words_of_the_room(trio: Trio) -> None:
    forged = f"<x xmlns='{USER}'><invite from='king@localhost'/></x>"
    trio.wicca.send(f"<message to='{ROOM}/firstwitch' type='chat'><body>hi</body>{forged}</message>")
    assert not has(await trio.crone.receive(), "m:x/*")


async def test_a_room_may_keep_private_messages_to_moderators(world: World) -> None:
    trio = await gather(world, allowpm="moderators")
    trio.hag.send(f"<message to='{ROOM}/secondwitch' type='chat'><body>hi</body></message>")
    await trio.hag.receives_error("forbidden")
    trio.crone.send(f"<message to='{ROOM}/secondwitch' type='chat'><body>hi</body></message>")
    await trio.wicca.receives("c:message[c:body='hi']")


async def test_what_was_said_is_acknowledged_once_it_is_stored() -> None:
    async with a_service() as world:
        trio = await gather(world, persistentroom="1")
        trio.hag.send(say("hi"))
        await trio.hag.ping()
        rows = await world.host.house.storage.fetch("SELECT nick, author FROM muc_history")
        assert rows == [("thirdwitch", "hag66@localhost/pda")]


async def test_who_talks_is_named_by_the_nick(trio: Trio) -> None:
    trio.crone.send(say("hi"))
    assert nick(await trio.hag.receive()) == "firstwitch"
