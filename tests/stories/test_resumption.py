"""XEP-0198 1 to 4 and 6: stream management is enabled, and both sides acknowledge."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import pytest

from tests.kit.client import Client, show
from tests.kit.world import World, a_world
from xmppd.routing.event import Event

from .managed import SM, acknowledge, bodies, enable, handled, heard_nothing, managed, returning, tag, turn, vanish

MODULES: dict[str, Any] = {"ping": {}, "presence": {}, "roster": {}, "offline": {}}
CHAT = "<message to='{}@localhost' type='chat'><body>{}</body></message>"
UNEXPECTED = "[*[local-name()='unexpected-request'][namespace-uri()='urn:ietf:params:xml:ns:xmpp-stanzas']]"
ROSTER = "<iq id='ls72g593' type='get'><query xmlns='jabber:iq:roster'/></iq>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


def limited(**limits: Any) -> Any:
    return a_world(modules=MODULES, limits=limits)


async def says(client: Client, *numbers: object, to: str = "alice") -> None:
    """Send messages to somebody; when it returns, they are handled."""
    for number in numbers:
        client.send(CHAT.format(to, number))
    await client.ping()


async def receives_nonza(client: Client, name: str, condition: str = "") -> Any:
    answer = await client.receive()
    assert answer.xpath(f"self::sm:{name}{condition}", namespaces={"sm": SM}), show(answer)
    return answer


async def refused(client: Client, element: str) -> None:
    """`<failed/>` with unexpected-request, and the stream goes on."""
    client.send(element)
    await receives_nonza(client, "failed", UNEXPECTED)


# 2. Stream feature, 3. Enabling


async def test_2_the_feature_is_offered_with_bind_and_not_before(world: World) -> None:
    client = await world.dial()
    await world.account("alice")
    before = await client.open()
    assert before.find(tag("sm")) is None
    await client.login("alice", "alice")
    assert client.features is not None
    assert client.features.find(tag("sm")) is not None


async def test_3_enabling_without_resumption(world: World) -> None:
    alice = await world.session("alice/phone")
    assert dict((await enable(alice, "")).attrib) == {}


async def test_3_enabling_with_resumption_gives_an_id_and_the_time(world: World) -> None:
    alice = await world.session("alice/phone")
    enabled = await enable(alice, "resume='1'")
    assert (enabled.get("resume"), enabled.get("max")) == ("true", "300")
    assert len(enabled.get("id") or "") >= 20


@pytest.mark.parametrize(("wanted", "granted"), [("60", "60"), ("100000", "300"), ("0", "300"), ("soon", "300")])
async def test_3_a_client_may_ask_for_less_time(world: World, wanted: str, granted: str) -> None:
    alice = await world.session("alice/phone")
    assert (await enable(alice, f"resume='true' max='{wanted}'")).get("max") == granted


async def test_3_a_server_may_not_allow_resumption() -> None:
    async with limited(resume_timeout=0) as world:
        alice = await world.session("alice/phone")
        assert dict((await enable(alice)).attrib) == {}


async def test_3_ids_are_not_used_again(world: World) -> None:
    ids = [(await managed(world, f"alice/{number}"))[1] for number in range(5)]
    assert len(set(ids)) == 5


async def test_3_not_before_authentication(world: World) -> None:
    client = await world.dial()
    await client.open()
    await refused(client, f"<enable xmlns='{SM}'/>")
    await refused(client, f"<resume xmlns='{SM}' previd='some-long-sm-id' h='0'/>")


async def test_3_not_before_resource_binding(world: World) -> None:
    await world.account("alice")
    alice = await returning(world, "alice")
    await refused(alice, f"<enable xmlns='{SM}'/>")
    await alice.bind("phone")
    await enable(alice)


async def test_3_a_second_enable_ends_the_stream(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    await refused(alice, f"<enable xmlns='{SM}'/>")
    assert (await alice.receive()).tag == tag("a")
    await alice.receives_stream_error("policy-violation")


# 4. Acks


async def test_4_simple_stanza_acking(world: World) -> None:
    """Example 8: the client need not wait for the answer to its <enable/>."""
    alice = await world.session("alice/phone")
    alice.send(f"<enable xmlns='{SM}'/>" + CHAT.format("bob", "I'll send a friar with speed") + f"<r xmlns='{SM}'/>")
    await receives_nonza(alice, "enabled")
    while (answer := await alice.receive()).tag != tag("a"):
        assert answer.get("type") == "error"  # nobody is called bob
    assert answer.get("h") == "1"


async def test_4_the_count_starts_at_zero_and_counts_stanzas_alone(world: World) -> None:
    alice = await world.online("alice/phone")
    await alice.ping()
    await enable(alice)
    assert await handled(alice) == 0
    alice.send(" ")
    acknowledge(alice, 0)
    assert await handled(alice) == 0
    alice.send("<presence/><message to='bob@localhost'/>")
    assert await handled(alice) == 2


async def test_4_the_count_wraps(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    session = world.host.sessions.find(alice.jid)
    assert session is not None
    session.door.ledger.handled = 2**32 - 1  # type: ignore[attr-defined]
    alice.send("<presence/>")
    assert await handled(alice) == 0


async def test_4_an_ack_has_a_count(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    alice.send(f"<a xmlns='{SM}'/>")
    assert (await alice.receive()).tag == tag("a")
    await alice.receives_stream_error("bad-format")


async def test_4_acks_come_after_enabling(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(f"<r xmlns='{SM}'/>")
    await alice.receives_stream_error("unsupported-stanza-type")


async def test_4_acks_may_come_unasked(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    await bodies(alice, "1", "2")
    acknowledge(alice, 1)
    acknowledge(alice, 2)
    acknowledge(alice, 2)
    await alice.ping()
    await vanish(world, alice)
    await world.advance(301)
    assert await kept(world) == []


async def kept(world: World) -> list[str | None]:
    """What alice finds when she comes with another device."""
    alice = await world.session("alice/other")
    alice.send("<presence/>")
    found = [each.findtext("{jabber:client}body") for each in await alice.pending()]
    return [body for body in found if body]


class Slow:
    """A write that is on disk when the story says so."""

    def __init__(self) -> None:
        self.done = False
        self._callbacks: list[Callable[[Any], object]] = []

    def hurry(self) -> None:
        pass

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        self._callbacks.append(callback)

    def __await__(self) -> Generator[Any, None, object]:
        arrived = asyncio.get_running_loop().create_future()
        if self.done:
            arrived.set_result(self)
        self.add_done_callback(arrived.set_result)
        return arrived.__await__()

    def finish(self) -> None:
        self.done = True
        for callback in self._callbacks:
            callback(self)


async def test_4_handled_means_on_disk(world: World) -> None:
    """The server says that it has a stanza when storage has it; what comes behind is handled meanwhile."""
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    writes: list[Slow] = []

    def owe(event: Event) -> None:
        if event.stanza.kind == "message":
            writes.append(Slow())
            event.owe(writes[-1])  # type: ignore[arg-type]

    world.host.hooks.session_send.add(owe)
    alice.send(CHAT.format("bob", 1) + f"<r xmlns='{SM}'/>" + CHAT.format("bob", 2))
    await bodies(bob, "1", "2")
    await bob.ping()
    assert heard_nothing(alice)
    writes[0].finish()
    answer = await receives_nonza(alice, "a")
    assert answer.get("h") == "1"
    writes[1].finish()
    assert await handled(alice) == 2


async def test_4_the_server_asks_after_some_stanzas(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, *range(12))
    got = [await alice.receive() for _ in range(14)]
    assert ["r" if each.tag == tag("r") else each.findtext("{jabber:client}body") for each in got] == [
        *("0", "1", "2", "3", "4", "r"),
        *("5", "6", "7", "8", "9", "r", "10", "11"),
    ]


async def test_4_the_server_asks_for_the_rest_soon(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await bodies(alice, "1")
    await world.advance(5)
    await receives_nonza(alice, "r")
    await world.advance(5)
    acknowledge(alice, 1)
    await alice.ping()


async def test_4_who_does_not_acknowledge_in_time_counts_as_lost(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await bodies(alice, "1")
    await world.advance(70)
    await receives_nonza(alice, "r")
    await receives_nonza(alice, "a")
    await alice.receives_stream_error("connection-timeout")
    (session,) = world.host.sessions.of(alice.jid.bare)
    while not session.detached:
        await turn()


async def test_4_a_silent_client_is_asked_instead_of_pinged(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    await world.advance(250)
    await receives_nonza(alice, "r")
    acknowledge(alice, 0)
    assert await handled(alice) == 0
    await world.advance(235)
    assert await handled(alice) == 0


async def test_4_who_acknowledges_nothing_ends_and_loses_nothing() -> None:
    async with limited(max_ack_queue=100) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, *range(110))
        received = [each async for each in everything(alice)]
        assert received[-1].xpath("*[local-name()='policy-violation']"), show(received[-1])
        assert [int(body or 0) for body in await kept(world)] == list(range(110))


async def everything(client: Client) -> AsyncIterator[Any]:
    """All that comes until the stream ends."""
    while True:
        try:
            yield await client.receive()
        except AssertionError:
            return


async def test_4_bytes_that_are_not_acknowledged_are_limited_too() -> None:
    async with limited(max_ack_size=65536) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, *("x" * 10000 for _ in range(11)))
        received = [each async for each in everything(alice)]
        assert received[-1].xpath("*[local-name()='policy-violation']"), show(received[-1])
        assert len(await kept(world)) == 11


# 6. Error handling


async def test_6_too_high_a_count_ends_the_stream(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, *range(8))
    acknowledge(alice, 10)
    received = [each async for each in everything(alice)]
    error = received[-1]
    assert error.xpath("e:undefined-condition", namespaces={"e": "urn:ietf:params:xml:ns:xmpp-streams"})
    (wrong,) = error.iterchildren(tag("handled-count-too-high"))
    assert (wrong.get("h"), wrong.get("send-count")) == ("10", "8")
    assert len(await kept(world)) == 8, "what it was sent goes back to the road at once"


# 7. Stream closure


async def test_7_a_closed_stream_ends_the_session(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await bodies(alice, "1")
    alice.send("<presence/></stream:stream>")
    while (last := await alice.receive()).tag != tag("a"):
        pass
    assert last.get("h") == "1", "the server says last what it has handled"
    assert await asyncio.wait_for(alice.reader.read(), 10) in (b"", b"</stream:stream>")
    while world.host.sessions.of(alice.jid.bare):
        await turn()
    assert await kept(world) == ["1"]


async def test_7_without_resumption_a_lost_connection_ends_the_session(world: World) -> None:
    alice, _ = await managed(world, "alice/phone", "")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    await bodies(alice, "1", "2")
    acknowledge(alice, 1)
    await alice.ping()
    await vanish(world, alice)
    assert not world.host.sessions.of(alice.jid.bare)
    assert await kept(world) == ["2"]


# 8. Scenarios


async def test_8_1_basic_acking_scenario(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await world.online("juliet/balcony")
    await enable(romeo, "")
    romeo.send(ROSTER + f"<r xmlns='{SM}'/>")
    await romeo.receives("c:iq[@id='ls72g593'][@type='result']")
    assert (await receives_nonza(romeo, "a")).get("h") == "1"
    acknowledge(romeo, 1)
    romeo.send(f"<presence/><r xmlns='{SM}'/>")
    await romeo.receives_in_any_order("c:presence[@from='romeo@localhost/orchard']", "*[@h='2']")
    acknowledge(romeo, 2)
    romeo.send(CHAT.format("juliet", "ciao!"))
    assert await handled(romeo) == 3


async def test_8_2_efficient_acking_scenario(world: World) -> None:
    alice = await world.session("alice/phone")
    bob = await world.online("bob/desk")
    await enable(alice, "")
    for count in (5, 10):
        alice.send(CHAT.format("bob", "hello") * 5)
        assert await handled(alice) == count
    await bodies(bob, *["hello"] * 10)
