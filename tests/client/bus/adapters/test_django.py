"""Django's cache framework, on the bus."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from .deaf import DeafSyncBus

django = pytest.importorskip("django")

from django.conf import settings  # noqa: E402
from django.core.cache import CacheHandler  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402

from xmppd.client.bus.adapters import django as adapter  # noqa: E402

_NUMBERS = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def configured() -> None:
    if not settings.configured:
        settings.configure()


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> DeafSyncBus:
    bus = DeafSyncBus()
    monkeypatch.setattr(adapter, "_bus", lambda room, options: bus)
    return bus


@pytest.fixture
def handler(bus: DeafSyncBus) -> CacheHandler:
    room = f"cache{next(_NUMBERS)}@conference.localhost"
    options = {"JID": "web@localhost", "PASSWORD": "secret", "MAX_ENTRIES": 100}
    backend = "xmppd.client.bus.adapters.django.BusCache"
    return CacheHandler({"default": {"BACKEND": backend, "LOCATION": room, "OPTIONS": options}})


@pytest.fixture
def cache(handler: CacheHandler) -> Any:
    return handler["default"]


def test_get_or_set(bus: DeafSyncBus, cache: Any) -> None:
    values = iter(range(10))
    assert [cache.get_or_set("user:42", lambda: next(values)) for _ in range(3)] == [0, 0, 0]
    bus.hear("user:42")
    assert cache.get("user:42", "none") == "none"
    assert [cache.get_or_set("user:42", lambda: next(values)) for _ in range(3)] == [1, 1, 1]
    bus.deaf.is_sure = False
    assert [cache.get_or_set("user:42", lambda: next(values)) for _ in range(2)] == [2, 3]
    assert "user:42" not in cache


def test_a_value_that_is_invalidated_while_it_is_loaded(bus: DeafSyncBus, cache: Any) -> None:
    def load() -> str:
        bus.hear("user:42")
        return "old"

    assert cache.get_or_set("user:42", load) == "old"
    assert cache.get("user:42") is None


def test_a_set_out_of_the_blue_is_not_kept(cache: Any) -> None:
    cache.set("user:42", "alice")
    assert cache.get("user:42") is None
    cache.set("user:42", "alice", timeout=60)
    assert cache.get("user:42") == "alice"


def test_delete_and_clear_tell_everybody(bus: DeafSyncBus, cache: Any) -> None:
    for key in ("a", "b", "c", "d"):
        cache.get_or_set(key, key)
    assert cache.delete("a")
    cache.delete_many(["b", "c"])
    assert cache.get_many("abcd") == {"d": "d"}
    cache.clear()
    assert cache.get("d") is None
    assert bus.published == ["a", "b", "c", "everything"]


def test_prefixes(bus: DeafSyncBus, cache: Any) -> None:
    for key in ("img/a", "img/b", "user:1"):
        cache.get_or_set(key, key)
    bus.hear(prefixes=["img/"])
    assert cache.get_many(["img/a", "img/b", "user:1"]) == {"user:1": "user:1"}


def test_all_threads_have_the_same_entries_and_hear_the_same(bus: DeafSyncBus, handler: CacheHandler) -> None:
    handler["default"].get_or_set("user:42", "alice")
    seen: list[object] = []

    def other() -> None:
        cache = handler["default"]
        seen.append(cache.get("user:42"))
        bus.hear("user:42")
        seen.append(cache.get("user:42"))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == ["alice", None]
    assert handler["default"].get("user:42") is None
    assert len(bus.deaf._guards) == 1


def test_another_version_is_not_cached(cache: Any) -> None:
    assert cache.get_or_set("user:42", "alice", version=2) == "alice"
    assert cache.get("user:42", version=2) is None


def test_it_is_no_counter(cache: Any) -> None:
    with pytest.raises(NotImplementedError):
        cache.incr("visits")


def test_settings_that_do_not_do(bus: DeafSyncBus) -> None:
    for wrong in ({"OPTIONS": {}}, {"OPTIONS": {"JID": "a@b", "PASSWORD": "c"}, "KEY_FUNCTION": str}):
        with pytest.raises(ImproperlyConfigured):
            adapter.BusCache("cache@conference.localhost", wrong)
