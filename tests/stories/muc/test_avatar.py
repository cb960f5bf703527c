"""XEP-0486: the avatar of a room."""

from base64 import b64encode
from hashlib import sha1

import pytest

from tests.kit.client import Client, show
from tests.kit.world import World
from xmppd.xmpp.stanza import Element

from .coven import NAMES, ROOM, codes, enters, found, world
from .ruling import Company, coven, does, fails

__all__ = ["coven", "world"]

IMAGE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
HASH = sha1(IMAGE).hexdigest()
LOAD = f"<iq type='get' to='{ROOM}'><vCard xmlns='vcard-temp'/></iq>"


def photo(image: bytes = IMAGE) -> str:
    """A photo of a card."""
    return f"<PHOTO><TYPE>image/svg+xml</TYPE><BINVAL>{b64encode(image).decode()}</BINVAL></PHOTO>"


def card(inside: str) -> str:
    """Another card."""
    return f"<iq type='set' to='{ROOM}'><vCard xmlns='vcard-temp'>{inside}</vCard></iq>"


async def hashes(client: Client) -> list[str]:
    """What disco#info of the room tells."""
    reply = await does(client, f"<iq type='get' to='{ROOM}'><query xmlns='{NAMES['info']}'/></iq>")
    assert reply.xpath("*/info:feature[@var='vcard-temp']", namespaces=NAMES)
    path = "*/x:x/x:field[@var='muc#roominfo_avatarhash']/x:value/text()"
    return [str(text) for text in reply.xpath(path, namespaces=NAMES)]


def update(stanza: Element) -> str | None:
    """The hash in a presence."""
    return stanza.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo")


async def test_owners_client_publishes_avatar_to_the_room(coven: Company) -> None:
    assert await hashes(coven.stranger) == []
    await does(coven.owner, card(photo()))
    for client in coven.everybody:
        assert codes(await client.receives(f"c:message[@type='groupchat'][@from='{ROOM}']")) == ["104"]
        assert update(await client.receives(f"c:presence[@from='{ROOM}']")) == HASH
    assert await hashes(coven.stranger) == [HASH]
    reply = await does(coven.stranger, LOAD)
    assert b64encode(IMAGE).decode() in show(reply)


async def test_who_enters_is_told_of_the_avatar(coven: Company) -> None:
    await does(coven.owner, card(photo()))
    lear = await coven.world.online("lear/castle")
    lear.send(f"<presence to='{ROOM}/king'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    assert HASH in [update(stanza) for stanza in await lear.pending()]


async def test_owners_client_removes_a_rooms_avatar(coven: Company) -> None:
    await does(coven.owner, card(photo()))
    await coven.quiet()
    await does(coven.owner, card(""))
    await coven.member.receives("c:message")
    assert not update(await coven.member.receives(f"c:presence[@from='{ROOM}']"))
    assert await hashes(coven.stranger) == []
    assert len((await does(coven.stranger, LOAD))[0]) == 0


async def test_user_is_not_allowed_to_set_vcard_temp(coven: Company) -> None:
    for client in (coven.admin, coven.member, coven.stranger):
        assert await fails(client, card(photo())) == "forbidden"
    assert await hashes(coven.owner) == []


async def test_owners_client_publishes_avatar_in_two_different_formats(coven: Company) -> None:
    await does(coven.owner, card(photo() + photo(b"png")))
    assert await hashes(coven.stranger) == [HASH, sha1(b"png").hexdigest()]


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("<PHOTO><BINVAL>no base64!</BINVAL></PHOTO>", "bad-request"),
        (photo() * 5, "not-acceptable"),
        (f"<DESC>{'x' * 131_073}</DESC>", "policy-violation"),
    ],
)
async def test_what_a_card_may_not_be(coven: Company, inside: str, condition: str) -> None:
    assert await fails(coven.owner, card(inside)) == condition
    assert await hashes(coven.owner) == []


async def test_an_avatar_of_a_fleeting_room_stays_when_the_room_becomes_persistent(world: World) -> None:
    from .coven import configure

    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    await does(crone, card(photo()))
    await configure(crone, persistentroom="1")
    assert await hashes(crone) == [HASH]
    assert b64encode(IMAGE).decode() in show(await does(crone, LOAD))
    await configure(crone, persistentroom="0")
    assert b64encode(IMAGE).decode() in show(await does(crone, LOAD))
    assert await enters(crone, "firstwitch")
