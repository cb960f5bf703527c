"""What was acknowledged by XEP-0198 survives `kill -9`: a stanza counts as handled when it is on disk."""

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from .managed import SM, enable, tag
from .test_nothing_lost import GONE, Lives, Said, Talk, hear, one_life_of_talk

pytestmark = pytest.mark.slow


@pytest.fixture
async def lives(tmp_path: Path) -> AsyncIterator[Lives]:
    made = Lives(tmp_path)
    await made.prepare()
    yield made
    await made.end()


async def speak(lives: Lives, talk: Talk, sender: str, each: Callable[[], None]) -> None:
    """Say one to five things at a time and ask; what the server says to have handled is sure."""
    client = await lives.client(sender)
    said: list[tuple[str, Said]] = []
    try:
        await enable(client, "")
        while True:
            burst = [talk.next(sender) for _ in range(talk.chance.randint(1, 5))]
            for to, (_, number) in burst:
                client.send(f"<message to='{to}@localhost' type='chat'><body>{number}</body></message>")
            client.send(f"<r xmlns='{SM}'/>")
            said += burst
            answer = await client.receive()
            assert answer.tag == tag("a")
            for to, handled in said[: int(answer.get("h") or 0)]:
                talk.sure[to].add(handled)
            each()
    except GONE:
        pass
    finally:
        await client.drop()


async def test_what_was_acknowledged_is_there_after_a_restart(lives: Lives) -> None:
    talk = Talk(random.Random(3))
    for _ in range(4):
        await one_life_of_talk(lives, talk, speak)
    await lives.begin()
    talk.heard = await hear(lives)
    talk.check()
    assert sum(map(len, talk.sure.values())) >= 10, "too little was said to prove anything"


async def test_a_session_of_a_former_life_is_not_found(lives: Lives) -> None:
    """XEP-0198 5: what was acknowledged is there all the same."""
    await lives.begin()
    alice = await lives.client("alice")
    id = (await enable(alice)).get("id")
    alice.send(f"<message to='bob@localhost' type='chat'><body>7</body></message><r xmlns='{SM}'/>")
    assert (await alice.receive()).get("h") == "1"
    await lives.end()
    await alice.drop()
    await lives.begin()
    again = await type(alice).dial(lives.port)
    await again.open()
    await again.login("alice", "alice")
    again.send(f"<resume xmlns='{SM}' previd='{id}' h='0'/>")
    failed = await again.receive()
    assert failed.tag == tag("failed")
    assert failed.xpath("*[local-name()='item-not-found']")
    await again.bind("phone")
    await again.close()
    assert (await hear(lives))["bob"] == [("alice", 7)]
