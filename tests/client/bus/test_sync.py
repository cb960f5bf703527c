"""The synchronous front: the bus on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from xmppd.client.bus import BusClosed, BusRefused, Invalidation, SyncBus
from xmppd.client.bus.sync_cache import SyncCache

from .rooms import PATIENCE, Place


@pytest.fixture
def pair(room: Place) -> Iterator[tuple[SyncBus, SyncBus]]:
    """Two members of one room."""
    with room.sync_bus("alice") as alice, room.sync_bus("bob") as bob:
        assert alice.start(PATIENCE)
        assert bob.start(PATIENCE)
        while "bob" not in alice.members:
            alice.invalidate("a-barrier")
        assert alice.invalidate("a-barrier", confirm=True, timeout=PATIENCE)
        yield alice, bob


def test_an_invalidation_drops_the_entry_everywhere(pair: tuple[SyncBus, SyncBus]) -> None:
    alice, bob = pair
    values = iter(range(10))
    cache = bob.cache()
    assert [cache.get_or_load("user:42", lambda: next(values)) for _ in range(2)] == [0, 0]
    assert alice.invalidate("user:42", confirm=True, timeout=PATIENCE).confirmed == {"bob"}
    assert cache.get_or_load("user:42", lambda: next(values)) == 1


def test_own_caches_drop_at_once(room: Place) -> None:
    with room.sync_bus("alice") as alice:
        alice.start(PATIENCE)
        cache = alice.cache()
        cache.get_or_load("user:42", lambda: 1)
        alice.invalidate("user:42")
        assert cache.get("user:42") is None


def test_the_first_use_starts_it(room: Place) -> None:
    bus = room.sync_bus("alice")
    cache = bus.cache()
    assert cache.get_or_load("user:42", lambda: 1) == 1
    bus.invalidate("user:42", timeout=PATIENCE)
    assert bus.sure
    bus.close()
    with pytest.raises(BusClosed):
        bus.invalidate("user:42")


def test_a_wrong_password_is_told(room: Place) -> None:
    bus = room.sync_bus("alice", password="wrong")  # noqa: S106
    with pytest.raises(BusRefused, match="not-authorized"):
        bus.start(PATIENCE)
    bus.close()


def test_a_listener_may_not_wait_for_the_bus(pair: tuple[SyncBus, SyncBus]) -> None:
    alice, bob = pair
    told: list[type[Exception]] = []
    heard = threading.Event()

    @bob.on_invalidate
    def again(what: Invalidation) -> None:
        if "user:42" in what.keys:
            try:
                bob.invalidate("other")
            except BusClosed as error:
                told.append(type(error))
            heard.set()

    alice.invalidate("user:42")
    assert heard.wait(PATIENCE)
    assert told == [BusClosed]


def test_many_threads_share_one_load(pair: tuple[SyncBus, SyncBus]) -> None:
    cache = pair[0].cache()
    loading, go, loads = threading.Event(), threading.Event(), []

    def load() -> int:
        loads.append(1)
        loading.set()
        go.wait(PATIENCE)
        return 1

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(cache.get_or_load, "user:42", load)]
        assert loading.wait(PATIENCE)
        futures += [pool.submit(cache.get_or_load, "user:42", load) for _ in range(7)]
        go.set()
        assert [future.result() for future in futures] == [1] * 8
    assert len(loads) == 1


def test_who_asks_after_an_invalidation_gets_a_load_of_his_own(pair: tuple[SyncBus, SyncBus]) -> None:
    cache = pair[0].cache()
    loading, go, value = threading.Event(), threading.Event(), [1]

    def load() -> int:
        seen = value[0]
        loading.set()
        go.wait(PATIENCE)
        return seen

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get_or_load, "user:42", load)
        assert loading.wait(PATIENCE)
        value[0] = 2
        pair[0].invalidate("user:42")
        second = pool.submit(cache.get_or_load, "user:42", lambda: value[0])
        assert second.result() == 2
        go.set()
        assert first.result() == 1
    assert cache.get("user:42") == 2


def test_a_load_that_asks_for_itself(pair: tuple[SyncBus, SyncBus]) -> None:
    cache: SyncCache = pair[0].cache()
    with pytest.raises(RuntimeError, match="asks for 'user:42'"):
        cache.get_or_load("user:42", lambda: cache.get_or_load("user:42", lambda: 1))
    assert cache.get_or_load("user:42", lambda: 1) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_is_a_member_of_its_own(room: Place) -> None:
    with room.sync_bus("alice") as alice:
        alice.start(PATIENCE)
        cache = alice.cache()
        cache.get_or_load("user:42", lambda: 1)
        child = os.fork()
        if child == 0:
            os._exit(_in_the_child(alice, cache))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert cache.get("user:42") == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_loads_of_threads_that_it_has_not(room: Place) -> None:
    with room.sync_bus("alice", port=1) as alice, ThreadPoolExecutor(1) as pool:
        cache = alice.cache()
        loading, go = threading.Event(), threading.Event()

        def load() -> int:
            loading.set()
            go.wait(PATIENCE)
            return 1

        first = pool.submit(cache.get_or_load, "user:42", load)
        assert loading.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(0 if cache.get_or_load("user:42", lambda: 2) == 2 and cache._flights == {} else 1)
        go.set()
        assert first.result() == 1
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _in_the_child(alice: SyncBus, cache: SyncCache) -> int:
    """0 where all is right."""
    if alice.sure or cache.get("user:42") is not None:
        return 1
    alice.start(PATIENCE)
    if not alice.sure or alice.name == "alice" or cache.get_or_load("user:42", lambda: 2) != 2:
        return 2
    alice.close()
    return 0


def test_who_waits_for_members_is_told_when_it_is_closed(pair: tuple[SyncBus, SyncBus]) -> None:
    alice, bob = pair
    heard = threading.Event()

    @bob.on_invalidate
    def never_confirms(what: Invalidation) -> None:
        if "user:42" in what.keys:
            heard.set()
            raise ValueError("bob cannot drop it")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(alice.invalidate, "user:42", confirm=True, timeout=3600.0)
        assert heard.wait(PATIENCE)
        alice.close()
        assert waiting.result(PATIENCE).missing == {"bob"}


def test_who_waits_for_the_room_is_told_when_it_is_closed(room: Place) -> None:
    alice = room.sync_bus("alice", port=1)
    alice.awake()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(alice.invalidate, "user:42", timeout=3600.0) for _ in range(8)]
        assert alice._loop is not None
        while len(asyncio.all_tasks(alice._loop)) < 8:
            assert not any(each.done() for each in waiting)
        alice.close()
        assert [type(each.exception(PATIENCE)) for each in waiting] == [BusClosed] * 8
