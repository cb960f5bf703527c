"""The invalidation bus on the server: what is published over HTTP reaches members of the real client, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lxml import etree

from tests.client.people import until
from tests.clients.servers import free_ports
from tests.extensions.buses import (
    BUS,
    CONFIRM,
    NS_BUS,
    OTHER,
    PATIENCE,
    ROOM,
    TOKEN,
    a_server,
    archived,
    asking,
    figure,
    members,
    post,
    said_in,
    silent_member,
    told,
    watcher,
)
from tests.kit.world import World
from xmppd.xmpp.errors import StanzaError

GROUPCHAT = "c:message[@type='groupchat']"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_server() as world:
        yield world


# Publishing


async def test_what_is_posted_reaches_every_cache(world: World) -> None:
    async with members(world, "web1", "web2") as buses:
        caches = [bus.cache() for bus in buses]
        for cache in caches:
            for key in ("user:42", "user:43", "user:44"):
                await cache.get_or_load(key, lambda: 1)
        assert (await told(world, "user:42\nuser:43\n", CONFIRM))["missing"] == []
        for cache in caches:
            assert [cache.get(key) for key in ("user:42", "user:43", "user:44")] == [None, None, 1]


async def test_the_message_is_the_rooms_own(world: World) -> None:
    bob = await watcher(world)
    answer = await post(world, "user:42\na<b\n")
    message = await bob.receives(GROUPCHAT)
    assert message.get("from") == ROOM
    assert message.findtext("{jabber:client}body") == "user:42\na<b"
    said = said_in(message)
    assert [key.text for key in said] == ["user:42", "a<b"]
    assert (said.get("origin"), said.get("seq"), said.get("confirm")) == (ROOM, "1", None)
    stamp = message.find("{urn:xmpp:sid:0}stanza-id")
    assert stamp is not None
    assert (answer.status, answer.body.decode()) == (200, f"{stamp.get('id')}\n")


async def test_it_is_archived_when_it_is_answered(world: World) -> None:
    id = (await post(world, "user:42")).body.decode().strip()
    assert await archived(await watcher(world)) == [(id, "user:42")]


async def test_numbers_grow_by_one_in_each_room(world: World) -> None:
    bob = await watcher(world)
    for path, token in (("/bus/cache", TOKEN), ("/bus/other", OTHER), ("/bus/cache", TOKEN)):
        assert (await post(world, "a", path, token)).status == 200
    marks = [said_in(await bob.receives(GROUPCHAT)) for _ in range(2)]
    assert [mark.get("seq") for mark in marks] == ["1", "2"]
    assert marks[0].get("epoch") == marks[1].get("epoch")


async def test_many_ids_become_messages_that_any_server_takes(world: World) -> None:
    async with members(world, "web1") as (bus,):
        heard: list[str] = []
        bus.on_invalidate(lambda what: heard.extend(what.keys))
        keys = [f"key:{number}" for number in range(1200)]
        answer = await told(world, "\n".join(keys), CONFIRM)
        assert len(answer["ids"]) == 3
        assert answer["confirmed"] == ["web1"]
        assert sorted(heard) == sorted(keys)


@pytest.mark.parametrize("letter", ["a", "&", "\u00e4", "\U0001f600"])
async def test_no_message_is_longer_than_any_server_takes(world: World, letter: str) -> None:
    bob = await watcher(world)
    await post(world, "\n".join(letter * 500 + str(number) for number in range(100)))
    messages = await bob.pending()
    assert len(messages) > 2
    assert max(len(etree.tostring(message, encoding="utf-8")) for message in messages) < 65_536


async def test_those_that_publish_at_once_are_all_heard_and_nothing_is_missing(world: World) -> None:
    async with members(world, "web1") as (bus,):
        heard: set[str] = set()
        bus.on_invalidate(lambda what: heard.update(what.keys))
        await asyncio.gather(*(post(world, f"key:{number}") for number in range(20)))
        await told(world, "last", CONFIRM)
        assert heard >= {f"key:{number}" for number in range(20)}
        assert bus.stats.holes == 0


# The barrier


async def test_with_confirm_it_waits_until_members_are_done(world: World) -> None:
    await watcher(world)
    async with members(world, "web1", "web2"):
        answer = await told(world, "user:42", CONFIRM)
        assert answer["confirmed"] == ["web1", "web2"]  # who watches is not waited for
        assert answer["missing"] == []
    assert figure(world, "barriers_count") == 1


async def test_who_does_not_confirm_in_time_is_named(world: World) -> None:
    async with members(world, "web1", "web2") as (_, second):

        @second.on_invalidate
        def fails(_: object) -> None:
            if second.sure:
                raise ValueError("this cache is broken")

        answer = await post(world, "user:42", "/bus/cache?confirm=1&timeout=0.5")
        assert answer.status == 200
        assert answer.body.decode().splitlines()[1:] == ["missing web2"]
        second._listeners.clear()
    assert figure(world, "unconfirmed_total") == 1


async def test_nobody_is_waited_for_in_an_empty_room(world: World) -> None:
    answer = await told(world, "user:42", CONFIRM)
    assert (answer["confirmed"], answer["missing"]) == ([], [])


async def test_who_left_in_peace_serves_nothing_and_is_not_waited_for(world: World) -> None:
    async with members(world, "web1", "web2") as (_, second):
        await second.close()
        assert (await told(world, "user:42", CONFIRM))["confirmed"] == ["web1"]


async def test_who_was_cut_off_may_serve_until_its_lease_is_over(world: World) -> None:
    await (await silent_member(world)).close()
    for seconds in (0, 7.05):  # the clock of a member with a lease of seven may run slower
        await world.advance(seconds)
        assert (await told(world, "user:42", "/bus/cache?confirm=1&timeout=0.1"))["missing"] == ["web9"]
    await world.advance(1)
    assert (await told(world, "user:42", "/bus/cache?confirm=1&timeout=0.1"))["missing"] == []


async def test_a_lease_that_ends_meanwhile_ends_the_waiting(world: World) -> None:
    web9 = await silent_member(world)
    waiting = asking(world, "user:42")
    await web9.receives(GROUPCHAT)
    web9.send(f"<presence to='{ROOM}/web9' type='unavailable'/>")
    await web9.ping()
    assert not waiting.done()
    await world.advance(8)
    assert (await waiting)["confirmed"] == ["web9"]


async def test_leaving_in_peace_ends_the_waiting(world: World) -> None:
    web9 = await silent_member(world)
    waiting = asking(world, "user:42")
    await web9.receives(GROUPCHAT)
    peace = f"<member xmlns='{NS_BUS}' left='true'/>"
    web9.send(f"<presence to='{ROOM}/web9' type='unavailable'>{peace}</presence>")
    assert (await waiting)["confirmed"] == ["web9"]


@pytest.mark.parametrize(
    ("done", "confirms"),
    [
        ("epoch='{epoch}' seq='1'", True),
        ("epoch='another' seq='1'", False),
        ("epoch='{epoch}' seq='2'", False),
        ("epoch='{epoch}' seq='-1'", False),
        ("epoch='{epoch}'", False),
        ("", False),
    ],
)
async def test_only_what_was_said_is_confirmed(world: World, done: str, confirms: bool) -> None:
    web9 = await silent_member(world)
    waiting = asking(world, "user:42", 1.0)
    said = said_in(await web9.receives(GROUPCHAT))
    assert said.get("confirm") == "true"
    mark = done.format(epoch=said.get("epoch"))
    web9.send(f"<message type='chat' to='{ROOM}'><done xmlns='{NS_BUS}' {mark}/></message>")
    assert (await waiting)["missing"] == ([] if confirms else ["web9"])


async def test_a_stranger_confirms_nothing(world: World) -> None:
    eve = await world.session("eve/phone")
    eve.send(f"<message type='chat' id='d1' to='{ROOM}'><done xmlns='{NS_BUS}' epoch='e' seq='1'/></message>")
    assert (await eve.receives("c:message[@type='error']")).get("id") == "d1"


# Holes


async def test_a_beat_shows_the_last_number_after_some_silence(world: World) -> None:
    web9 = await silent_member(world)
    await post(world, "user:42")
    await web9.receives(GROUPCHAT)
    await world.advance(3)
    beat = said_in(await web9.receives(GROUPCHAT))
    assert beat.tag == f"{{{NS_BUS}}}beat"
    assert (beat.get("origin"), beat.get("seq")) == (ROOM, "1")


async def test_beats_are_not_archived(world: World) -> None:
    web9 = await silent_member(world)
    await post(world, "user:42")
    await world.advance(3)
    assert [body for _, body in await archived(web9)] == ["user:42"]


async def test_nobody_beats_for_people(world: World) -> None:
    bob = await watcher(world)
    await world.advance(10)
    await bob.receives_nothing()


async def test_a_lost_message_is_noticed_by_its_number(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await told(world, "a", CONFIRM)
        world.module(BUS).rooms["cache"].seq += 1
        await told(world, "b", CONFIRM)
        assert bus.stats.holes == 1


async def test_a_number_that_was_said_is_not_said_again(world: World) -> None:
    async with members(world, "web1") as (bus,):
        service = world.module(BUS).rooms_service
        say = service.say

        async def breaks(*message: object) -> None:
            await say(*message)
            raise StanzaError("internal-server-error")

        service.say = breaks
        assert (await post(world, "a")).status == 500
        service.say = say
        bob = await watcher(world)
        await told(world, "b", CONFIRM)
        assert said_in(await bob.receives(GROUPCHAT)).get("seq") == "2"
        assert bus.stats.holes == 0


async def test_a_new_epoch_that_does_not_begin_with_one_is_a_hole(world: World) -> None:
    async with members(world, "web1") as (bus,):
        await told(world, "a", CONFIRM)
        room = world.module(BUS).rooms["cache"]
        room.epoch, room.seq = "another", 1
        await told(world, "b", CONFIRM)
        assert bus.stats.holes == 1


async def test_what_is_said_before_members_are_back_after_a_restart_reaches_them(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with a_server(tmp_path, port) as world:
        context = members(world, "web1")
        (bus,) = await context.__aenter__()
        cache = bus.cache()
        await cache.get_or_load("user:42", lambda: 1)
        await cache.get_or_load("user:43", lambda: 1)
        before = said_epoch(world)
        for key in ("user:1", "user:2"):
            await told(world, key, CONFIRM)
    try:
        await until(lambda: not bus.sure)
        async with a_server(tmp_path, port) as world:
            assert said_epoch(world) != before
            await told(world, "user:42")
            assert await bus.entered(PATIENCE)
            assert (cache.get("user:42"), cache.get("user:43")) == (None, 1)
            await told(world, "user:43", "/bus/cache?confirm=1&timeout=0.5")
            assert cache.get("user:43") is None
            assert bus.stats.resets == 1  # when it was new
    finally:
        await context.__aexit__(None, None, None)


def said_epoch(world: World) -> str:
    epoch: str = world.module(BUS).rooms["cache"].epoch
    return epoch


async def test_after_a_start_members_of_before_may_serve_for_a_lease(tmp_path: Path) -> None:
    quick = "/bus/cache?confirm=1&timeout=0.1"
    async with a_server(tmp_path) as world:
        assert (await told(world, "a", quick))["missing"] == []
    async with a_server(tmp_path) as world:
        assert (await told(world, "a", quick))["missing"] == ["(before the server's start)"]
        await world.advance(11)
        assert (await told(world, "a", quick))["missing"] == []


# Figures


async def test_members_invalidations_and_copies_are_counted(world: World) -> None:
    bob = await watcher(world)
    async with members(world, "web1") as (bus,):
        await bus.invalidate("a")
        bob.send(f"<message type='groupchat' to='{ROOM}'><body>b</body></message>")
        await bob.ping()
        await post(world, "c")
        assert figure(world, "published_total") == 3
        assert figure(world, "delivered_total") == 6
        assert figure(world, "members") == 1


async def test_barriers_of_members_are_timed(world: World) -> None:
    async with members(world, "web1", "web2", "web3") as (bus, *_):
        while len(bus.members) < 2:
            await bus.invalidate("a-barrier")
        assert await bus.invalidate("a", confirm=True, timeout=PATIENCE)
        assert figure(world, "barriers_count") == 1
