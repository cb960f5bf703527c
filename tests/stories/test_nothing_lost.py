"""What was acknowledged survives `kill -9`: a real server process dies at random moments, and nothing is missing.

A ping that is answered acknowledges all that its sender sent before. Each life of the server ends by SIGKILL, after a
number of acknowledgements or deliveries that a seeded generator chooses.
"""

import asyncio
import random
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.kit.client import Client, show
from xmppd.config import Config
from xmppd.server import Server
from xmppd.xmpp.stanza import Element

pytestmark = pytest.mark.slow

SENDERS = ("alice", "carol", "dave")
ABSENT = ("bob", "eve")
LAST = ("alice", 0)
MOST = 150  # acknowledgements in one life
CONFIG = """
hosts: [localhost]
data_dir: {folder}
loglevel: warning
listen: [{{port: {port}, ip: 127.0.0.1, module: c2s, starttls: none}}]
auth: {{scram_iterations: 4096}}
modules: {{ping: {{}}, roster: {{}}, presence: {{}}, offline: {{max_user_messages: 10000}}}}
"""
Said = tuple[str, int]  # by whom, and which of theirs
GONE = (OSError, AssertionError, asyncio.IncompleteReadError)


class Lives:
    """One data folder, and the server processes that live on it one after another."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.file = folder / "xmppd.yml"
        self.file.write_text(CONFIG.format(folder=folder / "kept", port=self.port))
        self.process: asyncio.subprocess.Process | None = None

    async def prepare(self) -> None:
        config = Config.from_dict({"data_dir": str(self.file.parent / "kept"), "auth": {"scram_iterations": 4096}})
        async with Server(config, doors=False) as server:
            for name in (*SENDERS, *ABSENT):
                await server.hosts["localhost"].create_account(name, name)

    async def begin(self) -> None:
        arguments = ("-m", "xmppd", "run", "-c", str(self.file))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert self.process.stdout is not None
        ready = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert b"ready" in ready, ready

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    async def end(self) -> None:
        self.kill()
        if self.process is not None:
            await self.process.communicate()
            self.process = None

    async def client(self, name: str) -> Client:
        client = await Client.dial(self.port)
        await client.open()
        await client.login(name, name)
        await client.bind("phone")
        return client


class Talk:
    """What was said to whom, and how much of it is acknowledged."""

    def __init__(self, chance: random.Random, padding: int = 0) -> None:
        self.chance = chance
        self.padding = "x" * padding
        self.said: dict[str, list[Said]] = defaultdict(list)
        self.sure: dict[str, set[Said]] = defaultdict(set)
        self.heard: dict[str, list[Said]] = defaultdict(list)
        self.refused: list[str] = []
        self._number: dict[str, int] = defaultdict(int)

    def next(self, sender: str) -> tuple[str, Said]:
        to = self.chance.choice(ABSENT)
        self._number[sender] += 1
        said = (sender, self._number[sender])
        self.said[to].append(said)
        return to, said

    def check(self) -> None:
        """Every message that is sure was heard once, each sender's in order, and nothing that was not said."""
        assert self.refused == []
        for to in ABSENT:
            heard = self.heard[to]
            assert sorted(heard) == sorted(set(heard)), f"{to} heard something twice"
            assert self.sure[to] <= set(heard) <= set(self.said[to]), f"{to} misses {self.sure[to] - set(heard)}"
            for sender in SENDERS:
                numbers = [number for by, number in heard if by == sender]
                assert numbers == sorted(numbers), f"{to} heard {sender} out of order"


Speak = Callable[[Lives, Talk, str, Callable[[], None]], Awaitable[None]]


async def speak(lives: Lives, talk: Talk, sender: str, each: Callable[[], None]) -> None:
    """Say one to five things at a time and wait until they are acknowledged, until the server is dead."""
    client = await lives.client(sender)
    try:
        while True:
            burst = [talk.next(sender) for _ in range(talk.chance.randint(1, 5))]
            for to, (_, number) in burst:
                client.send(f"<message to='{to}@localhost' type='chat'><body>{number} {talk.padding}</body></message>")
            talk.refused += map(show, await client.pending())
            for to, said in burst:
                talk.sure[to].add(said)
            each()
    except GONE:
        pass
    finally:
        await client.drop()


