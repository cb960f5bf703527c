"""RFC 6120 4.9.3: each stream error that can occur, and that the stream ends with it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import PATIENCE
from tests.kit.raw import HEADER, Raw, condition_in
from tests.kit.world import World, a_world
from xmppd.listeners.c2s import ClientConnection as Client
from xmppd.storage import StorageError


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as made:
        yield made


async def error_after(world: World, sent: bytes) -> str:
    async with Raw(world.server.port) as raw:
        await raw.send(sent)
        return await raw.error()


BEFORE_LOGIN = [
    ("bad-format", HEADER + b"hello there"),
    ("bad-format", b"<presence/>"),
    ("host-unknown", HEADER.replace(b"localhost", b"elsewhere.example")),
    ("host-unknown", HEADER.replace(b"localhost", b"")),
    ("host-unknown", HEADER.replace(b"localhost", b"@")),
    ("invalid-namespace", HEADER.replace(b"jabber:client", b"jabber:server")),
    ("invalid-namespace", HEADER.replace(b"etherx.jabber.org", b"etherx.example")),
    ("not-authorized", HEADER + b"<message to='bob@localhost'><body>hi</body></message>"),
    ("not-authorized", HEADER + b"<presence/>"),
    ("not-authorized", HEADER + b"<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>"),
    ("not-well-formed", HEADER + b"<message></presence>"),
    ("not-well-formed", HEADER + b"<message><body>\xff</body></message>"),
    ("not-well-formed", HEADER + b"<message><a:b/></message>"),
    ("not-well-formed", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("not-well-formed", b"\x16\x03\x01\x02\x00\x01\x00"),
    ("policy-violation", HEADER + b"<iq type='set' id='1'>" + b"a" * 16384),
    ("policy-violation", HEADER + b"<iq type='set' id='1'>" + b"<a>" * 100),
    ("restricted-xml", b"<!DOCTYPE a>"),
    ("restricted-xml", HEADER + b"<!-- hello -->"),
    ("restricted-xml", HEADER + b"<?php echo 1 ?>"),
    ("restricted-xml", HEADER + b"<message>&nbsp;</message>"),
    ("unsupported-encoding", "<?xml version='1.0'?>".encode("utf-16")),
    ("unsupported-encoding", b"<?xml version='1.0' encoding='ISO-8859-1'?>"),
    ("unsupported-stanza-type", HEADER + b"<mail/>"),
    ("unsupported-stanza-type", HEADER + b"<subscribe xmlns='urn:xmpp:unheard-of:0'/>"),
    ("unsupported-version", HEADER.replace(b" version='1.0'>", b">")),
    ("unsupported-version", HEADER.replace(b"version='1.0'>", b"version='0.9'>")),
]


@pytest.mark.parametrize(("condition", "sent"), BEFORE_LOGIN, ids=[f"{c} {s[-32:]!r}" for c, s in BEFORE_LOGIN])
async def test_before_login(world: World, condition: str, sent: bytes) -> None:
    assert await error_after(world, sent) == condition


async def error_behind_login(world: World, sent: bytes) -> str:
    """The error where a login has just succeeded and a new stream begins (RFC 6120 6.4.6)."""
    await world.account("eve")
    eve = await world.dial()
    await eve.open()
    await eve.authenticate("eve", "eve")
    eve.send(sent)
    answer = await asyncio.wait_for(eve.reader.read(), PATIENCE)
    await eve.drop()
    return condition_in(answer)


# All the same, but that a stanza may be as long as a user's.
BEHIND_LOGIN = [(condition, sent) for condition, sent in BEFORE_LOGIN if len(sent) < 16384]


@pytest.mark.parametrize(("condition", "sent"), BEHIND_LOGIN, ids=[f"{c} {s[-32:]!r}" for c, s in BEHIND_LOGIN])
async def test_behind_a_login_where_no_resource_is_bound(world: World, condition: str, sent: bytes) -> None:
    assert await error_behind_login(world, sent) == condition


AFTER_LOGIN = [
    ("bad-format", "hello there"),
    ("invalid-from", "<message from='bob@localhost' to='bob@localhost'/>"),
    ("invalid-from", "<message from='alice@localhost/tablet' to='bob@localhost'/>"),
    ("not-well-formed", HEADER.decode()),
    ("not-well-formed", "<message></presence>"),
    ("not-well-formed", "<message><body>\x00</body></message>"),
    ("policy-violation", "<message>" + "<a>" * 100),
    ("policy-violation", "<message><body>" + "a" * 262144),
    ("restricted-xml", "<message><!-- hello --></message>"),
    ("unsupported-stanza-type", "<mail/>"),
    ("unsupported-stanza-type", "<stream:stream/>"),
    ("unsupported-stanza-type", "<message xmlns='jabber:server'/>"),
    ("unsupported-stanza-type", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>"),
]


@pytest.mark.parametrize(("condition", "sent"), AFTER_LOGIN, ids=[f"{c} {s[:32]!r}" for c, s in AFTER_LOGIN])
async def test_after_login(world: World, condition: str, sent: str) -> None:
    alice = await world.session("alice/phone")
    alice.send(sent)
    await alice.receives_stream_error(condition)
    assert len(world.host.sessions) == 0


async def test_nothing_behind_an_error_is_handled(world: World) -> None:
    bob, alice = await world.session("bob/x"), await world.session("alice/phone")
    alice.send("<message from='eve@localhost'/><message to='bob@localhost/x'/>")
    await alice.receives_stream_error("invalid-from")
    alice = await world.session("alice/phone")
    alice.send("<mail/><message to='bob@localhost/x'/>")
    await alice.receives_stream_error("unsupported-stanza-type")
    await bob.receives_nothing()


async def test_what_came_before_an_error_is_handled(world: World) -> None:
    bob, alice = await world.session("bob/x"), await world.session("alice/phone")
    alice.send("<message to='bob@localhost/x' id='1'/><mail/>")
    await bob.receives("c:message[@id='1']")


async def test_with_several_hosts_a_header_must_name_one() -> None:
    async with a_world(hosts=["a.example", "b.example"], modules={}) as world:
        assert await error_after(world, HEADER.replace(b" to='localhost'", b"")) == "host-unknown"
        assert (
            await error_after(world, HEADER.replace(b"localhost", b"b.example") + b"<mail/>")
            == "unsupported-stanza-type"
        )


async def test_a_host_cannot_be_changed_in_the_middle_of_a_login() -> None:
    async with a_world(hosts=["localhost", "b.example"], modules={}) as world:
        await world.account("alice")
        alice = await world.dial()
        await alice.open()
        await alice.login("alice", "alice")
        alice.send("</stream:stream>")
        alice = await world.dial()
        await alice.open()
        await alice.authenticate("alice", "alice")
        alice.send(HEADER.replace(b"localhost", b"b.example"))
        assert b"host-unknown" in await alice.reader.read()


async def test_conflict_where_another_takes_the_resource(world: World) -> None:
    first = await world.session("alice/phone")
    second = await world.session("alice/phone")
    await first.receives_stream_error("conflict")
    await second.receives_nothing()


async def test_a_server_that_stops_says_so(world: World) -> None:
    alice = await world.session("alice/phone")
    async with Raw(world.server.port) as raw:
        await raw.send(HEADER)
        await raw.read_until(b"</stream:features>")
        await world.server.close()
        await alice.receives_stream_error("system-shutdown")
        assert b"<system-shutdown" in await raw.read()


def failing_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on the first connection that the server asks for this fails, whichever it is."""
    method, left = getattr(Client, name), ["once"]

    def fail(client: Client, *arguments: Any) -> Any:
        if left and left.pop():
            raise LookupError("a mistake of ours")
        return method(client, *arguments)

    monkeypatch.setattr(Client, name, fail)


