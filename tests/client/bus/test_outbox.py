"""What is published: gathered, numbered, sent again, confirmed."""

from __future__ import annotations

import asyncio
import re

import pytest

from xmppd.client.bus.barrier import Barrier, Barriers
from xmppd.client.bus.batch import MOST_CHARACTERS, MOST_GATHERED
from xmppd.client.bus.company import Company
from xmppd.client.bus.errors import BusClosed
from xmppd.client.bus.invalidation import Invalidation
from xmppd.client.bus.members import Member
from xmppd.client.bus.outbox import Outbox
from xmppd.client.bus.wire import Mark

ROOM = "cache@conference.example.org"


class Scene:
    """An outbox, and what it says into a room that a test plays."""

    def __init__(self) -> None:
        self.now = 100.0
        self.said: list[str] = []
        self.renewed: list[float] = []
        barriers = Barriers()
        self.company = Company(lambda: self.now, barriers.left)
        self.outbox = Outbox(ROOM, 0.0, lambda: self.now, barriers, self.company, self.renewed.append)
        self.outbox.named("web1")
        self.outbox.connected(self.said.append)

    def add(self, *keys: str, confirm: bool = False) -> asyncio.Future[None]:
        return self.outbox.add(Invalidation(keys=frozenset(keys)), confirm=confirm).published

    async def numbers(self) -> list[str]:
        """Of all messages that were said until now."""
        await asyncio.sleep(0)
        return [found[1] for text in self.said if (found := re.search(r"seq='(\d+)'", text))]


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_what_is_said_in_one_turn_is_one_message(scene: Scene) -> None:
    first, second = scene.add("a"), scene.add("b")
    assert await scene.numbers() == ["1"]
    assert first is second
    assert "<key>a</key><key>b</key>" in scene.said[0]
    scene.outbox.came_back(1)
    assert first.done()
    assert scene.renewed == [100.0]


async def test_the_rest_waits_for_what_is_on_its_way(scene: Scene) -> None:
    scene.add("a")
    assert await scene.numbers() == ["1"]
    scene.outbox._gather = 3600.0
    for key in "bcd":
        scene.add(key)
    assert await scene.numbers() == ["1"]
    scene.outbox.came_back(1)
    assert await scene.numbers() == ["1", "2"]


async def test_what_has_not_come_back_is_said_again_under_its_number(scene: Scene) -> None:
    published = scene.add("a")
    await scene.numbers()
    scene.outbox.disconnected()
    assert scene.outbox.mark.seq == 0
    scene.add("b")
    scene.now = 200.0
    scene.outbox.connected(scene.said.append)
    assert await scene.numbers() == ["1", "1", "2"]
    assert scene.outbox.mark.seq == 2
    scene.outbox.came_back(1)
    scene.outbox.came_back(1)
    assert published.done()
    assert scene.renewed == [200.0]


async def test_too_much_becomes_everything(scene: Scene) -> None:
    scene.outbox.disconnected()
    for start in range(0, MOST_GATHERED + 1000, 1000):
        scene.add(*map(str, range(start, start + 1000)))
    scene.outbox.connected(scene.said.append)
    assert await scene.numbers() == ["1"]
    assert "<all/>" in scene.said[0]