async def killed_in_talk(lives: Lives, talk: Talk, speak: Speak) -> None:
    """All who speak do so until the server dies, at one of the first acknowledgements."""
    left, enough = talk.chance.randint(1, MOST), asyncio.Event()

    def count() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            enough.set()

    speakers = [asyncio.ensure_future(speak(lives, talk, sender, count)) for sender in SENDERS]
    await asyncio.wait_for(enough.wait(), 30)
    lives.kill()
    await asyncio.gather(*speakers)
    await lives.end()


async def one_life_of_talk(lives: Lives, talk: Talk, speak: Speak = speak) -> None:
    await lives.begin()
    await killed_in_talk(lives, talk, speak)


def said_in(stanza: Element) -> list[Said]:
    body = stanza.findtext("{jabber:client}body")
    return [] if body is None else [((stanza.get("from") or "").partition("@")[0], int(body.split()[0]))]


async def listen(client: Client, heard: list[Said], each: Callable[[], None] = lambda: None) -> None:
    """Everything that comes in until the last word, or to the end of the stream."""
    client.send("<presence/>")
    while not heard or heard[-1] != LAST:
        for said in said_in(await client.receive()):
            heard.append(said)
            each()


async def listen_to_the_end(client: Client, heard: list[Said], each: Callable[[], None]) -> None:
    """The same; when the server dies, what the socket still has counts too."""
    try:
        await listen(client, heard, each)
    except GONE:
        client.reader._exception = None  # a reset hides what came in before it
        client.reader.feed_eof()
        client._take(await client.reader.read())
        heard += [said for stanza in client._inbox for said in said_in(stanza)]


@pytest.fixture
async def lives(tmp_path: Path) -> AsyncIterator[Lives]:
    made = Lives(tmp_path)
    await made.prepare()
    yield made
    await made.end()


def joined(first: list[Said], then: list[Said]) -> list[Said]:
    """Both, where `then` may begin with the end of `first`."""
    again = (at for at in range(len(first)) if first[at:] == then[: len(first) - at])
    return first[: next(again, len(first))] + then


async def hear(lives: Lives) -> dict[str, list[Said]]:
    """Everybody comes, hears what there is up to a last word said just before, and goes."""
    heard: dict[str, list[Said]] = {}
    alice = await lives.client("alice")
    for name in ABSENT:
        alice.send(f"<message to='{name}@localhost' type='chat'><body>{LAST[1]}</body></message>")
        await alice.ping()
        client = await lives.client(name)
        await listen(client, heard.setdefault(name, []))
        assert not await client.pending(), "nothing comes behind the last word"
        await client.close()
        heard[name].pop()
    # Writes are in order: once this one is acknowledged, the deletions before it are on disk.
    alice.send("<message to='dave@localhost' type='chat'><body>0</body></message>")
    await alice.ping()
    await alice.close()
    return heard


async def test_what_was_acknowledged_is_found_once_and_in_order(lives: Lives) -> None:
    """The server dies while it stores; what it promised is all there, however often it dies before it can deliver."""
    talk = Talk(random.Random(1))
    for _ in range(4):
        await one_life_of_talk(lives, talk)
    await lives.begin()
    talk.heard = await hear(lives)
    talk.check()
    assert sum(map(len, talk.sure.values())) >= 10, "too little was said to prove anything"
    await lives.end()
    await lives.begin()
    assert await hear(lives) == {name: [] for name in ABSENT}, "what was delivered comes no more"


async def test_what_was_on_its_way_is_received_or_still_stored(lives: Lives) -> None:
    """The server dies while it delivers; what the clients' sockets do not have comes in the next life."""
    chance = random.Random(2)
    for _ in range(2):
        talk = Talk(chance, padding=8000)
        await one_life_of_talk(lives, talk)
        await lives.begin()
        left = [chance.randint(1, sum(map(len, talk.sure.values())))]

        def count(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                lives.kill()

        clients = [await lives.client(name) for name in ABSENT]
        first: dict[str, list[Said]] = {name: [] for name in ABSENT}
        await asyncio.gather(
            *(listen_to_the_end(client, first[name], count) for name, client in zip(ABSENT, clients, strict=True))
        )
        for client in clients:
            await client.drop()
        await lives.end()
        await lives.begin()
        then = await hear(lives)
        await lives.end()
        for name in ABSENT:
            # What a client has got and the server has not yet deleted comes again: the end of it, before all else.
            talk.heard[name] = joined(first[name], then[name])
        talk.check()
