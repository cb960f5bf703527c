"""aiocache's decorators and its memory cache, on the bus."""

from __future__ import annotations

import asyncio

import pytest

from .deaf import DeafBus

aiocache = pytest.importorskip("aiocache")

from xmppd.client.bus.adapters.aiocache import BusMemoryCache  # noqa: E402


def decorated(bus: DeafBus, calls: list[int], **options: object) -> tuple[object, BusMemoryCache]:
    """A function under aiocache's own decorator."""
    cache = BusMemoryCache(bus, **options)
    decorator = aiocache.cached(key_builder=lambda _, user_id: f"user:{user_id}")

    async def user(user_id: int) -> int:
        calls.append(user_id)
        if user_id == 13:
            bus.hear("user:13")
        return user_id

    wrapped = decorator(user)
    decorator.cache = cache
    return wrapped, cache


async def test_a_decorated_function() -> None:
    bus, calls = DeafBus(), []
    user, _ = decorated(bus, calls)
    assert [await user(42), await user(42)] == [42, 42]
    bus.hear("user:42")
    await user(42)
    assert calls == [42, 42]


async def test_a_value_that_is_invalidated_while_it_is_loaded() -> None:
    bus, calls = DeafBus(), []
    user, _ = decorated(bus, calls)
    assert [await user(13), await user(13)] == [13, 13]
    assert calls == [13, 13]


async def test_nothing_is_served_while_the_bus_is_not_sure() -> None:
    bus, calls = DeafBus(), []
    user, cache = decorated(bus, calls)
    await user(42)
    bus.is_sure = False
    await user(42)
    assert not await cache.exists("user:42")
    bus.is_sure = True
    await user(42)
    assert calls == [42, 42]


async def test_get_and_set_in_one_task() -> None:
    bus = DeafBus()
    cache = BusMemoryCache(bus, namespace="app:")
    assert await cache.get("user:42", "none") == "none"
    await cache.set("user:42", "alice", ttl=60)
    assert await cache.get("user:42") == "alice"
    bus.hear("app:user:42")
    assert await cache.get("user:42") is None
    assert await cache.multi_get(["a", "b"]) == [None, None]
    await cache.multi_set([("a", 1), ("b", 2)])
    assert await cache.multi_get(["a", "b"]) == [1, 2]
    bus.hear(everything=True)
    assert await cache.multi_get(["a", "b"]) == [None, None]


async def test_what_is_invalidated_leaves_no_timer_behind() -> None:
    bus = DeafBus()
    cache = BusMemoryCache(bus)
    for key in ("a", "b", "c", "d"):
        await cache.get(key)
        await cache.set(key, key, ttl=60)
    timers = list(cache._handlers.values())
    bus.hear("a", "b")
    assert list(cache._handlers) == ["c", "d"]
    assert await cache.delete("c") == 1
    bus.hear(everything=True)
    assert cache._handlers == {}
    assert all(timer.cancelled() for timer in timers)


async def test_a_set_out_of_the_blue_is_not_kept() -> None:
    cache = BusMemoryCache(DeafBus())
    await cache.set("user:42", "alice")
    assert await cache.get("user:42") is None


async def test_two_tasks_do_not_mix() -> None:
    """One reads before the change, one after; the old value comes last."""
    bus = DeafBus()
    cache = BusMemoryCache(bus)
    value, both = ["old"], asyncio.Barrier(2)

    async def read() -> None:
        await cache.get("user:42")
        seen = value[0]
        await both.wait()
        bus.hear("user:42")
        await both.wait()
        await both.wait()
        await cache.set("user:42", seen)

    async def read_later() -> None:
        await both.wait()
        value[0] = "new"
        await both.wait()
        await cache.get("user:42")
        await cache.set("user:42", value[0])
        await both.wait()

    await asyncio.gather(read(), read_later())
    assert await cache.get("user:42") == "new"


async def test_it_is_no_counter() -> None:
    with pytest.raises(NotImplementedError):
        await BusMemoryCache(DeafBus()).increment("visits")


async def test_delete_and_clear() -> None:
    cache = BusMemoryCache(DeafBus())
    for key in ("a", "b", "c"):
        await cache.get(key)
        await cache.set(key, key)
    assert await cache.delete("a") == 1
    assert await cache.get("a") is None
    await cache.clear()
    assert await cache.multi_get(["b", "c"]) == [None, None]
    await cache.set("b", 1)
    assert await cache.get("b") == 1
