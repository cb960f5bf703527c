"""Logins that are crossed by something else: another host, a lost connection, a second login."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

import pytest
from scramp import ScramClient

from tests.kit.bosh import Bosh
from tests.kit.client import Client
from tests.kit.login import failure, say
from tests.kit.sasl2 import PHONE, authenticate, find, local, plain
from tests.kit.tls import secure, upgrade
from tests.kit.world import World, a_world
from tests.stories.managed import turn
from tests.stories.web.doors import a_web
from xmppd.listeners.shared import Shared
from xmppd.sasl import Credentials
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError

HOSTS = ["localhost", "other.example"]


async def two_alices(world: World) -> None:
    """The name is one person's here and another's there."""
    await world.account("alice")
    await world.server.register("alice", "another", "other.example")


def half(login: ScramClient) -> str:
    return b64encode(login.get_client_first().encode()).decode()


async def test_a_login_begun_on_one_host_does_not_end_on_another() -> None:
    async with a_world(hosts=HOSTS, modules={}) as world:
        await two_alices(world)
        client, login = await world.dial(), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
        await client.open()
        challenge = await say(client, "auth", half(login), "SCRAM-SHA-1")
        login.set_server_first(b64decode(challenge.text or "").decode())
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        await client.receive()
        client.host = "other.example"
        await upgrade(client)
        answer = await say(client, "response", b64encode(login.get_client_final().encode()).decode())
        assert failure(answer) == "malformed-request"


@pytest.mark.parametrize("profile", [ns.SASL, ns.SASL2])
async def test_nor_where_a_request_restarts_the_stream(profile: str) -> None:
    async with a_web(hosts=HOSTS, modules={}) as world:
        await two_alices(world)
        client, login = Bosh(world), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
        await client.open()
        first = half(login)
        old = f"<auth xmlns='{ns.SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>"
        client.send(old if profile == ns.SASL else authenticate("SCRAM-SHA-1", b64decode(first)))
        login.set_server_first(b64decode((await client.receive()).text or "").decode())
        client.host = "other.example"
        await client.open()
        client.send(f"<response xmlns='{profile}'>{b64encode(login.get_client_final().encode()).decode()}</response>")
        assert failure(await client.receive()) == "malformed-request"
        await client.close()


class Gate:
    """Something that waits where the story wants it to."""

    def __init__(self) -> None:
        self.reached, self._open = asyncio.Event(), asyncio.Event()

    async def wait(self, *_: object) -> None:
        self.reached.set()
        await self._open.wait()

    async def open(self, world: World) -> None:
        """Go on; returns when everything that waited is done."""
        self._open.set()
        assert world.server.shared is not None
        await world.server.shared.finish(10)


def shared(world: World) -> Shared:
    assert world.server.shared is not None
    return world.server.shared


async def lost(world: World, client: Client, others: int = 0) -> None:
    """The server finds out that the connection is broken, though it reads nothing there at the moment."""
    port = client.writer.get_extra_info("sockname")[1]
    for connection in list(world.server.doors[0].connections):  # type: ignore[attr-defined]
        if connection.transport.get_extra_info("peername")[1] == port:
            connection.abort()
    while sum(shared(world).addresses.values()) > others:
        await turn()
    await client.drop()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        await made.account("alice")
        yield made


@pytest.fixture
def gate(world: World) -> Gate:
    """Every session waits here in the middle of Bind 2."""
    made = Gate()
    world.host.hooks.session_bound.add(made.wait)
    return made


BIND = f"<bind xmlns='{ns.BIND2}'><enable xmlns='{ns.SM}' resume='true'/></bind>"


def come(client: Client, inside: str = BIND, agent: str = PHONE) -> None:
    """Log in over TLS with all in one message."""
    client.send(authenticate("PLAIN", plain("alice", "alice"), inside, agent))


def nothing_is_left(world: World) -> None:
    assert not len(world.host.sessions)
    assert not len(shared(world).resumptions)
    assert not shared(world).resumptions._doors


@pytest.mark.parametrize("profile", [ns.SASL, ns.SASL2])
async def test_who_leaves_during_the_login_is_not_counted_out_twice(world: World, profile: str) -> None:
    gate, stranger, client = Gate(), await secure(world), await secure(world)
    credentials = world.host.accounts.credentials

    async def slowly(user: str) -> Credentials | None:
        await gate.wait()
        return await credentials(user)

    world.host.accounts.credentials = slowly  # type: ignore[method-assign]
    if profile == ns.SASL2:
        come(client)
    else:
        client.send(f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>{b64encode(plain('alice', 'alice')).decode()}</auth>")
    await gate.reached.wait()
    await lost(world, client, 1)
    await gate.open(world)
    assert shared(world).unauthenticated == sum(shared(world).strangers.values()) == 1
    nothing_is_left(world)
    await stranger.close()


async def test_a_session_whose_client_leaves_before_it_knows_of_it_ends(world: World, gate: Gate) -> None:
    bob, client = await world.online("bob/desk"), await secure(world)
    come(client)
    await gate.reached.wait()
    (session,) = world.host.sessions.of("alice@localhost")
    bob.send(f"<message to='{session.jid}' type='chat'><body>there?</body></message>")
    await bob.ping()
    await lost(world, client, 1)
    await gate.open(world)
    await bob.close()
    nothing_is_left(world)
    alice = await world.session("alice/desk")
    alice.send("<presence/>")
    (message,) = [each for each in await alice.pending() if local(each) == "message"]
    assert message.findtext("{jabber:client}body") == "there?"


async def test_what_waits_for_a_session_to_begin_is_bounded() -> None:
    async with a_world(limits={"max_queue": 65536}) as world:
        await world.account("alice")
        gate, bob, client = Gate(), await world.online("bob/desk"), await secure(world)
        world.host.hooks.session_bound.add(gate.wait)
        come(client)
        await gate.reached.wait()
        (session,) = world.host.sessions.of("alice@localhost")
        for number in range(8):
            bob.send(f"<message to='{session.jid}' type='chat' id='{number}'><body>{'x' * 10000}</body></message>")
        await bob.ping()
        assert not world.host.sessions.of("alice@localhost")
        await gate.open(world)
        await client.receives_stream_error("policy-violation")
        alice = await world.session("alice/desk")
        alice.send("<presence/>")
        got = [each.get("id") for each in await alice.pending() if local(each) == "message"]
        assert got == [str(number) for number in range(8)]


async def test_a_session_that_is_ended_before_its_client_knows_of_it_stays_so(world: World, gate: Gate) -> None:
    client = await secure(world)
    come(client)
    await gate.reached.wait()
    (session,) = world.host.sessions.of("alice@localhost")
    session.door.close(StreamError("policy-violation"))
    await world.host.close_session(session)
    await gate.open(world)
    await client.receives_stream_error("policy-violation")
    nothing_is_left(world)


async def test_of_two_logins_of_one_installation_at_once_the_later_stays(world: World, gate: Gate) -> None:
    first, second = await secure(world), await secure(world)
    come(first)
    await gate.reached.wait()
    come(second)
    await first.receives_stream_error("conflict")
    await gate.open(world)
    assert local(await second.receive()) == "success"
    await second.receive()
    await second.ping()
    assert len(world.host.sessions) == 1
    assert len(shared(world).resumptions._doors) == 1


async def test_who_lost_the_race_to_resume_ends_no_session_by_binding_another(world: World) -> None:
    gate, client, first, second = Gate(), await secure(world), await secure(world), await secure(world)
    come(client)
    enabled = find(await client.receive(), "bind:bound/sm:enabled")
    assert enabled is not None
    world.host.hooks.session_resumed.add(gate.wait)
    again = f"<resume xmlns='{ns.SM}' previd='{enabled.get('id')}' h='0'/>{BIND}"
    come(first, again)
    await gate.reached.wait()
    come(second, again)
    await first.receives_stream_error("conflict")
    await gate.open(world)
    answer = await second.receive()
    assert find(answer, "sm:resumed") is not None
    await second.ping()
    assert len(world.host.sessions) == 1


async def test_what_comes_behind_a_login_is_answered_behind_its_success(world: World) -> None:
    client = await secure(world)
    request = authenticate("PLAIN", plain("alice", "alice"), BIND)
    client.send(f"{request}<iq type='get' id='1' to='localhost'><ping xmlns='{ns.PING}'/></iq>")
    assert [local(await client.receive()) for _ in range(3)] == ["success", "features", "iq"]


async def test_and_behind_a_failure_by_the_end_of_the_stream(world: World) -> None:
    client = await secure(world)
    request = authenticate("PLAIN", plain("alice", "wrong"), BIND)
    client.send(f"{request}<iq type='get' id='1' to='localhost'><ping xmlns='{ns.PING}'/></iq>")
    assert local(await client.receive()) == "failure"
    await client.receives_stream_error("not-authorized")
