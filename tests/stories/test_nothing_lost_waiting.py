"""What waits for clients of XEP-0198 survives `kill -9` where nobody archives it: their sessions do not."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.kit.client import Client

from . import test_nothing_lost
from .managed import acknowledge, bodies, enable, handled, resume, tag
from .test_nothing_lost import ABSENT, Lives, Said, Talk, hear, killed_in_talk
from .test_nothing_lost_managed import speak

pytestmark = pytest.mark.slow

Leave = Callable[[Client], Awaitable[None]]


async def comes(lives: Lives, name: str) -> Client:
    """Somebody who is online with stream management."""
    client = await lives.client(name)
    await enable(client)
    client.send("<presence/>")
    await client.receive()
    return client


async def loses_connection(client: Client) -> None:
    """When it returns, the server knows."""
    client.writer.write_eof()
    while await client.reader.read(65536):
        pass


async def says_no_more(client: Client) -> None:
    """The client is there, and acknowledges nothing."""
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]


async def one_life(lives: Lives, talk: Talk, leave: Leave) -> None:
    """Those who are written to come and go silent; the others talk until the server is dead."""
    await lives.begin()
    gone = [await comes(lives, name) for name in ABSENT]
    for client in gone:
        await leave(client)
    await killed_in_talk(lives, talk, speak)
    for client in gone:
        await client.drop()


@pytest.mark.parametrize(
    ("leave", "option"),
    [(loses_connection, ""), (says_no_more, ", until_acknowledged: true")],
    ids=["detached", "connected"],
)
async def test_what_was_acknowledged_is_found_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Leave, option: str
) -> None:
    limit = "max_user_messages: 10000"
    monkeypatch.setattr(test_nothing_lost, "CONFIG", test_nothing_lost.CONFIG.replace(limit, limit + option))
    lives, talk = Lives(tmp_path), Talk(random.Random(6))
    await lives.prepare()
    try:
        for _ in range(2):
            await one_life(lives, talk, leave)
            await lives.begin()
            for name, heard in (await hear(lives)).items():
                talk.heard[name] += heard
            await lives.end()
        talk.check()
        assert sum(map(len, talk.sure.values())) >= 10, "too little was said to prove anything"
    finally:
        await lives.end()


async def test_what_came_back_and_was_acknowledged_comes_no_more(tmp_path: Path) -> None:
    """Half of it, and then the server dies."""
    lives = Lives(tmp_path)
    await lives.prepare()
    try:
        await lives.begin()
        alice, bob = await lives.client("alice"), await lives.client("bob")
        id = (await enable(bob)).get("id") or ""
        bob.send("<presence/>")
        await bob.receive()
        await loses_connection(bob)
        for number in range(1, 11):
            alice.send(f"<message to='bob@localhost' type='chat'><body>{number}</body></message>")
        await alice.ping()
        again = await logs_in(lives, "bob")
        assert (await resume(again, id, 1)).tag == tag("resumed")
        await bodies(again, *map(str, range(1, 11)))
        acknowledge(again, 6)
        await handled(again)
        # Writes are in order: once this one is acknowledged, the deletions before it are on disk.
        alice.send("<message to='dave@localhost' type='chat'><body>0</body></message>")
        await alice.ping()
        await lives.end()
        for client in (alice, bob, again):
            await client.drop()
        await lives.begin()
        left: list[Said] = (await hear(lives))["bob"]
        assert left == [("alice", number) for number in range(6, 11)]
    finally:
        await lives.end()


async def logs_in(lives: Lives, name: str) -> Client:
    """A connection that may resume."""
    client = await Client.dial(lives.port)
    await client.open()
    await client.login(name, name)
    return client
