"""What one device takes from the offline store is copied (XEP-0280) to the others that were here when it came."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.archives import MODULES, page
from tests.stories.managed import acknowledge
from tests.stories.managed import enable as switch_on
from tests.stories.test_carbons import BODY, CARBONS, copied, enable
from tests.stories.test_offline import NEGATIVE, chat, stored

DELAY = "{urn:xmpp:delay}delay"
INSIDE = f"{{{CARBONS}}}received/{{urn:xmpp:forward:0}}forwarded/{{jabber:client}}message"
LONG = f"<body>{'x' * 20_000}</body>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES | {"carbons": {}}) as made:
        await made.account("bob")
        yield made


async def ids(client: Client) -> list[str | None]:
    """Of the messages that have come in, as they are or inside of copies."""
    messages = [each for each in await client.pending() if each.tag == "{jabber:client}message"]
    insides = [message.find(INSIDE) for message in messages]
    return [(each if inside is None else inside).get("id") for each, inside in zip(messages, insides, strict=True)]


async def all_taken(world: World) -> None:
    """Wait until nothing is stored for Bob."""
    alice = await world.session("alice/waiting")
    while await stored(world):
        await alice.ping()


async def on_their_way(world: World) -> tuple[Client, Client, Client]:
    """Bob's phone and desk that want copies, and an old device, none of them available yet; Alice has said M."""
    alice = await world.session("alice/phone")
    phone, desk, old = [await world.session(f"bob/{name}") for name in ("phone", "desk", "old")]
    assert await enable(phone) == await enable(desk) == "result"
    alice.send(f"<message to='bob@localhost' type='chat'>{BODY}</message>")
    await alice.ping()
    for client in (phone, desk, old):
        await client.receives_nothing()
    return phone, desk, old


@pytest.mark.parametrize(("first", "others"), [("desk", ["phone"]), ("old", ["phone", "desk"])])
async def test_what_one_takes_from_the_store_is_copied_to_those_on_their_way(
    world: World, first: str, others: list[str]
) -> None:
    """7; they were here when it came, and would not find it in the store any more. Nobody is given it twice."""
    clients = dict(zip(("phone", "desk", "old"), await on_their_way(world), strict=True))
    clients[first].send("<presence/>")
    assert (await clients[first].receives("c:message[c:body]")).find(DELAY) is not None
    for name in others:
        assert (await copied(clients[name], "received")).find(DELAY) is not None
    for client in clients.values():
        client.send("<presence/>")
        await client.receives_nothing()
    while await stored(world):
        await clients["old"].ping()
    assert world.module("offline")._boxes.get("bob").had == {}


async def test_what_no_library_reads_is_taken_and_copied_too(world: World) -> None:
    """Expat takes it from its sender, libxml2 would not: it must not stand in the way of what is behind it."""
    alice = await world.session("alice/phone")
    phone, old = await world.session("bob/phone"), await world.session("bob/old")
    await enable(phone)
    alice.send(f"<message to='bob@localhost' type='chat' id='odd'>{BODY}<x xmlns='urn:%'/></message>{chat('2')}")
    await alice.ping()
    old.send("<presence/>")
    for client in (old, phone):
        assert b"xmlns='urn:%'" in await client.reads(b"</message>")
    assert b"<body>2</body>" in await old.reads(b"</message>")


async def test_what_is_taken_is_not_copied_to_who_came_later_or_has_read_it(world: World) -> None:
    phone, desk, _ = await on_their_way(world)
    assert len((await page(phone)).ids) == 1
    await world.advance(1)
    tablet = await world.session("bob/tablet")
    await enable(tablet)
    desk.send("<presence/>")
    await desk.receives("c:message[c:body]")
    await phone.receives_nothing()
    await tablet.receives_nothing()


@pytest.mark.parametrize(("who", "inside"), [("alice", f"<private xmlns='{CARBONS}'/>"), ("phone", "")])
async def test_what_must_not_be_copied_is_not_when_it_is_taken(world: World, who: str, inside: str) -> None:
    """What is private, and what the phone has said itself."""
    clients = {"alice": await world.session("alice/phone"), "phone": await world.session("bob/phone")}
    desk = await world.session("bob/desk")
    await enable(clients["phone"])
    clients[who].send(f"<message to='bob@localhost' type='chat'>{BODY}{inside}</message>")
    await clients[who].ping()
    desk.send("<presence/>")
    await desk.receives("c:message[c:body]")
    await clients["phone"].receives_nothing()


