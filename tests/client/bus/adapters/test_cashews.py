"""cashews' decorators and its memory backend, on the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from .deaf import DeafBus

cashews = pytest.importorskip("cashews")

from xmppd.client.bus.adapters.cashews import use  # noqa: E402


@pytest.fixture
def bus() -> DeafBus:
    return DeafBus()


@pytest.fixture
async def cache(bus: DeafBus) -> AsyncIterator[Any]:
    use(bus)
    cache = cashews.Cache()
    cache.setup("bus://?size=100&check_interval=0")
    yield cache
    await cache.close()


async def test_a_decorated_function(bus: DeafBus, cache: Any) -> None:
    calls = []

    @cache(ttl="1h", key="user:{user_id}")
    async def user(user_id: int) -> int:
        calls.append(user_id)
        if user_id == 13:
            bus.hear("user:13")
        return user_id

    assert [await user(42), await user(42), await user(13), await user(13)] == [42, 42, 13, 13]
    assert calls == [42, 13, 13]
    bus.hear("user:42")
    await user(42)
    assert calls == [42, 13, 13, 42]
    bus.is_sure = False
    await user(42)
    assert calls == [42, 13, 13, 42, 42]


async def test_tags_are_those_of_cashews(bus: DeafBus, cache: Any) -> None:
    calls = []

    @cache(ttl="1h", key="user:{user_id}", tags=["team:{team}"])
    async def user(user_id: int, team: int) -> int:
        calls.append(user_id)
        return user_id

    for user_id, team in ((1, 7), (2, 8)):
        await user(user_id, team)
    bus.hear(tags=["team:7"])
    for user_id, team in ((1, 7), (2, 8)):
        await user(user_id, team)
    assert calls == [1, 2, 1]


async def test_a_tag_lives_as_long_as_what_carries_it(bus: DeafBus, cache: Any) -> None:
    async def put(key: str, tag: str, expire: float) -> None:
        await cache.get(key)
        assert await cache.set(key, "old", expire=expire, tags=[tag])

    await put("user:1", "team:7", 3600)
    for number in range(150):
        assert await cache.get("user:1") == "old"
        await put(f"page:{number}", "team:7" if number < 10 else "other", 1e-9)
    bus.hear(tags=["team:7"])
    assert await cache.get("user:1") is None


async def test_tags_of_entries_that_are_gone_are_forgotten(bus: DeafBus, cache: Any) -> None:
    for number in range(1000):
        await cache.get(f"user:{number}")
        await cache.set(f"user:{number}", 1, expire=60, tags=["all"])
        bus.hear(f"user:{number - 1}")
    (guard,) = bus._guards
    assert len(guard.tagged("all")) <= 64


async def test_cashews_deletes_by_tags_and_keeps_sets(cache: Any) -> None:
    for number in range(150):
        await cache.get(f"user:{number}")
        await cache.set(f"user:{number}", 1, expire=60, tags=["all", "even" if number % 2 == 0 else "odd"])
    await cache.delete("user:149")
    await cache.delete_tags("even")
    assert [await cache.get(f"user:{number}") for number in (146, 147, 148, 149)] == [None, 1, None, None]
    await cache.delete_tags("all")
    assert await cache.get("user:147") is None
    await cache.set_add("colours", "red", "blue", "green")
    await cache.set_remove("colours", "blue")
    assert set(await cache.set_pop("colours", 5)) == {"red", "green"}


async def test_a_set_out_of_the_blue_is_not_kept(cache: Any) -> None:
    await cache.set("user:42", "alice")
    assert await cache.get("user:42") is None
    await cache.set("user:42", "alice", expire=60)
    assert await cache.get("user:42") == "alice"
    assert await cache.get_many("user:42", "x", default=0) == ("alice", 0)
    await cache.set_many({"x": 1})
    assert await cache.get("x") == 1


async def test_locks_are_locks(cache: Any) -> None:
    async with cache.lock("work", expire=10):
        assert await cache.is_locked("work")
    assert not await cache.is_locked("work")
