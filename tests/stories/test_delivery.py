"""RFC 6121 8 and RFC 6120 10 on the wire: where messages, requests and presence without a module go."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import error_of
from tests.kit.world import World, a_world

UNKNOWN = "<query xmlns='urn:test:nobody-knows'/>"
NEGATIVE = "<presence><priority>-1</priority></presence>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "tests.stories.appearing": {}}) as made:
        yield made


def chat(to: str, type: str = "chat") -> str:
    return f"<message to='{to}' type='{type}' id='m'><body>hi</body></message>"


# Messages


async def test_a_chat_to_the_account_reaches_all_that_are_not_negative(world: World) -> None:
    alice = await world.session("alice/phone")
    desk, lap = await world.online("bob/desk"), await world.online("bob/lap")
    bot, new = await world.online("bob/bot", NEGATIVE), await world.session("bob/new")
    alice.send(chat("bob@localhost"))
    await alice.receives_nothing()
    await desk.receives("c:message")
    await lap.receives("c:message")
    await bot.receives_nothing()
    await new.receives_nothing()


async def test_a_chat_to_a_resource_that_has_gone_is_for_the_account(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    alice.send(chat("bob@localhost/gone"))
    await bob.receives("c:message[@to='bob@localhost/gone']")


async def test_a_message_to_a_resource_reaches_it_alone_whatever_its_priority(world: World) -> None:
    alice = await world.session("alice/phone")
    bot, desk = await world.online("bob/bot", NEGATIVE), await world.online("bob/desk")
    for type in ("chat", "normal", "groupchat", "headline", "error"):
        alice.send(chat("bob@localhost/bot", type))
        await bot.receives(f"c:message[@type='{type}']")
    await desk.receives_nothing()


@pytest.mark.parametrize("type", ["normal", "groupchat", "headline"])
async def test_what_is_meant_for_one_resource_does_not_go_to_another(world: World, type: str) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    alice.send(chat("bob@localhost/gone", type))
    error = await alice.receives_error("service-unavailable")
    assert (error.get("from"), error.get("id")) == ("bob@localhost/gone", "m")
    await bob.receives_nothing()


@pytest.mark.parametrize("address", ["bob@localhost", "bob@localhost/gone", "nobody@localhost"])
async def test_an_error_is_never_answered(world: World, address: str) -> None:
    await world.account("bob")
    alice = await world.session("alice/phone")
    alice.send(chat(address, "error"))
    await alice.receives_nothing()


async def test_a_message_to_a_user_who_is_away_and_whom_nobody_keeps_it_for(world: World) -> None:
    await world.account("bob")
    alice = await world.session("alice/phone")
    alice.send(chat("bob@localhost"))
    await alice.receives_error("service-unavailable")


async def test_a_message_to_a_server_that_is_not_served_here(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("bob@elsewhere.test"))
    error = await alice.receives_error("remote-server-not-found")
    assert error.get("from") == "bob@elsewhere.test"


async def test_a_message_to_the_server_itself(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("localhost"))
    await alice.receives_error("service-unavailable")


async def test_messages_arrive_in_the_order_they_were_sent(world: World) -> None:
    """RFC 6120 10.1."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    alice.send("".join(f"<message to='bob@localhost' id='{number}'><body/></message>" for number in range(200)))
    assert [(await bob.receive()).get("id") for _ in range(200)] == [str(number) for number in range(200)]


async def test_two_hosts_of_one_server_reach_each_other() -> None:
    async with a_world(hosts=["one.test", "two.test"], modules={"ping": {}}) as world:
        alice = await world.session("alice/phone")
        await world.server.register("bob", "bob", "two.test")
        bob = await world.dial()
        bob.host = "two.test"
        await bob.open()
        await bob.login("bob", "bob")
        await bob.bind("desk")
        alice.send(chat("bob@two.test/desk"))
        await bob.receives("c:message[@from='alice@one.test/phone']")
        bob.send(chat("nobody@one.test"))
        await bob.receives_error("service-unavailable")


# Without `to`


async def test_a_message_without_to_is_for_ones_own_account(world: World) -> None:
    """RFC 6120 10.3.1."""
    phone, desk = await world.online("alice/phone"), await world.online("alice/desk")
    phone.send("<message type='chat'><body>note</body></message>")
    await desk.receives("c:message[@from='alice@localhost/phone'][@to='alice@localhost']")
    await phone.receives("c:message[@to='alice@localhost']")


