"""dogpile.cache's regions, on the bus."""

from __future__ import annotations

from typing import Any

import pytest

from .deaf import DeafSyncBus

dogpile = pytest.importorskip("dogpile.cache")

import xmppd.client.bus.adapters.dogpile  # noqa: E402, F401


@pytest.fixture
def bus() -> DeafSyncBus:
    return DeafSyncBus()


@pytest.fixture
def region(bus: DeafSyncBus) -> Any:
    return dogpile.make_region().configure("xmppd.bus", arguments={"bus": bus})


def test_get_or_create(bus: DeafSyncBus, region: Any) -> None:
    values = iter(range(10))
    assert [region.get_or_create("user:42", lambda: next(values)) for _ in range(3)] == [0, 0, 0]
    bus.hear("user:42")
    assert [region.get_or_create("user:42", lambda: next(values)) for _ in range(3)] == [1, 1, 1]
    bus.deaf.is_sure = False
    assert [region.get_or_create("user:42", lambda: next(values)) for _ in range(2)] == [2, 3]


def test_a_value_that_is_invalidated_while_it_is_created(bus: DeafSyncBus, region: Any) -> None:
    def create() -> str:
        bus.hear("user:42")
        return "old"

    assert region.get_or_create("user:42", create) == "old"
    assert region.get("user:42") is dogpile.api.NO_VALUE


def test_a_value_that_is_too_old_for_the_region_is_created_anew(bus: DeafSyncBus, region: Any) -> None:
    values = iter(range(10))
    for _ in range(2):
        region.get_or_create("user:42", lambda: next(values))
    region.invalidate(hard=True)
    assert [region.get_or_create("user:42", lambda: next(values)) for _ in range(3)] == [1, 1, 1]


def test_a_decorated_function(bus: DeafSyncBus, region: Any) -> None:
    calls = []

    @region.cache_on_arguments(namespace="n", function_key_generator=lambda n, f, **_: lambda key: f"{n}:{key}")
    def thing(key: str) -> str:
        calls.append(key)
        return key

    for _ in range(2):
        thing("a")
    bus.hear("n:a")
    thing("a")
    assert calls == ["a", "a"]


def test_many_and_delete(bus: DeafSyncBus, region: Any) -> None:
    assert region.get_or_create_multi(["a", "b"], lambda *keys: [key.upper() for key in keys]) == ["A", "B"]
    assert region.get_multi(["a", "b"]) == ["A", "B"]
    region.delete("a")
    region.delete_multi(["b"])
    assert region.get_multi(["a", "b"]) == [dogpile.api.NO_VALUE] * 2
