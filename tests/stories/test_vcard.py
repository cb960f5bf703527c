"""XEP-0054: vcard-temp, and the avatars of XEP-0153 in it."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import etree

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

from .comparing import same

MODULES: dict[str, dict[str, Any]] = {"ping": {}, "disco": {}, "vcard": {}, "roster": {}, "presence": {}}
EMPTY = "<vCard xmlns='vcard-temp'/>"
CARD = (
    "<vCard xmlns='vcard-temp'><FN>Peter &lt;Saint-Andr&#233;&gt;</FN><TEL><WORK/><NUMBER>303-308-3282</NUMBER></TEL>"
    "<EMAIL><INTERNET/><PREF/><USERID>stpeter@jabber.org</USERID></EMAIL><JABBERID>stpeter@jabber.org</JABBERID></vCard>"
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


async def card(client: Client, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='get'{where}>{EMPTY}</iq>")


async def publish(client: Client, card: str, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='set'{where}>{card}</iq>")


async def test_3_1_ones_own_card(world: World) -> None:
    alice = await world.session("alice/phone")
    await publish(alice, CARD)
    for to in ("", "alice@localhost"):
        assert same((await card(alice, to))[0], CARD)


async def test_3_1_who_has_none_has_an_empty_one(world: World) -> None:
    alice = await world.session("alice/phone")
    assert same((await card(alice))[0], EMPTY)


async def test_3_2_a_card_replaces_the_one_before(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await publish(alice, CARD)
    assert (reply.get("type"), len(reply)) == ("result", 0)
    await publish(alice, "<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>")
    assert same((await card(alice))[0], "<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>")


async def test_3_2_the_card_of_another_is_forbidden(world: World) -> None:
    alice, mallory = await world.session("alice/phone"), await world.session("mallory/phone")
    await publish(alice, CARD)
    assert error_of(await publish(mallory, EMPTY, "alice@localhost")) == "forbidden"
    assert error_of(await publish(mallory, EMPTY, "localhost")) == "service-unavailable"
    assert same((await card(alice))[0], CARD)


async def test_3_3_the_server_answers_for_another_user(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.session("bob/phone")
    await publish(alice, CARD)
    reply = await card(bob, "alice@localhost")
    assert reply.get("from") == "alice@localhost"
    assert same(reply[0], CARD)
    await alice.receives_nothing()


async def test_3_3_no_card_cannot_be_told_from_no_account(world: World) -> None:
    await world.online("alice/phone")
    bob = await world.session("bob/phone")
    replies = [await card(bob, whom) for whom in ("alice@localhost", "nobody@localhost")]
    assert [error_of(reply) for reply in replies] == ["service-unavailable"] * 2
    assert len({etree.tostring(reply[-1]) for reply in replies}) == 1


async def test_3_3_a_card_asked_of_a_resource_passes_to_it(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    bob.send(f"<iq type='get' to='alice@localhost/phone' id='v'>{EMPTY}</iq>")
    await alice.receives("c:iq[@id='v'][@from='bob@localhost/phone']")


@pytest.mark.parametrize("whom", ["localhost", "alice@localhost"])
async def test_4_the_feature_is_told(world: World, whom: str) -> None:
    alice = await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await alice.ask(f"<iq type='get' to='{whom}'>{query}</iq>")
    assert reply.xpath("info:query/info:feature[@var='vcard-temp']", namespaces=NAMES)


async def test_the_server_has_a_card() -> None:
    options = {"server_name": "Elsinore & Co", "server_url": "https://elsinore.example/?a&b"}
    async with a_world(modules=MODULES | {"vcard": options}) as world:
        alice = await world.session("alice/phone")
        reply = await card(alice, "localhost")
        assert reply[0].findtext("{vcard-temp}FN") == "Elsinore & Co"
        assert reply[0].findtext("{vcard-temp}URL") == "https://elsinore.example/?a&b"


async def test_there_is_a_limit_to_the_size() -> None:
    async with a_world(modules=MODULES | {"vcard": {"max_size": 1024}}) as world:
        alice = await world.session("alice/phone")
        frame = len("<vCard xmlns='vcard-temp'><FN></FN></vCard>")
        fitting = f"<vCard xmlns='vcard-temp'><FN>{'x' * (1024 - frame)}</FN></vCard>"
        assert error_of(await publish(alice, fitting.replace("x</FN>", "xx</FN>"))) == "policy-violation"
        assert (await publish(alice, fitting)).get("type") == "result"


async def test_0153_an_avatar_of_64_kb_fits(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    photo = b64encode(bytes(range(256)) * 256).decode()
    avatar = f"<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>{photo}</BINVAL></PHOTO></vCard>"
    assert (await publish(alice, avatar)).get("type") == "result"
    assert same((await card(bob, "alice@localhost"))[0], avatar)


@pytest.mark.parametrize("photo", ["", "<photo/>", "<photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo>"])
async def test_0153_the_hash_passes_in_presence(world: World, photo: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    update = f"<x xmlns='vcard-temp:x:update'>{photo}</x>"
    alice.send(f"<presence>{update}</presence>")
    presence = await bob.receives("c:presence[@from='alice@localhost/phone']")
    assert same(presence[0], update)


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await publish(alice, CARD)
    await world.host.remove_account(alice.jid.bare)
    assert error_of(await card(bob, "alice@localhost")) == "service-unavailable"
    assert await world.host.house.storage.fetch("SELECT * FROM vcard") == []