async def test_a_request_without_to_is_answered_by_the_server_for_the_account(world: World) -> None:
    """10.3.3: the reply comes from the account, or has no `from` (8.1.2.1)."""
    alice = await world.session("alice/phone")
    reply = await alice.ask("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert reply.get("type") == "result"
    assert reply.get("from") in (None, "alice@localhost")
    assert error_of(await alice.ask(f"<iq type='get'>{UNKNOWN}</iq>")) == "service-unavailable"


async def test_a_result_without_to_is_swallowed(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send("<iq type='result' id='1'/><iq type='error' id='2'/>")
    await alice.receives_nothing()


# Requests


@pytest.mark.parametrize("to", ["localhost", "alice@localhost", "bob@localhost", "nobody@localhost", "bob@localhost/x"])
async def test_a_request_that_nobody_understands(world: World, to: str) -> None:
    """RFC 6120 8.4, RFC 6121 8.5: `service-unavailable`, from whom it was sent to."""
    await world.account("bob")
    alice = await world.session("alice/phone")
    for type in ("get", "set"):
        reply = await alice.ask(f"<iq type='{type}' to='{to}'>{UNKNOWN}</iq>")
        assert error_of(reply) == "service-unavailable"
        assert reply.get("from") == to


@pytest.mark.parametrize(
    ("what", "iq"),
    [
        ("no id", "<iq type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"),
        ("no type", f"<iq id='1' to='localhost'>{UNKNOWN}</iq>"),
        ("unknown type", f"<iq id='1' type='put' to='localhost'>{UNKNOWN}</iq>"),
        ("no element", "<iq id='1' type='get' to='localhost'/>"),
        ("no element to another", "<iq id='1' type='set' to='bob@localhost/desk'/>"),
        ("two elements", f"<iq id='1' type='get' to='localhost'>{UNKNOWN}<ping xmlns='urn:xmpp:ping'/></iq>"),
        ("two elements, to nobody", f"<iq id='1' type='set'>{UNKNOWN}{UNKNOWN}</iq>"),
    ],
)
async def test_a_request_that_is_none(world: World, what: str, iq: str) -> None:
    """RFC 6120 8.2.3: `bad-request`, and nobody else sees it."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    alice.send(iq)
    error = await alice.receives_error("bad-request")
    assert error.get("id") == (None if what == "no id" else "1")
    await bob.receives_nothing()


async def test_a_request_to_a_resource_is_its_own_to_answer(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/desk")
    alice.send(f"<iq type='get' id='q' to='bob@localhost/desk'>{UNKNOWN}</iq>")
    await bob.receives("c:iq[@type='get'][@from='alice@localhost/phone']")
    bob.send(f"<iq type='result' id='q' to='alice@localhost/phone'>{UNKNOWN}</iq>")
    await alice.receives("c:iq[@type='result'][@id='q'][@from='bob@localhost/desk']")


async def test_an_account_is_asked_in_place_of_its_resources(world: World) -> None:
    """RFC 6121 8.5.2.1.3: a request to the bare address is never delivered."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/desk")
    assert error_of(await alice.ask(f"<iq type='get' to='bob@localhost'>{UNKNOWN}</iq>")) == "service-unavailable"
    await bob.receives_nothing()


async def test_the_session_request_of_old_clients_is_granted(world: World) -> None:
    """RFC 3921 3."""
    alice = await world.session("alice/phone")
    session = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
    for to in ("", " to='localhost'"):
        assert (await alice.ask(f"<iq type='set'{to}>{session}</iq>")).get("type") == "result"


# Presence


async def test_presence_of_an_unknown_type(world: World) -> None:
    """RFC 6121 4.7.1."""
    alice = await world.session("alice/phone")
    alice.send("<presence to='bob@localhost' type='here'/>")
    await alice.receives_error("bad-request")


async def test_presence_to_the_account_reaches_every_available_resource(world: World) -> None:
    """8.5.2.1.2, whatever its priority."""
    alice = await world.session("alice/phone")
    desk, bot = await world.online("bob/desk"), await world.online("bob/bot", NEGATIVE)
    new = await world.session("bob/new")
    alice.send("<presence to='bob@localhost'/>")
    await desk.receives("c:presence[@from='alice@localhost/phone']")
    await bot.receives("c:presence[@from='alice@localhost/phone']")
    await alice.ping()
    await new.receives_nothing()


@pytest.mark.parametrize("address", ["nobody@localhost", "bob@localhost", "bob@localhost/x"])
async def test_presence_to_nobody_is_ignored(world: World, address: str) -> None:
    await world.account("bob")
    alice = await world.session("alice/phone")
    alice.send(f"<presence to='{address}'/><presence to='{address}' type='unavailable'/>")
    await alice.receives_nothing()
