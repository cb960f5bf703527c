"""RFC 6120 7: binding a resource; RFC 3921 3: the session."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from xmppd.routing.hooks import SessionEvent
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.jid import JID

BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{}</bind>"
SESSION = "<iq type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as made:
        yield made


def policy(name: str) -> Any:
    return a_world(modules={"ping": {}}, resource_conflict=name)


async def logged_in(world: World, name: str = "alice") -> Client:
    await world.account(name)
    client = await world.dial()
    await client.open()
    await client.login(name, name)
    return client


def asking(resource: str, inside: str = "") -> str:
    return f"<iq type='set'>{BIND.format(inside or f'<resource>{resource}</resource>')}</iq>"


async def test_binding_is_offered_after_login_and_is_required(world: World) -> None:
    client = await logged_in(world)
    assert client.features is not None
    assert client.features.find(f"{{{ns.BIND}}}bind/{{{ns.BIND}}}required") is not None
    assert client.features.find(f"{{{ns.SESSION}}}session/{{{ns.SESSION}}}optional") is not None


async def test_before_login_it_is_not(world: World) -> None:
    client = await world.dial()
    features = await client.open()
    assert features.find(f"{{{ns.BIND}}}bind") is None
    client.send("<iq type='set' id='1'>" + BIND.format("") + "</iq>")
    await client.receives_stream_error("not-authorized")


async def test_the_server_chooses_a_resource(world: World) -> None:
    jids = {await (await logged_in(world)).bind() for _ in range(3)}
    assert len(jids) == 3
    assert all(jid.bare == "alice@localhost" and len(jid.resource) >= 8 for jid in jids)


@pytest.mark.parametrize("inside", ["<resource/>", "<required/>", "<resource> </resource>"])
async def test_so_it_does_where_none_is_named(world: World, inside: str) -> None:
    client = await logged_in(world)
    reply = await client.ask(asking("", inside))
    if inside == "<resource> </resource>":
        assert error_of(reply) in ("bad-request", "jid-malformed")
    else:
        assert reply.get("type") == "result"


async def test_the_client_chooses_a_resource(world: World) -> None:
    client = await logged_in(world)
    assert await client.bind("Büro 2") == "alice@localhost/Büro 2"


async def test_a_resource_is_prepared(world: World) -> None:
    client = await logged_in(world)
    assert await client.bind("\ufb01le") == "alice@localhost/file"


@pytest.mark.parametrize("resource", ["a" * 1024, "\u0340\u0341" * 300, "a\u0085b", "é" * 512])
async def test_a_malformed_resource_is_refused_and_another_may_be_tried(world: World, resource: str) -> None:
    client = await logged_in(world)
    assert error_of(await client.ask(asking(resource))) in ("bad-request", "jid-malformed")
    assert await client.bind("a" * 1023) == "alice@localhost/" + "a" * 1023


async def test_a_request_that_is_no_set_is_refused(world: World) -> None:
    client = await logged_in(world)
    client.send("<iq type='get' id='1'>" + BIND.format("") + "</iq>")
    await client.receives_stream_error("not-authorized")


async def test_a_message_cannot_bind(world: World) -> None:
    client = await logged_in(world)
    client.send("<message type='set' id='1'>" + BIND.format("") + "</message>")
    await client.receives_stream_error("not-authorized")


async def test_a_request_needs_an_id(world: World) -> None:
    client = await logged_in(world)
    client.send("<iq type='set'>" + BIND.format("") + "</iq>")
    await client.receives_error("bad-request")
    await client.bind("phone")


@pytest.mark.parametrize(
    "stanza",
    ["<message to='bob@localhost'/>", "<presence/>", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
)
async def test_before_binding_nothing_may_be_sent(world: World, stanza: str) -> None:
    client = await logged_in(world)
    client.send(stanza)
    await client.receives_stream_error("not-authorized")


async def test_what_is_sent_in_one_piece_with_the_request_is_handled_behind_it(world: World) -> None:
    client = await logged_in(world)
    ping = "<iq type='get' id='2' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
    client.send("<iq type='set' id='1'>" + BIND.format("<resource>x</resource>") + "</iq><presence/>" + ping)
    await client.receives("c:iq[@id='1'][@type='result']")
    await client.receives("c:iq[@id='2'][@type='result']")


async def test_a_second_binding_is_refused(world: World) -> None:
    client = await world.session("alice/phone")
    assert error_of(await client.ask(asking("tablet"))) in ("not-allowed", "service-unavailable")
    assert [session.jid.resource for session in world.host.sessions] == ["phone"]


# A resource that is taken


async def test_closeold_the_newcomer_has_the_resource() -> None:
    async with policy("closeold") as world:
        old, new = await world.session("alice/phone"), await world.session("alice/phone")
        await old.receives_stream_error("conflict")
        await new.ping()
        assert len(world.host.sessions) == 1


async def test_closenew_the_newcomer_is_refused() -> None:
    async with policy("closenew") as world:
        old, new = await world.session("alice/phone"), await logged_in(world)
        reply = await new.ask(asking("phone"))
        assert error_of(reply) == "conflict"
        await old.ping()
        await new.bind("tablet")


async def test_setresource_the_newcomer_has_another() -> None:
    async with policy("setresource") as world:
        old, new = await world.session("alice/phone"), await logged_in(world)
        jid = await new.bind("phone")
        assert jid.resource.startswith("phone")
        assert jid != old.jid
        await old.ping()


@pytest.mark.parametrize("name", ["closeold", "setresource"])
async def test_the_longest_resource_may_be_taken_too(name: str) -> None:
    async with policy(name) as world:
        await world.session("alice/" + "a" * 1023)
        new = await logged_in(world)
        jid = await new.bind("a" * 1023)
        assert len(jid.resource.encode()) <= 1023


async def test_a_limit_of_sessions() -> None:
    async with a_world(modules={"ping": {}}, limits={"max_sessions_per_user": 2}) as world:
        first, _ = await world.session("alice/1"), await world.session("alice/2")
        third = await logged_in(world)
        assert error_of(await third.ask(asking("3"))) == "resource-constraint"
        await first.close()
        await world.session("bob/1")
        assert await third.bind("3") == "alice@localhost/3"


async def test_at_the_limit_a_resource_may_still_be_replaced() -> None:
    async with a_world(modules={"ping": {}}, limits={"max_sessions_per_user": 1}) as world:
        old = await world.session("alice/1")
        assert (await (await logged_in(world)).bind("1")) == "alice@localhost/1"
        await old.receives_stream_error("conflict")


# RFC 3921


async def test_an_old_client_begins_a_session(world: World) -> None:
    client = await world.session("alice/phone")
    for to in ("", " to='localhost'"):
        reply = await client.ask(SESSION.replace("<iq ", f"<iq{to} "))
        assert reply.get("type") == "result"


async def test_closeold_two_newcomers_at_once_leave_one_session() -> None:
    """While the old session's end is told, another newcomer takes its place: that one is replaced in turn."""
    async with policy("closeold") as world:
        await world.session("alice/phone")
        first, second = await logged_in(world), await logged_in(world)
        go_on, waiting = asyncio.Event(), asyncio.Event()

        async def slow(event: SessionEvent) -> None:
            waiting.set()
            await go_on.wait()

        world.host.hooks.session_closed.add(slow)
        first.send(asking("phone").replace("<iq ", "<iq id='bind' "))
        await waiting.wait()
        await second.bind("phone")
        go_on.set()
        await second.receives_stream_error("conflict")
        await first.receives("c:iq[@type='result']")
        assert len(world.host.sessions) == 1


async def test_who_was_removed_since_the_login_binds_no_more(world: World) -> None:
    client = await logged_in(world)
    await world.host.remove_account(JID.parse("alice@localhost"))
    client.send(asking("phone"))
    await client.receives_stream_error("not-authorized")
    assert len(world.host.sessions) == 0