async def test_long_names_become_everything_sooner(scene: Scene) -> None:
    scene.outbox.disconnected()
    for number in range(2 * MOST_CHARACTERS // 1000):
        scene.add(f"{number:01000}")
    scene.outbox.connected(scene.said.append)
    assert await scene.numbers() == ["1"]
    assert "<all/>" in scene.said[0]


async def test_a_beat_says_what_was_last_and_renews_when_it_comes_back(scene: Scene) -> None:
    scene.add("a")
    await scene.numbers()
    scene.now = 101.0
    scene.outbox.beat()
    assert (await scene.numbers())[-1] == "1"
    scene.now = 105.0
    scene.outbox.beat_came_back()
    scene.outbox.beat_came_back()
    assert scene.renewed == [101.0]


class TestResets:
    """Beats tell how often this member has dropped everything, until one has come back."""

    def beats(self, scene: Scene) -> str | None:
        """What a beat tells now."""
        scene.outbox.beat()
        found = re.search(r"resets='(\d+)'", scene.said[-1])
        return found and found[1]

    async def test_a_beat_tells_it_until_one_comes_back(self, scene: Scene) -> None:
        assert self.beats(scene) is None
        scene.outbox.beat_came_back()
        scene.outbox.resets.had = 2
        assert [self.beats(scene), self.beats(scene)] == ["2", "2"]
        assert not scene.outbox.resets.untold
        scene.outbox.beat_came_back()
        assert self.beats(scene) is None

    async def test_a_beat_that_was_lost_told_nothing(self, scene: Scene) -> None:
        scene.outbox.resets.had = 1
        assert self.beats(scene) == "1"
        scene.outbox.disconnected()
        scene.outbox.connected(scene.said.append)
        assert (scene.outbox.resets.untold, scene.outbox.resets.known) == (True, 0)


async def test_own_words_are_those_under_own_names(scene: Scene) -> None:
    epoch = scene.outbox.epoch
    assert scene.outbox.said(Mark("web1", epoch, 1))
    assert not scene.outbox.said(Mark("mallory", epoch, 1))
    assert not scene.outbox.said(Mark("web1", "other", 1))
    assert not scene.outbox.said(None)


async def test_who_waits_when_it_closes_is_told(scene: Scene) -> None:
    published = scene.add("a")
    scene.outbox.close()
    with pytest.raises(BusClosed):
        await published


async def test_a_barrier_is_for_those_that_were_there_when_it_came_back(scene: Scene) -> None:
    for nick in ("web2", "web3", "web4", "web5"):
        scene.company.came(Member(nick, None, 3600.0))
    scene.company.left("web5", peaceful=False)
    batch = scene.outbox.add(Invalidation(keys=frozenset("a")), confirm=True)
    await scene.numbers()
    scene.outbox.came_back(1)
    scene.company.came(Member("web6", None, 3600.0))
    barrier = batch.barriers[1]
    assert barrier.waiting == {"web2", "web3", "web4", "web5"}
    scene.outbox.barriers.done(1, "web2")
    scene.outbox.barriers.done(1, "web6")
    scene.company.left("web3", peaceful=True)
    scene.company.left("web4", peaceful=False)
    assert barrier.waiting == {"web4", "web5"}
    assert barrier.confirmed == {"web2", "web3"}
    scene.outbox.barriers.close(1)


async def test_who_comes_back_is_no_ghost(scene: Scene) -> None:
    scene.company.came(Member("web2", None, 10.0))
    scene.company.left("web2", peaceful=False)
    assert scene.company.ghosts() == {"web2": pytest.approx(scene.now + 10.1)}
    scene.company.came(Member("web2", None, 10.0))
    assert scene.company.ghosts() == {}
    scene.company.left("web2", peaceful=False)
    scene.now += 10.2
    assert scene.company.ghosts() == {}


async def test_who_was_not_seen_leaving_left_at_last_when_we_came_back(scene: Scene) -> None:
    scene.company.came(Member("web2", None, 10.0))
    scene.company.lost_sight()
    scene.now += 60
    assert list(scene.company.ghosts()) == ["web2"]
    scene.company.in_sight()
    assert scene.company.ghosts() == {"web2": pytest.approx(scene.now + 10.1)}


class TestALeaseInABarrier:
    """Who leaves without a word is done when its lease is over, and the room is known to have forgotten nothing."""

    async def test_it_is_over_when_something_comes_back_that_was_sent_after_it(self, scene: Scene) -> None:
        barrier = await asked(scene)
        scene.company.left("web2", peaceful=False)
        self.beat(scene, 10.0)
        assert barrier.waiting == {"web2"}
        self.beat(scene, 0.2)
        assert barrier.confirmed == {"web2"}

    async def test_who_was_lost_sight_of_may_have_renewed_it(self, scene: Scene) -> None:
        barrier = await asked(scene)
        scene.company.left("web2", peaceful=False)
        self.away(scene, 60.0)
        self.beat(scene, 1.0)
        assert barrier.waiting == {"web2"}
        self.beat(scene, 9.2)
        assert barrier.confirmed == {"web2"}

    async def test_who_is_there_afterwards_is_asked_again(self, scene: Scene) -> None:
        barrier = await asked(scene)
        first = scene.said[-1]
        self.away(scene, 60.0, "web2")
        assert scene.said[-1] == first
        self.beat(scene, 60.0)
        assert barrier.waiting == {"web2"}
        scene.outbox.barriers.done(1, "web2")
        assert barrier.confirmed == {"web2"}

    def beat(self, scene: Scene, later: float) -> None:
        scene.now += later
        scene.outbox.beat()
        scene.outbox.beat_came_back()

    def away(self, scene: Scene, seconds: float, *there: str) -> None:
        scene.company.lost_sight()
        scene.outbox.barriers.lost_sight()
        scene.outbox.disconnected()
        scene.now += seconds
        for nick in there:
            scene.company.came(Member(nick, None, 10.0))
        scene.company.in_sight()
        scene.outbox.barriers.in_sight()
        scene.outbox.connected(scene.said.append)


async def asked(scene: Scene) -> Barrier:
    """Something that web2 has to confirm."""
    scene.company.came(Member("web2", None, 10.0))
    batch = scene.outbox.add(Invalidation(keys=frozenset("a")), confirm=True)
    await scene.numbers()
    scene.outbox.came_back(1)
    return batch.barriers[1]
