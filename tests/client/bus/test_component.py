"""The bus as a component of a server that exists already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest

from xmppd.client.bus import BusRefused, Invalidation
from xmppd.client.bus.component import Component, ComponentSettings
from xmppd.client.bus.component.archive import Archive

from .rooms import PATIENCE, Place, Thing, back, component, cut, within
from .servers import COMPONENT, Server

TOKENS = {"open sesame": frozenset({"cache"}), "master": frozenset[str]()}


@pytest.fixture(params=["prosody", "ejabberd"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def running(server: Server) -> AsyncIterator[Component]:
    async with component(server, http=("127.0.0.1", 0), tokens=TOKENS) as made:
        yield made


async def post(running: Component, room: str, body: str, token: str = "open sesame") -> int:
    """The status of a request."""
    url, headers = f"http://127.0.0.1:{running.http_port}/bus/{room}", {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=BytesIO(body.encode()), headers=headers) as answer,
    ):
        return answer.status


async def test_what_is_posted_is_heard(server: Server, running: Component) -> None:
    async with Place(server, "cache", COMPONENT).members("alice") as (alice,):
        heard: asyncio.Queue[Invalidation] = asyncio.Queue()
        alice.on_invalidate(heard.put_nowait)
        assert await post(running, "cache", "user:42\n\n user:43 \n") == 204
        assert (await within(heard.get())).keys == {"user:42", "user:43"}


async def test_who_may_not_post(running: Component) -> None:
    assert await post(running, "cache", "user:42", token="wrong") == 401  # noqa: S106
    assert await post(running, "other", "user:42") == 404
    assert await post(running, "other", "user:42", token="master") == 204  # noqa: S106
    assert await post(running, "cache", "") == 400
    assert await post(running, "cache", "\x01") == 400
    assert await post(running, "cache", "\n".join(map(str, range(10_001)))) == 413
    assert await post(running, "cache", "x" * (1 << 20) + "x") == 413


async def test_a_member_that_was_away_hears_what_was_posted(server: Server, running: Component) -> None:
    changed, kept = Thing(), Thing()
    async with Place(server, "cache", COMPONENT).members("alice") as (alice,):
        cache = alice.cache()
        for warm in ("a", "b", "c"):
            await alice.invalidate(warm)
        await cache.get_or_load("changed", changed.load)
        await cache.get_or_load("kept", kept.load)
        await cut(alice)
        changed.value = 2
        assert await post(running, "cache", "changed") == 204
        await back(alice)
        assert await cache.get_or_load("changed", changed.load) == 2
        assert (kept.loads, alice.stats.resets) == (1, 1)


async def test_a_component_that_was_restarted_knows_nothing(server: Server) -> None:
    thing = Thing()
    async with component(server) as first, Place(server, "cache", COMPONENT).members("alice", beat=0.1) as (alice,):
        cache, reset = alice.cache(), asyncio.Event()
        for warm in ("a", "b", "c"):
            await alice.invalidate(warm)
        await cache.get_or_load("thing", thing.load)
        alice.on_reset(lambda _: reset.set())
        await first.close()
        async with component(server):
            await within(reset.wait())
            await back(alice)
            assert cache.get("thing") is None
            await alice.invalidate("thing", timeout=PATIENCE)


async def test_a_stranger_is_not_let_in(server: Server) -> None:
    async with component(server, allow=frozenset({"bob@localhost"})):
        with pytest.raises(BusRefused, match="forbidden"):
            await Place(server, "cache", COMPONENT).bus("alice").start(PATIENCE)


async def test_a_room_that_there_may_not_be(server: Server) -> None:
    async with component(server, rooms=frozenset({"cache"})):
        bus = Place(server, "other", COMPONENT).bus("alice")
        await bus.start(0.5)
        assert not bus.sure
        await bus.close()


def test_a_component_of_no_domain_says_who_may_enter() -> None:
    with pytest.raises(ValueError, match="allow"):
        ComponentSettings("bus", "secret")


class TestTheArchive:
    """Bounded, and exact about what it knows."""

    def test_the_oldest_goes_first(self) -> None:
        archive = Archive(3)
        ids = [archive.add("a", "x") for _ in range(5)]
        assert [kept.id for kept in archive.after("", 10)[0]] == ids[2:]
        with pytest.raises(KeyError):
            archive.after(ids[1], 10)

    def test_its_size_is_bounded(self) -> None:
        archive = Archive(100, characters=1000)
        for _ in range(10):
            archive.add("a", "x" * 300)
        assert len(archive) == 3
        archive.add("a", "x" * 2000)
        assert len(archive) == 1

    def test_pages(self) -> None:
        archive = Archive()
        ids = [archive.add("a", "x") for _ in range(5)]

        def of(page: tuple[list, bool]) -> tuple[list[str], bool]:  # type: ignore[type-arg]
            return [kept.id for kept in page[0]], page[1]

        assert of(archive.after(ids[0], 2)) == (ids[1:3], False)
        assert of(archive.after(ids[2], 2)) == (ids[3:], True)
        assert of(archive.after(ids[4], 2)) == ([], True)
        assert of(archive.before("", 2)) == (ids[3:], False)
        assert of(archive.before(ids[1], 2)) == (ids[:1], True)

    def test_an_empty_one_knows_nothing(self) -> None:
        assert Archive().after("", 5) == ([], True)
        with pytest.raises(KeyError):
            Archive().after("1-1", 5)
