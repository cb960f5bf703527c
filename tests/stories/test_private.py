"""XEP-0049: Private XML Storage, and what clients keep in it (XEP-0048)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

from .comparing import same

PRIVATE = "jabber:iq:private"
NOTE = "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>"
BOOKMARKS = (
    "<storage xmlns='storage:bookmarks'>"
    "<conference name='The Play&apos;s the Thing' autojoin='true' jid='theplay@conference.shakespeare.lit'>"
    "<nick>JC</nick></conference><url name='Complete Works' url='http://the-tech.mit.edu/Shakespeare/?a=1&amp;b=2'/>"
    "</storage>"
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "disco": {}, "private": {}}) as made:
        yield made


async def store(client: Client, inside: str, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='set'{where}><query xmlns='{PRIVATE}'>{inside}</query></iq>")


async def load(client: Client, inside: str, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='get'{where}><query xmlns='{PRIVATE}'>{inside}</query></iq>")


async def test_2_2_what_was_stored_comes_back(world: World) -> None:
    alice = await world.session("alice/phone")
    for stored, asked in (
        (NOTE, "<exodus xmlns='exodus:prefs'/>"),
        (BOOKMARKS, "<storage xmlns='storage:bookmarks'/>"),
    ):
        reply = await store(alice, stored)
        assert (reply.get("type"), len(reply)) == ("result", 0)
        reply = await load(alice, asked)
        assert reply[0].tag == f"{{{PRIVATE}}}query"
        assert same(reply[0][0], stored)


async def test_2_2_it_is_there_for_every_resource_and_after_a_new_login(world: World) -> None:
    alice = await world.session("alice/phone")
    await store(alice, NOTE)
    await alice.close()
    laptop = await world.session("alice/laptop")
    assert same((await load(laptop, "<exodus xmlns='exodus:prefs'/>", "alice@localhost"))[0][0], NOTE)


async def test_2_2_a_new_element_takes_the_place_of_the_old(world: World) -> None:
    alice = await world.session("alice/phone")
    await store(alice, NOTE)
    await store(alice, "<exodus xmlns='exodus:prefs'><x/></exodus>")
    reply = await load(alice, "<exodus xmlns='exodus:prefs'/>")
    assert same(reply[0][0], "<exodus xmlns='exodus:prefs'><x/></exodus>")


async def test_2_3_several_elements_are_stored_at_once(world: World) -> None:
    alice = await world.session("alice/phone")
    await store(alice, NOTE + BOOKMARKS + "<other xmlns='exodus:prefs'/>")
    assert same((await load(alice, "<exodus xmlns='exodus:prefs'/>"))[0][0], NOTE)
    assert same((await load(alice, "<storage xmlns='storage:bookmarks'/>"))[0][0], BOOKMARKS)


async def test_2_3_what_is_not_there_is_empty(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await load(alice, "<storage xmlns='storage:bookmarks'/>")
    assert same(reply[0][0], "<storage xmlns='storage:bookmarks'/>")


async def test_2_3_to_store_nothing_is_not_acceptable(world: World) -> None:
    alice = await world.session("alice/phone")
    assert error_of(await store(alice, "")) == "not-acceptable"


@pytest.mark.parametrize("element", ["<plain/>", "<query xmlns='jabber:iq:private'/>", "<x xmlns='jabber:client'/>"])
async def test_2_3_an_element_needs_a_namespace_of_its_own(world: World, element: str) -> None:
    alice = await world.session("alice/phone")
    assert error_of(await store(alice, NOTE + element)) == "not-acceptable"
    assert len((await load(alice, "<exodus xmlns='exodus:prefs'/>"))[0][0]) == 0


async def test_2_3_one_element_of_each_name_is_kept(world: World) -> None:
    alice = await world.session("alice/phone")
    assert error_of(await store(alice, NOTE + NOTE)) == "not-acceptable"


@pytest.mark.parametrize("inside", ["", NOTE + BOOKMARKS])
async def test_2_3_one_asks_for_one_element(world: World, inside: str) -> None:
    alice = await world.session("alice/phone")
    assert error_of(await load(alice, inside)) == "bad-request"


async def test_3_what_belongs_to_another_is_forbidden(world: World) -> None:
    alice = await world.session("alice/phone")
    await store(alice, NOTE)
    mallory = await world.session("mallory/phone")
    assert error_of(await load(mallory, "<exodus xmlns='exodus:prefs'/>", "alice@localhost")) == "forbidden"
    assert error_of(await store(mallory, "<exodus xmlns='exodus:prefs'/>", "alice@localhost")) == "forbidden"
    assert same((await load(alice, "<exodus xmlns='exodus:prefs'/>"))[0][0], NOTE)


async def test_nobody_shares_what_they_store(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await store(alice, NOTE)
    assert len((await load(bob, "<exodus xmlns='exodus:prefs'/>"))[0][0]) == 0


async def test_a_bare_from_is_as_good_as_a_full_one(world: World) -> None:
    alice = await world.session("alice/phone")
    query = f"<query xmlns='{PRIVATE}'>{NOTE}</query>"
    reply = await alice.ask(f"<iq type='set' from='alice@localhost'>{query}</iq>")
    assert reply.get("type") == "result"
    assert same((await load(alice, "<exodus xmlns='exodus:prefs'/>"))[0][0], NOTE)


async def test_prefixes_and_texts_come_back_as_they_were(world: World) -> None:
    alice = await world.session("alice/phone")
    odd = "<p:x xmlns:p='urn:p' xmlns='urn:q' a='&lt;&amp;&apos;' p:b='2'><y>&lt; ü &#9;</y> text <!-- --></p:x>"
    await store(alice, odd.replace("<!-- -->", ""))
    assert same((await load(alice, "<x xmlns='urn:p'/>"))[0][0], odd.replace("<!-- -->", ""))


async def test_there_is_a_limit_to_the_size_and_to_the_number() -> None:
    options: dict[str, Any] = {"max_elements": 2, "max_size": 1024}
    async with a_world(modules={"ping": {}, "private": options}) as world:
        alice = await world.session("alice/phone")
        frame = len("<a xmlns='urn:1'></a>")
        assert error_of(await store(alice, f"<a xmlns='urn:1'>{'x' * (1025 - frame)}</a>")) == "policy-violation"
        assert (await store(alice, f"<a xmlns='urn:1'>{'x' * (1024 - frame)}</a>")).get("type") == "result"
        assert (await store(alice, "<a xmlns='urn:2'/>")).get("type") == "result"
        assert error_of(await store(alice, "<a xmlns='urn:3'/>")) == "policy-violation"
        assert (await store(alice, "<a xmlns='urn:2'>again</a>")).get("type") == "result"


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    alice = await world.session("alice/phone")
    await store(alice, NOTE)
    await world.host.remove_account(alice.jid.bare)
    assert await world.host.house.storage.fetch("SELECT * FROM private") == []


async def test_the_feature_is_told(world: World) -> None:
    alice = await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    for whom in ("localhost", "alice@localhost"):
        reply = await alice.ask(f"<iq type='get' to='{whom}'>{query}</iq>")
        assert reply.xpath(f"info:query/info:feature[@var='{PRIVATE}']", namespaces=NAMES)
