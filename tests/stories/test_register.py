"""XEP-0077: In-Band Registration."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

REGISTER = "jabber:iq:register"
QUERY = f"{{{REGISTER}}}query"
FORM = "{jabber:x:data}x"
MODULES: dict[str, dict[str, Any]] = {
    "register": {"allow": True},
    **{name: {} for name in ("disco", "last", "offline", "ping", "presence", "private", "roster", "vcard")},
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


async def stranger(world: World) -> Client:
    client = await world.dial()
    await client.open()
    return client


async def get(client: Client, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='get'{where}><query xmlns='{REGISTER}'/></iq>")


async def send(client: Client, inside: str, to: str = "") -> Element:
    where = f" to='{to}'" if to else ""
    return await client.ask(f"<iq type='set'{where}><query xmlns='{REGISTER}'>{inside}</query></iq>")


def plain(username: str, password: str) -> str:
    return f"<username>{username}</username><password>{password}</password>"


def form(username: str, password: str, type: str = "submit") -> str:
    return (
        f"<x xmlns='jabber:x:data' type='{type}'><field type='hidden' var='FORM_TYPE'><value>{REGISTER}</value></field>"
        f"<field type='text-single' var='username'><value>{username}</value></field>"
        f"<field type='text-private' var='password'><value>{password}</value></field></x>"
    )


async def can_log_in(world: World, username: str, password: str) -> bool:
    return await world.host.accounts.check_password(username, password)


# Before login


async def test_8_the_feature_is_offered_before_login_where_it_is_allowed(world: World) -> None:
    client = await stranger(world)
    assert client.features is not None
    assert client.features.find("{http://jabber.org/features/iq-register}register") is not None
    alice = await world.session("alice/phone")
    assert alice.features is not None
    assert alice.features.find("{http://jabber.org/features/iq-register}register") is None


async def test_3_1_where_it_is_not_allowed_it_is_neither_offered_nor_done() -> None:
    async with a_world(modules=MODULES | {"register": {}}) as world:
        client = await stranger(world)
        assert client.features is not None
        assert client.features.find("{http://jabber.org/features/iq-register}register") is None
        assert error_of(await get(client)) == "service-unavailable"
        assert error_of(await send(client, plain("bill", "Calliope"))) == "service-unavailable"
        assert not await world.host.accounts.exists("bill")


async def test_3_1_a_stranger_learns_the_fields(world: World) -> None:
    client = await stranger(world)
    for to in ("localhost", ""):
        reply = await get(client, to)
        assert reply.get("type") == "result"
        query = reply[0]
        assert query.find(f"{{{REGISTER}}}registered") is None
        for name in ("instructions", "username", "password"):
            assert query.find(f"{{{REGISTER}}}{name}") is not None


async def test_4_the_form_has_the_same_fields_and_a_form_type(world: World) -> None:
    asked = (await get(await stranger(world)))[0].find(FORM)
    assert asked is not None
    assert asked.get("type") == "form"
    assert asked.xpath("string(x:field[@var='FORM_TYPE'][@type='hidden']/x:value)", namespaces=NAMES) == REGISTER
    assert asked.xpath("x:field[x:required]/@var", namespaces=NAMES) == ["username", "password"]
    assert asked.xpath("x:field[@type='text-private']/@var", namespaces=NAMES) == ["password"]


@pytest.mark.parametrize("fields", [plain, form])
async def test_3_1_a_stranger_registers_and_logs_in_on_the_same_stream(world: World, fields: Any) -> None:
    client = await stranger(world)
    reply = await send(client, fields("Bill", "Call&lt;iope"))
    assert (reply.get("type"), len(reply)) == ("result", 0)
    await client.login("bill", "Call<iope")
    assert await client.bind("globe") == "bill@localhost/globe"


async def test_3_1_a_name_that_is_taken_is_a_conflict(world: World) -> None:
    await world.account("bill")
    client = await stranger(world)
    reply = await send(client, plain("BILL", "other"))
    assert error_of(reply) == "conflict"
    assert await can_log_in(world, "bill", "bill")
    assert not await can_log_in(world, "bill", "other")


@pytest.mark.parametrize(
    "fields",
    [
        *("<username>bill</username>", "<password>x</password>", plain("bill", ""), plain("", "x"), ""),
        *(plain("bill@localhost", "x"), plain("bill/globe", "x"), plain("two words", "x"), plain("b" * 1024, "x")),
        *(
            form("bill", ""),
            form("", "x"),
            form("bill", "x", "cancel"),
            plain("bill", "&#127;"),
        ),
    ],
)
async def test_3_1_incomplete_or_impossible_is_not_acceptable(world: World, fields: str) -> None:
    client = await stranger(world)
    assert error_of(await send(client, fields)) == "not-acceptable"
    assert await world.host.accounts.names() == []


@pytest.mark.parametrize("fields", [form("bill", "x", "result"), form("bill", "x").replace(REGISTER, "urn:other")])
async def test_4_what_is_no_submission_of_the_form_is_a_bad_request(world: World, fields: str) -> None:
    client = await stranger(world)
    assert error_of(await send(client, fields)) == "bad-request"
    assert await world.host.accounts.names() == []


async def test_3_1_a_request_without_id_is_bad(world: World) -> None:
    client = await stranger(world)
    client.send(f"<iq type='set'><query xmlns='{REGISTER}'>{plain('bill', 'x')}</query></iq>")
    await client.receives_error("bad-request")
    assert await world.host.accounts.names() == []


async def test_6_the_form_goes_before_the_fields(world: World) -> None:
    client = await stranger(world)
    await send(client, plain("falstaff", "x") + form("bill", "Calliope"))
    assert await world.host.accounts.names() == ["bill"]


async def test_3_1_for_another_host_this_is_the_wrong_stream(world: World) -> None:
    client = await stranger(world)
    assert error_of(await send(client, plain("bill", "x"), "example.org")) == "service-unavailable"
    assert await world.host.accounts.names() == []


async def test_3_2_a_stranger_removes_nothing(world: World) -> None:
    await world.account("bill")
    client = await stranger(world)
    assert error_of(await send(client, "<remove/>")) == "unexpected-request"
    assert await world.host.accounts.exists("bill")


async def test_9_errors_have_the_old_numbers_too(world: World) -> None:
    await world.account("bill")
    client = await stranger(world)
    for fields, code in ((plain("bill", "x"), "409"), (plain("bill", ""), "406"), ("<remove/>", "400")):
        reply = await send(client, fields)
        assert reply.xpath("string(c:error/@code)", namespaces=NAMES) == code
    bill = await world.session("bill/globe")
    assert (await send(bill, plain("juliet", "x"))).xpath("string(c:error/@code)", namespaces=NAMES) == "405"


async def test_nothing_but_registration_is_answered_before_login(world: World) -> None:
    client = await stranger(world)
    client.send("<iq type='get' id='x'><query xmlns='jabber:iq:version'/></iq>")
    await client.receives_stream_error("not-authorized")


# How often


async def test_3_1_1_one_address_makes_one_account_at_a_time(world: World) -> None:
    assert (await send(await stranger(world), plain("one", "x"))).get("type") == "result"
    again = await stranger(world)
    assert error_of(await send(again, plain("two", "x"))) == "resource-constraint"
    await again.close()
    await world.advance(600)
    assert (await send(await stranger(world), plain("two", "x"))).get("type") == "result"
    assert await world.host.accounts.names() == ["one", "two"]


async def test_two_requests_at_once_make_one_account(world: World) -> None:
    client, other = await stranger(world), await stranger(world)
    for each, name in ((client, "one"), (other, "two")):
        each.send(f"<iq type='set' id='r'><query xmlns='{REGISTER}'>{plain(name, 'x')}</query></iq>")
    types = [(await each.receive()).get("type") for each in (client, other)]
    assert sorted(map(str, types)) == ["error", "result"]
    assert len(await world.host.accounts.names()) == 1


async def test_a_name_that_is_taken_costs_no_wait(world: World) -> None:
    await world.account("bill")
    client = await stranger(world)
    assert error_of(await send(client, plain("bill", "x"))) == "conflict"
    assert (await send(client, plain("bill2", "x"))).get("type") == "result"


async def test_names_cannot_be_tried_out_for_long() -> None:
    options = {"allow": True, "max_attempts": 2}
    async with a_world(modules=MODULES | {"register": options}) as world:
        await world.account("bill")
        client = await stranger(world)
        for expected in ("conflict", "conflict", "resource-constraint"):
            assert error_of(await send(client, plain("bill", "x"))) == expected


async def test_no_time_between_registrations_means_no_limit() -> None:
    options = {"allow": True, "registration_timeout": 0, "max_attempts": 1}
    async with a_world(modules=MODULES | {"register": options}) as world:
        client = await stranger(world)
        for name in ("one", "two", "three"):
            assert (await send(client, plain(name, "x"))).get("type") == "result"


# With an account


async def test_3_1_who_is_registered_is_told_so(world: World) -> None:
    bill = await world.session("bill/globe")
    for to in ("localhost", "", "bill@localhost"):
        query = (await get(bill, to))[0]
        assert query.find(f"{{{REGISTER}}}registered") is not None
        assert query.findtext(f"{{{REGISTER}}}username") == "bill"
        assert query.findtext(f"{{{REGISTER}}}password") == ""
        assert query.xpath("string(x:x/x:field[@var='username']/x:value)", namespaces=NAMES) == "bill"


@pytest.mark.parametrize("fields", [plain, form])
@pytest.mark.parametrize("to", ["localhost", "", "bill@localhost"])
async def test_3_3_a_new_password(world: World, fields: Any, to: str) -> None:
    bill = await world.session("bill/globe")
    reply = await send(bill, fields("bill", "newpass"), to)
    assert (reply.get("type"), len(reply)) == ("result", 0)
    assert await can_log_in(world, "bill", "newpass")
    assert not await can_log_in(world, "bill", "bill")


async def test_3_3_the_own_address_is_as_good_as_the_name(world: World) -> None:
    bill = await world.session("bill/globe")
    for name in ("bill@localhost", "BILL"):
        assert (await send(bill, form(name, f"new{name}"), "localhost")).get("type") == "result"
        assert await can_log_in(world, "bill", f"new{name}")


@pytest.mark.parametrize("name", ["juliet", "juliet@localhost", "bill@example.org", "bill/globe", "two words"])
async def test_3_3_the_password_of_another_is_not_ones_own(world: World, name: str) -> None:
    await world.account("juliet")
    bill = await world.session("bill/globe")
    assert error_of(await send(bill, plain(name, "stolen"))) == "not-allowed"
    assert not await can_log_in(world, "juliet", "stolen")
    assert not await can_log_in(world, "bill", "stolen")


async def test_3_3_a_request_to_another_account_is_forbidden(world: World) -> None:
    await world.account("juliet")
    bill = await world.session("bill/globe")
    for inside in (plain("juliet", "stolen"), plain("bill", "stolen"), "<remove/>"):
        assert error_of(await send(bill, inside, "juliet@localhost")) == "forbidden"
    assert error_of(await get(bill, "juliet@localhost")) == "forbidden"
    assert await can_log_in(world, "juliet", "juliet")


@pytest.mark.parametrize(
    "fields", [plain("bill", ""), "<password>x</password>", "<username>bill</username>", form("bill", ""), ""]
)
async def test_3_3_an_empty_password_changes_nothing(world: World, fields: str) -> None:
    bill = await world.session("bill/globe")
    assert error_of(await send(bill, fields)) == "bad-request"
    assert await can_log_in(world, "bill", "bill")


# The end of an account


async def test_3_2_the_result_comes_and_then_the_end_of_the_stream(world: World) -> None:
    bill = await world.session("bill/globe")
    reply = await send(bill, "<remove/>")
    assert (reply.get("type"), len(reply)) == ("result", 0)
    await bill.receives_stream_error("not-authorized")
    assert not await world.host.accounts.exists("bill")
    again = await stranger(world)
    assert (await send(again, plain("bill", "other"))).get("type") == "result"


async def test_3_2_every_session_of_the_account_ends(world: World) -> None:
    bill, laptop = await world.online("bill/globe"), await world.online("bill/laptop")
    await bill.pending()
    assert (await send(bill, "<remove/>", "localhost")).get("type") == "result"
    for client in (bill, laptop):
        while (await client.receive()).tag != "{http://etherx.jabber.org/streams}error":
            pass
    assert world.host.sessions.of(bill.jid.bare) == ()


async def test_3_2_contacts_see_it_and_their_subscriptions_end(world: World) -> None:
    bill, juliet = await world.online("bill/globe"), await world.online("juliet/balcony")
    await world.friends(bill, juliet)
    await juliet.ask("<iq type='get'><query xmlns='jabber:iq:roster'/></iq>")
    await send(bill, "<remove/>")
    await juliet.receives("c:presence[@type='unavailable'][@from='bill@localhost/globe']")
    stanzas = await juliet.pending()
    types = {stanza.get("type") for stanza in stanzas if stanza.tag == "{jabber:client}presence"}
    assert types >= {"unsubscribe", "unsubscribed"}
    assert await world.module("roster").subscription(juliet.jid.bare, bill.jid.bare) == "none"


async def test_3_2_remove_stands_alone(world: World) -> None:
    bill = await world.session("bill/globe")
    assert error_of(await send(bill, "<remove/>" + plain("bill", "x"))) == "bad-request"
    assert await world.host.accounts.exists("bill")


async def test_3_2_nothing_of_the_account_is_left(world: World) -> None:
    bill, juliet = await world.online("bill/globe"), await world.online("juliet/balcony")
    await world.friends(bill, juliet)
    await bill.ask("<iq type='set'><vCard xmlns='vcard-temp'><FN>Bill</FN></vCard></iq>")
    await bill.ask("<iq type='set'><query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query></iq>")
    bill.send("<presence type='unavailable'/>")
    await bill.ping()
    juliet.send("<message to='bill@localhost' type='chat'><body>later</body></message>")
    await juliet.ping()
    await world.advance(6)  # who left is written every few seconds
    assert await traces(world, "bill") >= {"accounts", "vcard", "private", "last_activity", "offline"}
    await send(bill, "<remove/>")
    assert await traces(world, "bill") == set()


async def traces(world: World, name: str) -> set[str]:
    """The tables in which a user has something of his own; the rosters of others are theirs."""
    storage = world.host.house.storage
    tables = await storage.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
    found = set()
    for (table,) in tables:
        for row in await storage.fetch(f"SELECT * FROM {table}"):  # noqa: S608
            if row[0] == f"{name}@localhost" or (len(row) > 1 and name in (row[0], row[1])):
                found.add(str(table))
    return found


async def test_3_2_a_guest_has_nothing_to_remove() -> None:
    guests = {"mechanisms": ["ANONYMOUS"]}
    async with a_world(modules=MODULES, auth=guests) as world:
        guest = await world.dial()
        await guest.open()
        guest.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        await guest.receives("sasl:success")
        await guest.open()
        await guest.bind()
        for reply in (await send(guest, "<remove/>"), await send(guest, plain(guest.jid.local, "x")), await get(guest)):
            assert error_of(reply) == "registration-required"


async def test_10_the_feature_is_told(world: World) -> None:
    bill = await world.session("bill/globe")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await bill.ask(f"<iq type='get' to='localhost'>{query}</iq>")
    assert reply.xpath(f"info:query/info:feature[@var='{REGISTER}']", namespaces=NAMES)
