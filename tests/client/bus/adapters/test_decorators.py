"""Decorators: one like functools' lru_cache, and cachetools'."""

from __future__ import annotations

import pytest

from xmppd.client.bus.adapters.lru import lru_cache

from .deaf import DeafBus, DeafSyncBus


async def test_a_coroutine_function_is_remembered_until_its_key_is_heard() -> None:
    bus, calls = DeafBus(), []

    @lru_cache(bus, "user:{user_id}", tags=["team:{team}"])
    async def user(user_id: int, team: int = 7) -> int:
        calls.append(user_id)
        return user_id

    assert [await user(42), await user(user_id=42), await user(43, 8)] == [42, 42, 43]
    assert calls == [42, 43]
    bus.hear("user:42")
    assert [await user(42), await user(43, 8)] == [42, 43]
    assert calls == [42, 43, 42]
    bus.hear(tags=["team:8"])
    await user(43, 8)
    assert calls == [42, 43, 42, 43]


def test_a_function_is_remembered_until_its_key_is_heard() -> None:
    bus, calls = DeafSyncBus(), []

    @lru_cache(bus, lambda user_id: f"user:{user_id}", maxsize=2)
    def user(user_id: int) -> int:
        """Who it is."""
        calls.append(user_id)
        return user_id

    assert [user(1), user(1), user(2), user(3), user(1)] == [1, 1, 2, 3, 1]
    assert calls == [1, 2, 3, 1]
    assert user.__doc__ == "Who it is."
    assert user.cache_info() == (1, 4, 2, 2)  # type: ignore[attr-defined]
    user.cache_clear()  # type: ignore[attr-defined]
    user(1)
    assert calls == [1, 2, 3, 1, 1]


def test_a_function_that_is_invalidated_while_it_runs_is_not_remembered() -> None:
    bus = DeafSyncBus()

    @lru_cache(bus, "user:{user_id}")
    def user(user_id: int) -> int:
        bus.hear(f"user:{user_id}")
        return user_id

    user(42)
    assert user.cache_info().currsize == 0  # type: ignore[attr-defined]


def test_a_function_needs_the_right_bus() -> None:
    with pytest.raises(TypeError, match="needs a SyncBus"):

        @lru_cache(DeafBus(), "user")
        def user() -> None: ...


def test_cachetools() -> None:
    cachetools = pytest.importorskip("cachetools")
    from xmppd.client.bus.adapters.cachetools import cached

    bus, calls, now = DeafSyncBus(), [], [0.0]
    cache = cachetools.TTLCache(maxsize=10, ttl=60, timer=lambda: now[0])

    @cached(bus, cache, key="user:{user_id}", tags=["team:7"])
    def user(user_id: int) -> int:
        calls.append(user_id)
        return user_id

    assert [user(1), user(1), user(2)] == [1, 1, 2]
    assert dict(cache) == {"user:1": 1, "user:2": 2}
    bus.hear("user:1", "user:3")
    assert dict(cache) == {"user:2": 2}
    now[0] = 61.0
    user(2)
    assert calls == [1, 2, 2]
    bus.hear(tags=["team:7"])
    assert dict(cache) == {}
    user(1)
    bus.hear(prefixes=["user:"])
    assert dict(cache) == {}
    user(1)
    bus.deaf.is_sure = False
    user(1)
    assert calls == [1, 2, 2, 1, 1, 1]


async def test_cachetools_and_a_coroutine_function() -> None:
    cachetools = pytest.importorskip("cachetools")
    from xmppd.client.bus.adapters.cachetools import cached

    bus, calls = DeafBus(), []

    @cached(bus, cachetools.LFUCache(maxsize=10), key="user:{user_id}")
    async def user(user_id: int) -> int:
        calls.append(user_id)
        return user_id

    await user(1)
    await user(1)
    bus.hear(everything=True)
    await user(1)
    assert calls == [1, 1]


async def test_what_is_too_large_for_the_cache_is_returned_and_not_kept() -> None:
    cachetools = pytest.importorskip("cachetools")
    from xmppd.client.bus.adapters.cachetools import cached

    bus, cache = DeafBus(), cachetools.LRUCache(maxsize=10, getsizeof=len)

    @cached(bus, cache, key="page:{size}")
    async def page(size: int) -> str:
        return "x" * size

    assert [len(await page(size)) for size in (5, 11, 11)] == [5, 11, 11]
    assert dict(cache) == {"page:5": "xxxxx"}
