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
