"""The bus as a component of a server that exists already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from xml.etree.ElementTree import fromstring

import aiohttp
import pytest

from xmppd.client.bus import BusRefused, Invalidation
from xmppd.client.bus.component import Component, ComponentSettings
from xmppd.client.bus.component.archive import Archive
from xmppd.client.bus.component.reception import Reception
from xmppd.client.bus.component.settings import MOST_ROOMS
from xmppd.client.bus.component.words import ACCEPT

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


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": "Bearer s\udcffsame"}, b"user:42", 401),
        ({"Content-Type": "text/plain; charset=no-such"}, "\u00e4".encode(), 204),
        ({}, b"\xff", 400),
    ],
)
async def test_odd_bytes_are_answered(running: Component, headers: dict[str, str], body: bytes, status: int) -> None:
    given = {"Authorization": "Bearer master"} | headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", running.http_port)
    head = f"POST /bus/cache HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
    writer.write(head.encode(errors="surrogateescape") + body)
    assert (await within(reader.readline())).split()[1] == str(status).encode()
    writer.close()
    await writer.wait_closed()


async def test_a_room_is_named_as_addresses_have_it(server: Server, running: Component) -> None:
    async with Place(server, "cache", COMPONENT).members("alice") as (alice,):
        heard = asyncio.Event()
        alice.on_invalidate(lambda _: heard.set())
        assert await post(running, "CACHE", "user:42") == 204
        await within(heard.wait())
    for name in ("a'b", "a%20b", "a@b", "a%2Fb", "%3Croom%2F%3E"):
        assert await post(running, name, "user:42", token="master") == 404, name  # noqa: S106
    assert list(running.rooms) == ["cache"]


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


def test_rooms_that_there_may_be_are_named_as_addresses_have_them() -> None:
    assert ComponentSettings("bus.localhost", "secret", rooms=frozenset({"Cache"})).room_allowed("cache")
    with pytest.raises(ValueError, match="before the @"):
        ComponentSettings("bus.localhost", "secret", rooms=frozenset({"a b"}))


class TestRooms:
    """There are only so many at once."""

    def reception(self) -> Reception:
        return Reception(ComponentSettings("bus.localhost", "secret"), lambda _: None)

    def comes(self, reception: Reception, room: str, kind: str = "") -> None:
        inside = "<x xmlns='http://jabber.org/protocol/muc'/>"
        addresses = f"from='alice@localhost/x' to='{room}@bus.localhost/alice'"
        reception.take(fromstring(f"<presence xmlns='{ACCEPT}' {addresses} {kind}>{inside}</presence>"))

    def test_one_that_nobody_is_in_makes_way(self) -> None:
        reception = self.reception()
        for number in range(MOST_ROOMS):
            self.comes(reception, f"room{number}")
        self.comes(reception, "more")
        assert "more" not in reception.rooms
        self.comes(reception, "room7", "type='unavailable'")
        self.comes(reception, "more")
        assert "room7" not in reception.rooms
        assert len(reception.rooms["more"]) == 1
        assert len(reception.rooms) == MOST_ROOMS

    async def test_a_beat_in_one_that_made_way(self) -> None:
        made = Component(ComponentSettings("bus.localhost", "secret"))
        made.connected.set()
        assert made.publish("cache", Invalidation(keys=frozenset({"user:42"})))
        (timer,) = made._beats.values()
        timer.cancel()
        del made.rooms["cache"]
        made._beat("cache")
        assert made._beats == {}


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