async def heard(world: World, what: bytes) -> int:
    """How many of the clients are told this before their stream ends."""
    return [what in await client.reader.read() for client in world.clients].count(True)


async def test_a_stop_that_fails_for_one_reaches_all_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alice", "bob", "carol"):
        await world.session(name)
    failing_once(monkeypatch, "fail")
    await world.server.close()
    assert await heard(world, b"<system-shutdown") == 2
    with pytest.raises(StorageError):
        await world.host.house.storage.fetch("SELECT 1")


async def test_a_stop_that_fails_closes_the_storage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(world.server.doors[0], "say_goodbye", fail)
    await world.server.close()
    with pytest.raises(StorageError):
        await world.host.house.storage.fetch("SELECT 1")


async def test_a_look_at_connections_that_fails_for_one_reaches_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await (await world.dial()).open()
    await world.advance(59)
    failing_once(monkeypatch, "check")
    await world.advance(10)
    assert await heard(world, b"<connection-timeout") == 2


async def test_a_silent_stranger_is_closed(world: World) -> None:
    async with Raw(world.server.port) as raw:
        await raw.send(HEADER)
        await raw.read_until(b"</stream:features>")
        await world.advance(61)
        assert b"<connection-timeout" in await raw.read()


async def test_a_crash_in_a_negotiation_is_an_internal_server_error(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(*_: Any) -> None:
        raise LookupError

    alice = await world.dial()
    await alice.open()
    await world.account("alice")
    await alice.login("alice", "alice")
    monkeypatch.setattr(world.host, "open_session", crash)
    alice.send("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    await alice.receives_stream_error("internal-server-error")
    assert "failed" in caplog.text
