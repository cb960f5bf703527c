"""A client's connection while handlers wait: order, backpressure, and what happens to the rest."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.world import World, a_world
from xmppd.listeners.c2s import ClientConnection
from xmppd.routing.iq import IQ, Target

SLOW = "<iq type='get' id='slow{}' to='localhost'><wait xmlns='urn:test:wait'/></iq>"


class Gate:
    """Answers requests once it is opened; tells who has come."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.waiting = asyncio.Event()
        self.came: list[str] = []

    async def answer(self, iq: IQ) -> None:
        self.came.append(iq.id)
        self.waiting.set()
        await self.open.wait()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}, limits={"shutdown_timeout": 0.2}) as made:
        yield made


@pytest.fixture
def gate(world: World) -> Gate:
    made = Gate()
    world.host.iq.add("get", Target.SERVER, "urn:test:wait wait", made.answer)
    return made


def connection_of(world: World, user: str) -> ClientConnection:
    (session,) = (session for session in world.host.sessions if session.jid.local == user)
    assert isinstance(session.door, ClientConnection)
    return session.door


async def test_what_comes_behind_a_waiting_request_waits_too(world: World, gate: Gate) -> None:
    alice, bob = await world.session("alice/x"), await world.session("bob/x")
    alice.send(SLOW.format(1) + "<message to='bob@localhost/x' id='m'/>")
    await gate.waiting.wait()
    await bob.receives_nothing()
    gate.open.set()
    await bob.receives("c:message[@id='m']")
    await alice.receives("c:iq[@id='slow1'][@type='result']")


async def test_others_do_not_wait(world: World, gate: Gate) -> None:
    alice, bob = await world.session("alice/x"), await world.session("bob/x")
    alice.send(SLOW.format(1))
    await gate.waiting.wait()
    for _ in range(3):
        await bob.ping()
    gate.open.set()


async def test_meanwhile_nothing_more_is_read(world: World, gate: Gate) -> None:
    alice, bob = await world.session("alice/x"), await world.session("bob/x")
    connection = connection_of(world, "alice")
    alice.send(SLOW.format(1))
    await gate.waiting.wait()
    transport: Any = connection.transport
    assert not transport.is_reading()
    alice.send(SLOW.format(2) + "<message to='bob@localhost/x' id='m'/>")
    await bob.ping()
    assert gate.came == ["slow1"]
    gate.open.set()
    await bob.receives("c:message[@id='m']")
    assert gate.came == ["slow1", "slow2"]
    await alice.ping()
    assert transport.is_reading()


async def test_several_may_wait_one_after_the_other(world: World, gate: Gate) -> None:
    alice = await world.session("alice/x")
    alice.send("".join(map(SLOW.format, range(5))))
    await gate.waiting.wait()
    gate.open.set()
    for number in range(5):
        await alice.receives(f"c:iq[@id='slow{number}']")


async def test_who_leaves_meanwhile_has_said_what_it_has_said(world: World, gate: Gate) -> None:
    alice, bob = await world.session("alice/x"), await world.session("bob/x")
    alice.send(SLOW.format(1) + "<message to='bob@localhost/x' id='m'/>")
    await gate.waiting.wait()
    connection = connection_of(world, "alice")
    assert connection.transport is not None
    connection.transport.abort()
    await bob.ping()
    assert len(world.host.sessions) == 2
    gate.open.set()
    await bob.receives("c:message[@id='m']")
    await bob.ping()
    assert len(world.host.sessions) == 1


async def test_who_is_thrown_out_meanwhile_is_heard_no_more(world: World, gate: Gate) -> None:
    alice, bob = await world.session("alice/x"), await world.session("bob/x")
    alice.send(SLOW.format(1) + "<message to='bob@localhost/x' id='m'/>")
    await gate.waiting.wait()
    again = await world.session("alice/x")
    await alice.receives_stream_error("conflict")
    gate.open.set()
    await again.ping()
    await bob.receives_nothing()


async def test_a_server_that_stops_waits_for_handlers_that_finish(world: World, gate: Gate) -> None:
    alice = await world.session("alice/x")
    alice.send(SLOW.format(1))
    await gate.waiting.wait()
    asyncio.get_running_loop().call_later(0.01, gate.open.set)
    await world.server.close()
    assert world.server.shared is not None
    assert not world.server.shared.tasks


async def test_and_ends_those_that_do_not(world: World, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    alice = await world.session("alice/x")
    alice.send(SLOW.format(1))
    await gate.waiting.wait()
    await world.server.close()
    assert world.server.shared is not None
    assert not world.server.shared.tasks
    assert "ended without waiting longer" in caplog.text


async def test_a_handler_that_crashes_behind_a_wait_is_an_error_reply(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(iq: IQ) -> None:
        await asyncio.sleep(0)
        raise LookupError

    world.host.iq.add("get", Target.SERVER, "urn:test:wait wait", crash)
    alice = await world.session("alice/x")
    alice.send(SLOW.format(1))
    await alice.receives_error("internal-server-error")
    await alice.ping()
    assert "LookupError" in caplog.text


async def test_what_a_turn_writes_leaves_in_one_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.session("alice/x")
    transport: Any = connection_of(world, "alice").transport
    pieces: list[bytes] = []
    write = transport.write

    class Seen:
        def __getattr__(self, name: str) -> object:
            return getattr(transport, name)

        def write(self, data: bytes) -> None:
            pieces.append(data)
            write(data)

    monkeypatch.setattr(connection_of(world, "alice"), "transport", Seen())
    alice.send("<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>" * 20)
    for _ in range(20):
        await alice.receives("c:iq[@id='1']")
    assert len(pieces) == 1


async def test_an_operator_sees_where_a_client_is(world: World) -> None:
    await world.session("alice/x")
    assert connection_of(world, "alice").describe() == {"ip": "127.0.0.1", "connection": "c2s", "tls": ""}
