"""What nobody may exceed: time, connections, speed, queues; each with its error."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.raw import HEADER, Raw
from tests.kit.world import World, a_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "presence": {}, "roster": {}}) as made:
        yield made


def limited(**limits: Any) -> Any:
    return a_world(modules={"ping": {}}, limits=limits)


async def gone(world: World, sessions: int) -> None:
    """Wait until no more sessions are left."""
    async with asyncio.timeout(10):
        while len(world.host.sessions) > sessions:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


# Time


async def test_a_silent_client_is_pinged_and_may_answer(world: World) -> None:
    alice = await world.session("alice/phone")
    for _ in range(3):
        await world.advance(250)
        ping = await alice.receives("c:iq[@type='get'][@from='localhost'][*[local-name()='ping']]")
        alice.send(f"<iq type='result' to='localhost' id='{ping.get('id')}'/>")
        await alice.ping()


async def test_a_client_may_answer_a_ping_with_an_error(world: World) -> None:
    alice = await world.session("alice/phone")
    await world.advance(250)
    ping = await alice.receives("c:iq[@type='get']")
    alice.send(f"<iq type='error' to='localhost' id='{ping.get('id')}'/>")
    await alice.receives_nothing()


async def test_white_space_is_a_sign_of_life(world: World) -> None:
    alice = await world.session("alice/phone")
    for _ in range(5):
        await world.advance(120)
        alice.send(" ")
        await alice.writer.drain()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await alice.receives_nothing()


async def test_a_client_that_stays_silent_is_closed_and_its_contacts_see_it(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/x")
    await world.friends(alice, bob)
    alice.send("<presence to='bob@localhost/x'/>")
    await bob.receives("c:presence")
    for _ in range(5):
        await world.advance(80)
        await bob.ping()
    await alice.receives("c:iq[@type='get']")
    await alice.receives_stream_error("connection-timeout")
    await bob.receives("c:presence[@type='unavailable'][@from='alice@localhost/phone']")


async def test_times_can_be_set() -> None:
    async with limited(ping_interval=10, idle_timeout=20) as world:
        alice = await world.session("alice/phone")
        await world.advance(15)
        await alice.receives("c:iq[@type='get']")
        await world.advance(15)
        await alice.receives_stream_error("connection-timeout")


@pytest.mark.parametrize("sent", [b"", HEADER, b"<?xml version='1.0'?><stream:str", HEADER + b"<auth"])
async def test_who_does_not_log_in_is_closed_in_time(world: World, sent: bytes) -> None:
    async with Raw(world.server.port) as raw:
        if sent:
            await raw.send(sent)
        await world.session("alice/phone")
        await world.advance(65)
        assert await raw.error() == "connection-timeout"


async def test_talking_does_not_prolong_a_login(world: World) -> None:
    async with Raw(world.server.port) as raw:
        await raw.send(HEADER)
        await raw.read_until(b"</stream:features>")
        for _ in range(6):
            await world.advance(11)
            await raw.send(b" ")
            await asyncio.sleep(0)
        raw.answer = HEADER
        assert await raw.error() == "connection-timeout"


async def test_who_logs_in_and_does_not_bind_is_closed_in_time(world: World) -> None:
    await world.account("alice")
    alice = await world.dial()
    await alice.open()
    await alice.login("alice", "alice")
    await world.advance(65)
    await alice.receives_stream_error("connection-timeout")


async def test_who_does_not_take_our_last_words_is_cut_off() -> None:
    async with limited(max_queue=4_000_000) as world:
        deaf, bob = await stuffed(world), await world.session("bob/x")
        (session,) = world.host.sessions.of(deaf.jid.bare)
        session.door.close()
        await bob.ping()
        assert world.server.doors[0].connections  # it has 10 seconds to read what is queued
        await world.advance(20)
        await gone(world, 1)
        await bob.ping()
        deaf.writer.transport.abort()


# Connections


async def test_connections_of_one_address_are_limited() -> None:
    async with limited(max_connections_per_address=2) as world:
        alice, _ = await world.session("alice/1"), await world.session("alice/2")
        async with Raw(world.server.port) as raw:
            assert await raw.error() == "resource-constraint"
        await alice.close()
        await world.session("alice/3")


@pytest.mark.parametrize("limit", ["max_unauthenticated", "max_unauthenticated_per_address"])
async def test_strangers_are_limited_and_sessions_are_not_counted_among_them(limit: str) -> None:
    async with limited(**{limit: 2}) as world:
        for number in range(4):
            await world.session(f"alice/{number}")
        async with Raw(world.server.port) as one, Raw(world.server.port) as two, Raw(world.server.port) as three:
            await one.send(HEADER)
            await two.send(HEADER)
            assert await three.error() == "resource-constraint"
            await one.send(b"</stream:stream>")
            await one.read()
            await world.session("alice/5")


async def test_counts_return_to_nothing(world: World) -> None:
    shared: Any = world.server.shared
    for number in range(3):
        await world.session(f"alice/{number}")
        async with Raw(world.server.port) as raw:
            await raw.send(HEADER)
            await raw.read_until(b"</stream:features>")
    for client in world.clients:
        await client.close()
    await asyncio.wait_for(world.server.doors[0].emptied(), 10)
    assert (shared.unauthenticated, dict(shared.addresses), dict(shared.strangers)) == (0, {}, {})
    assert shared.traffic.connections.value == 0
    assert len(world.host.sessions) == 0


# Speed


async def test_who_sends_too_fast_waits_and_loses_nothing() -> None:
    door = {"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": "optional", "shaper": "slow"}
    shaper = {"slow": {"rate": 200_000, "burst": 10_000}}
    async with a_world(modules={"ping": {}}, listen=[door], shaper=shaper) as world:
        bob = await world.session("bob/x")
        alice = await world.session("alice/phone")
        (session,) = world.host.sessions.of(alice.jid.bare)
        connection: Any = session.door
        paused = []
        alice.send(
            "".join(f"<message to='bob@localhost/x' id='{n}'><body>{'a' * 900}</body></message>" for n in range(30))
        )
        for number in range(30):
            await bob.receives(f"c:message[@id='{number}']")
            paused.append(connection._paused)
        assert any(paused)
        await alice.ping()


# Queues


async def stuffed(world: World) -> Client:
    """A client that reads nothing, with more queued for it than the kernel takes."""
    deaf = await world.session("deaf/x")
    deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
    alice = await world.session("alice/flood")
    (session,) = world.host.sessions.of(deaf.jid.bare)
    door: Any = session.door
    message = f"<message to='{deaf.jid}'><body>{'a' * 60_000}</body></message>"
    for _ in range(1000):
        alice.send(message)
        await alice.ping()
        if door.transport is None or door.transport.get_write_buffer_size() > 1_000_000:
            break
    await alice.close()
    return deaf


async def test_a_client_that_does_not_read_is_cut_off_and_others_notice_nothing() -> None:
    async with limited(max_queue=500_000) as world:
        bob, carol = await world.session("bob/x"), await world.session("carol/x")
        deaf = await stuffed(world)
        await gone(world, 2)
        deaf.writer.transport.abort()
        bob.send("<message to='carol@localhost/x'><body>hi</body></message>")
        await carol.receives("c:message[c:body='hi']")
        await bob.receives_nothing()


async def test_a_slow_reader_within_its_queue_gets_everything() -> None:
    async with limited(max_queue=50_000_000) as world:
        slow = await stuffed(world)
        slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
        count = 0
        while True:
            slow.send(f"<iq type='get' id='p{count}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
            stanza = await slow.receive()
            if stanza.tag.endswith("iq"):
                break
            count += 1
        assert count > 10


async def test_who_asks_and_never_reads_the_answers_is_cut_off() -> None:
    async with limited(max_queue=100_000) as world:
        alice, bob = await world.session("alice/phone"), await world.session("bob/x")
        alice.writer.transport.pause_reading()  # type: ignore[attr-defined]
        asked = "<iq type='get' id='{}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        async with asyncio.timeout(30):
            while len(world.host.sessions) > 1:
                alice.send("".join(asked.format("i" * 1000) for _ in range(100)))
                await bob.ping()
        alice.writer.transport.abort()
        await bob.receives_nothing()