async def test_those_that_come_at_once_have_it_once_each(world: World) -> None:
    """While the store is asked for the first, the second comes."""
    phone, desk, _ = await on_their_way(world)
    desk.send("<presence/>")
    phone.send("<presence/>")
    await desk.receives("c:message[c:body]")
    await copied(phone, "received")
    await all_taken(world)
    for client in (phone, desk):
        await client.receives_nothing()


async def test_who_has_come_with_a_negative_priority_gets_it_too(world: World) -> None:
    phone, desk, _ = await on_their_way(world)
    phone.send(NEGATIVE)
    desk.send("<presence/>")
    await desk.receives("c:message[c:body]")
    await copied(phone, "received")


async def test_who_is_blocked_meanwhile_is_not_heard_in_a_copy() -> None:
    async with a_world(modules=MODULES | {"carbons": {}, "roster": {}, "privacy": {}, "blocking": {}}) as world:
        phone, desk, _ = await on_their_way(world)
        await phone.ask("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='alice@localhost'/></block></iq>")
        desk.send("<presence/>")
        await all_taken(world)
        assert await ids(desk) == await ids(phone) == []


async def slowly(world: World, count: int) -> tuple[Client, Client, Client]:
    """Alice; Bob's phone, which wants copies; and his desk, in the middle of so many messages that came since then."""
    alice = await world.session("alice/phone")
    phone, desk = await world.session("bob/phone"), await world.session("bob/desk")
    await enable(phone)
    alice.send("".join(f"<message to='bob@localhost' id='{number}'>{LONG}</message>" for number in range(count)))
    await alice.ping()
    desk.writer.transport.pause_reading()  # type: ignore[attr-defined]
    desk.send("<presence/>")
    while not world.module("offline")._boxes.get("bob").handed:
        await alice.ping()
    return alice, phone, desk


async def test_who_comes_in_the_middle_has_all_of_it(world: World) -> None:
    _, phone, desk = await slowly(world, 100)
    phone.send("<presence/>")
    got = await ids(phone)
    assert got
    assert len(got) < 100
    desk.writer.transport.resume_reading()  # type: ignore[attr-defined]
    numbers = [str(number) for number in range(100)]
    assert [(await desk.receive()).get("id") for _ in numbers] == numbers
    await all_taken(world)
    assert got + await ids(phone) == numbers


async def test_who_has_been_given_what_came_behind_takes_only_the_rest(world: World) -> None:
    """The desk leaves without a word while what is new was given to the phone as well."""
    alice = await world.session("alice/phone")
    alice.send("".join(f"<message to='bob@localhost' id='{number}'>{LONG}</message>" for number in range(20)))
    await alice.ping()
    desk = await world.session("bob/desk")
    await switch_on(desk)
    desk.send("<presence/>")
    box = world.module("offline")._boxes.get("bob")
    while not box.handed:
        await alice.ping()
    phone = await world.online("bob/phone")
    alice.send(chat("new").replace("<message", "<message id='new'"))
    await alice.ping()
    session = world.host.sessions.find(desk.jid)
    assert session is not None
    acknowledge(desk, session.door.ledger.sent)  # type: ignore[attr-defined]
    while box.handed < box.last:
        await world.advance(1)
        await alice.ping()
    await world.host.close_session(session)
    await all_taken(world)
    assert (await ids(phone)).count("new") == 1


async def test_what_waits_behind_stored_messages_is_not_given_to_who_has_a_copy(world: World) -> None:
    """Bob's desk takes its time; his phone has a copy of what is new, and is available only then."""
    await world.account("bob")
    alice = await world.session("alice/phone")
    long = f"<body>{'x' * 20_000}</body>"
    alice.send("".join(f"<message to='bob@localhost' id='{number}'>{long}</message>" for number in range(100)))
    await alice.ping()
    await world.advance(1)
    phone, desk = await world.session("bob/phone"), await world.session("bob/desk")
    await enable(phone)
    desk.writer.transport.pause_reading()  # type: ignore[attr-defined]
    desk.send("<presence/>")
    while not world.module("offline")._boxes.get("bob").handed:
        await alice.ping()
    alice.send(f"<message to='bob@localhost' id='100'>{BODY}</message>")
    await alice.ping()
    assert (await copied(phone, "received")).get("id") == "100"
    phone.send("<presence/>")
    await phone.ping()
    desk.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert [(await desk.receive()).get("id") for _ in range(101)] == [str(number) for number in range(101)]
    await phone.receives_nothing()
