"""Filling a cache while it is being invalidated: no race leaves an old value."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from xmppd.client.bus import MISSING, Guard
from xmppd.client.bus.asking import MOST_ASKED, asked, given
from xmppd.client.bus.cache import Cache
from xmppd.client.bus.fills import MOST_FILLS, Fill
from xmppd.client.bus.invalidation import EVERYTHING, Invalidation
from xmppd.client.bus.lru import Lru
from xmppd.client.bus.sync_cache import SyncCache

from .rooms import Thing

KEY = Invalidation(keys=frozenset({"user:42"}))
TAG = Invalidation(tags=frozenset({"team:7"}))


class Sure:
    """Whether the member is; a test decides."""

    def __init__(self) -> None:
        self.yes = True

    def __call__(self) -> bool:
        return self.yes


@pytest.fixture
def sure() -> Sure:
    return Sure()


@pytest.fixture
def guard(sure: Sure) -> Guard:
    return Guard(Lru(), sure)


@pytest.fixture
def cache(guard: Guard) -> Cache:
    return Cache(guard)


async def test_a_value_is_loaded_once(cache: Cache) -> None:
    user = Thing()
    assert [await cache.get_or_load("user:42", user.load) for _ in range(3)] == [1, 1, 1]
    assert (user.loads, cache.stats.hits, cache.stats.misses) == (1, 2, 1)


async def test_none_is_a_value(cache: Cache) -> None:
    nothing = Thing(None)
    assert [await cache.get_or_load("user:42", nothing.load) for _ in range(2)] == [None, None]
    assert nothing.loads == 1


@pytest.mark.parametrize("what", [KEY, TAG, EVERYTHING, Invalidation(prefixes=frozenset({"user:"}))])
async def test_a_value_that_was_invalidated_while_it_was_loaded_is_not_cached(cache: Cache, what: Invalidation) -> None:
    user = Thing()
    user.go.clear()
    reading = asyncio.create_task(cache.get_or_load("user:42", user.load, tags=["team:7"]))
    await user.read.wait()
    user.value = 2
    cache.guard.heard(what)
    user.go.set()
    assert await reading == 1
    assert await cache.get_or_load("user:42", user.load) == 2


async def test_tags_that_come_with_the_value_are_not_known_while_it_is_loaded(cache: Cache) -> None:
    user = Thing()
    user.go.clear()
    reading = asyncio.create_task(cache.get_or_load("user:42", user.load, tags=lambda value: [f"team:{value}"]))
    await user.read.wait()
    cache.guard.heard(Invalidation(tags=frozenset({"any"})))
    user.go.set()
    await reading
    assert cache.get("user:42") is None
    await cache.get_or_load("user:42", user.load, tags=lambda value: [f"team:{value}"])
    cache.guard.heard(Invalidation(tags=frozenset({"team:1"})))
    assert cache.get("user:42") is None


async def test_many_who_ask_at_once_share_one_load(cache: Cache) -> None:
    user = Thing()
    values = await asyncio.gather(*(cache.get_or_load("user:42", user.load) for _ in range(50)))
    assert values == [1] * 50
    assert user.loads == 1


async def test_who_asks_after_an_invalidation_gets_a_load_of_his_own(cache: Cache) -> None:
    user = Thing()
    user.go.clear()
    first = asyncio.create_task(cache.get_or_load("user:42", user.load))
    await user.read.wait()
    user.value = 2
    cache.guard.heard(KEY)
    second = asyncio.create_task(cache.get_or_load("user:42", user.load))
    await asyncio.sleep(0)
    user.go.set()
    assert (await first, await second) == (1, 2)
    assert cache.get("user:42") == 2


async def test_who_asks_after_an_invalidation_does_not_get_a_load_that_has_just_ended(cache: Cache) -> None:
    user = Thing()
    user.go.clear()
    first = asyncio.create_task(cache.get_or_load("user:42", user.load))
    await user.read.wait()

    async def invalidated() -> object:
        user.value = 2
        cache.guard.heard(KEY)
        return await cache.get_or_load("user:42", user.load)

    user.go.set()  # the load ends in the next turn of the loop, and before its task is cleared away comes this one
    assert await asyncio.create_task(invalidated()) == 2
    assert await first == 1
    assert cache.get("user:42") == 2


class _Invalidated(Guard):
    """Something changes, is invalidated, and is asked for by another thread, right after a load of it was kept."""

    def __init__(self, user: Thing) -> None:
        super().__init__(Lru(), lambda: True)
        self.asked: Future[object] | None = None
        self.cache = SyncCache(self, lambda: None)
        self._user = user
        self._threads = ThreadPoolExecutor(1)

    def keep(self, fill: Fill, value: object, tags: Iterable[str] | None = None) -> bool:
        kept = super().keep(fill, value, tags)
        if self.asked is None:
            self._user.value = 2
            self.heard(KEY)
            self.asked = self._threads.submit(self.cache.get_or_load, "user:42", lambda: self._user.value)
            wait([self.asked], 0.5)  # it is not done only where it waits for this load
        return kept


def test_a_thread_that_asks_after_an_invalidation_does_not_get_a_load_that_has_just_ended() -> None:
    user = Thing()
    guard = _Invalidated(user)
    assert guard.cache.get_or_load("user:42", lambda: user.value) == 1
    assert guard.asked is not None
    assert guard.asked.result() == 2
    assert guard.cache.get("user:42") == 2


async def test_while_it_is_not_sure_nobody_gets_a_load_that_began_before_he_asked(cache: Cache, sure: Sure) -> None:
    user = Thing()
    sure.yes = False
    user.go.clear()
    first = asyncio.create_task(cache.get_or_load("user:42", user.load))
    await user.read.wait()
    user.value = 2
    others = [asyncio.create_task(cache.get_or_load("user:42", user.load)) for _ in range(10)]
    await asyncio.sleep(0)
    user.go.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 10
    assert user.loads == 2


async def test_what_is_loaded_while_it_is_not_sure_is_not_cached(cache: Cache, sure: Sure) -> None:
    sure.yes = False
    await cache.get_or_load("user:42", Thing().load)
    sure.yes = True
    assert cache.get("user:42") is None


async def test_an_error_of_the_load_is_everybodys_and_is_forgotten(cache: Cache) -> None:
    async def broken() -> None:
        raise LookupError("no such user")

    results = await asyncio.gather(*(cache.get_or_load("user:42", broken) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3
    assert await cache.get_or_load("user:42", lambda: 1) == 1


async def test_who_gives_up_does_not_take_the_load_from_the_others(cache: Cache) -> None:
    user = Thing()
    user.go.clear()
    first = asyncio.create_task(cache.get_or_load("user:42", user.load))
    second = asyncio.create_task(cache.get_or_load("user:42", user.load))
    await user.read.wait()
    first.cancel()
    await asyncio.sleep(0)
    user.go.set()
    assert await second == 1


class TestAskingAndGiving:
    """Caches that are asked first and given the value later."""

    def test_what_was_asked_for_may_be_given_once(self, guard: Guard) -> None:
        asked(guard, "user:42")
        assert given(guard, "user:42")
        assert not given(guard, "user:42")

    def test_what_was_not_asked_for_may_not(self, guard: Guard) -> None:
        assert not given(guard, "user:42")

    def test_what_was_invalidated_in_between_may_not(self, guard: Guard) -> None:
        asked(guard, "user:42")
        guard.heard(KEY)
        assert not given(guard, "user:42")

    async def test_one_task_does_not_give_for_another(self, guard: Guard) -> None:
        asked(guard, "other")
        first_asked, second_asked = asyncio.Event(), asyncio.Event()

        async def first() -> bool:
            asked(guard, "user:42")
            first_asked.set()
            await second_asked.wait()
            return given(guard, "user:42")

        async def second() -> bool:
            await first_asked.wait()
            guard.heard(KEY)
            asked(guard, "user:42")
            second_asked.set()
            return given(guard, "user:42")

        assert await asyncio.gather(first(), second()) == [False, True]

    def test_what_is_asked_for_and_never_given_is_forgotten(self, guard: Guard) -> None:
        for number in range(1000):
            asked(guard, str(number))
        assert not given(guard, "0")
        assert given(guard, "999")
        assert len(guard._fills._all) == MOST_ASKED

    def test_what_is_asked_for_again_and_again_takes_no_place_from_loads(self, guard: Guard) -> None:
        slow = guard.begin("slow", ())
        for number in range(2 * MOST_FILLS):
            asked(guard, str(number % 10))
        assert guard.keep(slow, 1)


def test_loads_under_way_are_bounded(guard: Guard) -> None:
    first = guard.begin("first", ())
    for number in range(MOST_FILLS):
        guard.begin(str(number), ())
    assert not guard.keep(first, 1)


def test_a_store_that_drops_entries_by_itself_leaves_no_tags_behind(sure: Sure) -> None:
    guard = Guard(Lru(10), sure)
    for number in range(1000):
        guard.keep(guard.begin(f"user:{number}", [f"team:{number}"]), number)
    assert len(guard._tags._of) <= 64
    assert guard.look("user:999") == 999
    guard.heard(Invalidation(tags=frozenset({"team:999"})))
    assert guard.look("user:999") is MISSING


def test_an_entry_of_the_lru_has_its_time() -> None:
    now = 0.0
    lru = Lru(2, ttl=10, clock=lambda: now)
    lru["a"] = 1
    now = 9.0
    assert lru["a"] == 1
    now = 10.0
    assert lru.get("a") is None
    assert len(lru) == 0


def test_the_lru_drops_what_was_not_used_for_longest() -> None:
    lru = Lru(2)
    lru["a"], lru["b"] = 1, 2
    assert lru["a"] == 1
    lru["c"] = 3
    assert list(lru) == ["a", "c"]
