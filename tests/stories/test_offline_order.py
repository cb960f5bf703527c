"""Stored messages come before newer ones, and each goes to one session, whoever comes and goes meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.test_offline import MODULES, NEGATIVE, chat, cut_off, stored, texts
from xmppd.modules.offline import boxes as tables
from xmppd.storage import Commit, StorageError

SLOW = "x" * 20000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        await made.account("bob")
        yield made


def numbers(bodies: list[str | None]) -> list[int]:
    return [int(body.split()[0]) for body in bodies if body]


async def numbered(world: World, count: int, padding: str = SLOW) -> None:
    alice = await world.session("alice/store")
    alice.send("".join(chat(f"{number} {padding}") for number in range(count)))
    await alice.ping()
    await alice.close()


async def test_a_new_message_waits_behind_the_stored_ones(world: World) -> None:
    """Bob's messages leave in portions; what is said meanwhile comes in its turn, and is not marked as delayed."""
    await numbered(world, 100)
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    bob.writer.transport.pause_reading()  # type: ignore[attr-defined]
    bob.send("<presence/>")
    while not world.module("offline")._boxes.get("bob").handed:
        await alice.ping()
    for number in range(100, 103):
        alice.send(chat(str(number)))
    await alice.ping()
    bob.writer.transport.resume_reading()  # type: ignore[attr-defined]
    messages = [await bob.receive() for _ in range(103)]
    assert numbers([message.findtext("{jabber:client}body") for message in messages]) == list(range(103))
    delayed = [message.find("{urn:xmpp:delay}delay") is not None for message in messages]
    assert delayed == [True] * 100 + [False] * 3
    alice.send(chat("103"))
    await alice.ping()
    assert await texts(bob) == ["103"]


async def test_who_comes_while_it_is_looked_up_what_he_has_is_given_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten thousand accounts more than that have messages."""
    boxes, looked, go = world.module("offline")._boxes, asyncio.Event(), asyncio.Event()
    find = boxes.find

    async def slowly(name: str) -> tables.Box:
        box: tables.Box = await find(name)
        looked.set()
        await go.wait()
        return box

    monkeypatch.setattr(boxes, "find", slowly)
    monkeypatch.setattr(boxes, "_complete", False)
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    alice.send(chat("one"))
    await looked.wait()
    bob.send("<presence/>")
    await bob.receives_nothing()
    go.set()
    await bob.receives("c:message[c:body='one']")


async def halfway(world: World) -> tuple[Client, Client, Client]:
    """Alice, Bob's phone that stopped reading in the middle of a hundred messages, and his desk that came then."""
    await numbered(world, 100)
    alice = await world.session("alice/phone")
    phone, desk = await world.session("bob/phone"), await world.session("bob/desk")
    phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
    phone.send("<presence/>")
    while not world.module("offline")._boxes.get("bob").handed:
        await alice.ping()
    desk.send("<presence/>")
    await desk.receives_nothing()
    return alice, phone, desk


async def test_what_comes_meanwhile_reaches_every_resource(world: World) -> None:
    alice, phone, desk = await halfway(world)
    alice.send(chat("100") + chat("for the desk", to="bob@localhost/desk"))
    await alice.ping()
    await desk.receives("c:message[c:body='for the desk']")
    phone.writer.transport.resume_reading()  # type: ignore[attr-defined]
    got = [await phone.receive() for _ in range(101)]
    assert numbers([message.findtext("{jabber:client}body") for message in got]) == list(range(101))
    await desk.receives("c:message[c:body='100']")
    await desk.receives_nothing()


async def test_another_resource_takes_over_what_the_first_did_not_get(world: World) -> None:
    _, phone, desk = await halfway(world)
    session = world.host.sessions.find(phone.jid)
    assert session is not None
    cut_off(session.door.transport)  # type: ignore[attr-defined]
    got: list[int] = []
    while 99 not in got:
        message = await desk.receive()
        got += numbers([message.findtext("{jabber:client}body")])
    assert got == list(range(got[0], 100))
    await phone.drop()


async def test_a_session_that_becomes_unavailable_is_given_no_more(world: World) -> None:
    await numbered(world, 100)
    bob = await world.session("bob/phone")
    bob.send("<presence/><presence type='unavailable'/>")
    got = numbers(await texts(bob))
    assert got == list(range(len(got)))
    assert 0 < len(got) < 100
    bob.send("<presence/>")
    while got[-1] < 99:
        message = await bob.receive()
        got += numbers([message.findtext("{jabber:client}body")])
    assert got == list(range(100))


