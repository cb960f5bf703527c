"""Members of one room, on every kind of server: what the bus promises."""

from __future__ import annotations

import asyncio

import pytest

from xmppd.client.bus import Bus, BusRefused, Invalidation, NotPublished

from .rooms import PATIENCE, Place, Thing, back, cut, within


async def test_an_invalidation_drops_the_entry_everywhere(place: Place) -> None:
    user = Thing()
    async with place.members("alice", "bob") as (alice, bob):
        cache = bob.cache()
        assert await cache.get_or_load("user:42", user.load) == 1
        user.value = 2
        assert await cache.get_or_load("user:42", user.load) == 1
        await alice.invalidate("user:42", confirm=True)
        assert await cache.get_or_load("user:42", user.load) == 2
        assert user.loads == 2


async def test_tags_prefixes_and_everything(place: Place) -> None:
    async with place.members("alice", "bob") as (alice, bob):
        cache = bob.cache()
        keys = ["user:1", "user:2", "img/a", "other"]

        async def here() -> list[str]:
            found = [key for key in keys if cache.get(key) is not None]
            for key in keys:
                await cache.get_or_load(key, lambda: 1, tags=["team:7"] if key == "user:1" else [])
            return found

        await here()
        await alice.invalidate(tags=["team:7"], confirm=True)
        assert await here() == ["user:2", "img/a", "other"]
        await alice.invalidate(prefixes=["img/"], confirm=True)
        assert await here() == ["user:1", "user:2", "other"]
        await alice.invalidate("user:1", "user:2", confirm=True)
        assert await here() == ["img/a", "other"]
        await alice.invalidate(everything=True, confirm=True)
        assert await here() == []


async def test_what_many_publish_at_once_is_few_messages(place: Place) -> None:
    async with place.members("alice", "bob") as (alice, bob):
        heard: list[Invalidation] = []
        bob.on_invalidate(heard.append)
        ids = [f"user:{number}" for number in range(2000)]
        await asyncio.gather(*(alice.invalidate(each) for each in ids))
        await alice.invalidate("the-last", confirm=True)
        assert frozenset().union(*(what.keys for what in heard)) == {*ids, "the-last"}
        assert len(heard) <= 8


async def test_a_barrier_names_who_does_not_answer(place: Place) -> None:
    async with place.members("alice", "bob", "carol") as (alice, bob, _):

        @bob.on_invalidate
        def broken(what: Invalidation) -> None:
            if "user:42" in what.keys:
                raise RuntimeError("bob cannot drop it")

        receipt = await alice.invalidate("user:42", confirm=True, timeout=0.3)
        assert not receipt
        assert (receipt.confirmed, receipt.missing) == ({"carol"}, {"bob"})


async def test_who_leaves_in_peace_is_not_waited_for(place: Place) -> None:
    async with place.members("alice", "bob", "carol") as (alice, bob, _):
        await bob.close()
        receipt = await alice.invalidate("user:42", confirm=True)
        assert receipt.confirmed >= {"carol"}
        assert not receipt.missing


async def test_who_vanishes_is_waited_for_until_its_lease_is_over(place: Place) -> None:
    async with place.members("alice", "bob", beat=0.05, lease=0.5) as (alice, bob):
        await vanish(bob)
        assert (await alice.invalidate("user:42", confirm=True, timeout=20)).confirmed == {"bob"}
        assert not bob.sure


async def test_whose_answer_is_lost_is_asked_again(place: Place) -> None:
    async with place.members("alice", "bob", lease=3600.0) as (alice, bob):
        assert bob._running is not None
        assert bob._running.room is not None
        lost, link = asyncio.Event(), bob._running.room.link
        say = link.say
        link.say = lambda text: say(text) if "<done" not in text else lost.set()  # type: ignore[method-assign]
        confirmed = asyncio.create_task(alice.invalidate("user:42", confirm=True, timeout=PATIENCE))
        await within(lost.wait())
        link.say = say  # type: ignore[method-assign]
        await cut(alice)
        assert (await confirmed).confirmed == {"bob"}


async def test_who_vanishes_is_named(place: Place) -> None:
    async with place.members("alice", "bob", lease=60) as (alice, bob):
        await vanish(bob)
        assert (await alice.invalidate("user:42", confirm=True, timeout=1)).missing == {"bob"}


async def vanish(bus: Bus) -> None:
    """Its process is gone, as far as the room knows."""
    assert bus._task is not None
    bus._task.cancel()
    await asyncio.wait({bus._task})


async def test_a_member_catches_up_from_the_archive(place: Place) -> None:
    kept, changed = Thing(), Thing()
    async with place.members("alice", "bob") as (alice, bob):
        cache = bob.cache()
        for warm in ("a", "b", "c"):
            await alice.invalidate(warm, confirm=True)
        await cache.get_or_load("kept", kept.load)
        await cache.get_or_load("changed", changed.load)
        await cut(bob)
        changed.value = 2
        await alice.invalidate("changed", confirm=True, timeout=20)
        await back(bob)
        assert await cache.get_or_load("changed", changed.load) == 2
        assert await cache.get_or_load("kept", kept.load) == 1
        assert (kept.loads, bob.stats.catch_ups, bob.stats.resets) == (1, 1, 1)


async def test_a_hole_is_found_and_filled(place: Place) -> None:
    changed = Thing()
    async with place.members("alice", "bob", beat=0.2) as (alice, bob):
        cache = bob.cache()
        for warm in ("a", "b", "c"):
            await alice.invalidate(warm, confirm=True)
        await cache.get_or_load("changed", changed.load)
        assert bob._running is not None
        hearing = bob._running._hearing
        heard, hearing.heard = hearing.heard, lambda _: None  # type: ignore[method-assign]
        changed.value = 2
        await alice.invalidate("changed")
        await alice.invalidate("changed", confirm=True, timeout=0.1)
        hearing.heard = heard  # type: ignore[method-assign]
        found = asyncio.Event()
        bob.on_invalidate(lambda what: found.set() if "changed" in what.keys else None)
        await within(found.wait())
        await alice.invalidate("after", confirm=True)
        assert await cache.get_or_load("changed", changed.load) == 2
        assert (bob.stats.holes, bob.stats.resets) == (1, 1)


async def test_nothing_is_served_while_out_of_the_room(place: Place) -> None:
    user = Thing()
    async with place.members("alice", patience=5) as (alice,):
        cache = alice.cache()
        await cache.get_or_load("user:42", user.load)
        await cut(alice)
        assert cache.get("user:42") is None
        assert await cache.get_or_load("user:42", user.load) == 1
        assert user.loads == 2
        await back(alice)


async def test_what_is_published_while_out_of_the_room_is_published_later(place: Place) -> None:
    async with place.members("alice", "bob") as (alice, bob):
        heard = asyncio.Event()
        bob.on_invalidate(lambda what: heard.set() if "late" in what.keys else None)
        await cut(alice)
        with pytest.raises(NotPublished):
            await alice.invalidate("late", timeout=0)
        await within(heard.wait())


async def test_two_of_one_name_part(place: Place) -> None:
    async with place.members("alice") as (alice,):
        other = place.bus("bob", name="alice")
        try:
            await other.start(30)
            assert other.name.startswith("alice-")
            assert alice.name == "alice"
        finally:
            await other.close()


async def test_a_wrong_password_is_told(place: Place) -> None:
    bus = place.bus("alice", password="wrong")  # noqa: S106
    with pytest.raises(BusRefused, match="not-authorized"):
        await bus.start(30)