async def test_an_account_that_is_removed_gets_no_more(world: World) -> None:
    await numbered(world, 100)
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    bob.writer.transport.pause_reading()  # type: ignore[attr-defined]
    bob.send("<presence/>")
    box = world.module("offline")._boxes.get("bob")
    while not box.handed:
        await alice.ping()
    await world.host.remove_account(bob.jid.bare)
    assert box.handover is None
    assert await stored(world) == 0
    bob.writer.transport.resume_reading()  # type: ignore[attr-defined]
    got = await bob.receive()
    while got.tag == "{jabber:client}message":
        got = await bob.receive()
    assert got.tag == "{http://etherx.jabber.org/streams}error"


async def test_without_a_memory_of_who_has_messages_all_is_looked_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More accounts have messages than are remembered."""
    monkeypatch.setattr(tables, "REMEMBERED", 2)
    alice = await world.session("alice/phone")
    names = [f"user{number}" for number in range(8)]
    for name in names:
        await world.account(name)
    for text in ("one", "two"):
        for name in names:
            alice.send(chat(text, to=f"{name}@localhost"))
            await alice.ping()
    assert len(list(world.module("offline")._boxes)) == 2
    for name in names:
        client = await world.session(f"{name}/phone")
        client.send("<presence/>")
        assert await texts(client) == ["one", "two"]
    nobody = await world.session("somebody/else")
    nobody.send("<presence/>")
    await nobody.receives_nothing()


async def test_stored_messages_outlive_the_server_and_its_clock(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is stored after a restart comes behind what was stored before, though the clock went back."""
    folder = {"data_dir": str(tmp_path_factory.mktemp("kept"))}
    async with a_world(modules=MODULES, **folder) as world:
        await world.account("bob")
        alice = await world.session("alice/phone")
        alice.send(chat("one") + chat("two"))
        await alice.ping()
    async with a_world(modules=MODULES, **folder) as world:
        world.clock._now -= 5000
        alice = await world.session("alice/phone")
        alice.send(chat("three"))
        await alice.ping()
        bob = await world.session("bob/phone")
        bob.send("<presence/>")
        assert await texts(bob) == ["one", "two", "three"]


async def test_who_sent_what_could_not_be_stored_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message was taken before the disk refused it."""
    alice, carol = await world.session("alice/phone"), await world.session("carol/phone")
    alice.send(chat("one"))
    await alice.ping()
    broken = Commit()
    with monkeypatch.context() as patched:
        patched.setattr(world.host.house.storage, "add", lambda *row: broken)
        alice.send("<message to='bob@localhost' id='lost' type='chat'><body>two</body></message>")
        while not broken.awaited:
            await carol.ping()
    broken.resolve(StorageError("the disk is full"))
    error = await alice.receives_error("internal-server-error")
    assert error.get("id") == "lost"
    alice.send(chat("three"))
    await alice.ping()
    assert await stored(world) == 2
    assert world.module("offline")._boxes.get("bob").count == 2


async def test_two_messages_that_find_a_newcomer_begin_one_handover(world: World) -> None:
    """Between a session's presence and the end of its broadcast others may write to it: nothing comes twice."""
    await numbered(world, 2, "")
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone", NEGATIVE)
    (session,) = world.host.sessions.of(bob.jid.bare)
    session.priority = 0
    alice.send(chat("2") + chat("3"))
    await alice.ping()
    while await stored(world):
        await alice.ping()
    assert numbers(await texts(bob)) == [0, 1, 2, 3]


async def test_who_left_before_the_handover_began_does_not_hold_it_up(world: World) -> None:
    await numbered(world, 2, "")
    bob = await world.online("bob/phone", NEGATIVE)
    offline, (session,) = world.module("offline"), world.host.sessions.of(bob.jid.bare)
    session.priority = 0
    offline.ended(offline._boxes.get("bob"))
    session.door.close()
    await world.host.close_session(session)
    bob = await world.session("bob/desk")
    bob.send("<presence/>")
    assert numbers([(await bob.receive()).findtext("{jabber:client}body") for _ in range(2)]) == [0, 1]
