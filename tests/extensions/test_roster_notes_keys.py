"""The keys of roster notes: their ring, and how they change under a running server."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.extensions.noting import EXTENSION, RIOT, SUMMONER, a_world_with_notes, notes, put, records
from tests.kit.world import World
from tests.storage.conftest import url
from xmppd.commands import CommandError, Progress
from xmppd.config import ConfigError
from xmppd.extensions.roster_notes import rotation, tables
from xmppd.extensions.roster_notes.keyring import Keyring, Unreadable
from xmppd.storage import StorageError

__all__ = ["url"]

SECRET = "ab" * 32
RING: dict[str, Any] = {"current": "11" * 8, "retiring": False, "keys": {"11" * 8: SECRET}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world_with_notes(tmp_path) as made:
        yield made


def ring_in(folder: Path, host: str = "localhost") -> Path:
    return folder / f"roster_notes-{host}.keys"


def kept(folder: Path) -> dict[str, Any]:
    """What the key ring's file holds."""
    found = json.loads(ring_in(folder).read_text())
    assert isinstance(found, dict)
    return found


async def keys_in_use(world: World) -> set[str]:
    return {record[1:9].hex() for _, _, record in await records(world)}


async def write_notes(world: World, many: int, account: str = "alice") -> None:
    """Notes on as many contacts, straight into the database."""
    ring, owner = world.module(EXTENSION).ring, f"{account}@localhost"
    insert = "INSERT INTO roster_notes (account, contact, record) VALUES (?, ?, ?)"
    rows = [(owner, contact, ring.seal(owner, contact, RIOT)) for contact in (f"c{at}@x" for at in range(many))]
    await world.server.house.storage.write(*((insert, row) for row in rows))


async def rotate(world: World, *arguments: str, progress: Progress | None = None) -> Any:
    return await world.server.commands.call("rotate_notes_key", arguments, progress=progress)


async def leave_early(world: World, *arguments: str) -> None:
    """Begin a rotation, and stop watching after its first batch."""
    first = asyncio.Event()
    watching = asyncio.create_task(rotate(world, *arguments, progress=lambda done, total: first.set()))
    await first.wait()
    watching.cancel()
    await asyncio.wait([watching])


# The ring


async def test_the_first_start_makes_a_ring_for_its_owner_alone(world: World, tmp_path: Path) -> None:
    assert stat.S_IMODE(ring_in(tmp_path).stat().st_mode) == 0o600
    ring = kept(tmp_path)
    assert list(ring["keys"]) == [ring["current"]]
    assert [len(bytes.fromhex(secret)) for secret in ring["keys"].values()] == [32]
    await rotate(world)
    assert stat.S_IMODE(ring_in(tmp_path).stat().st_mode) == 0o600
    assert [name for name in os.listdir(tmp_path) if "keys" in name] == [ring_in(tmp_path).name]


async def test_each_host_has_its_own_ring(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path, hosts=["localhost", "other.example"]) as world:
        alice = await world.session("alice/game")
        await put(alice, SUMMONER, f"<note>{RIOT}</note>")
        before = ring_in(tmp_path, "localhost").read_text()
        await world.server.commands.call("rotate_notes_key", host="other.example")
        assert ring_in(tmp_path, "localhost").read_text() == before
        assert await notes(alice) == {SUMMONER: RIOT}
        with pytest.raises(CommandError, match="several hosts"):
            await rotate(world)
    ring_in(tmp_path, "other.example").unlink()
    async with a_world_with_notes(tmp_path, hosts=["localhost", "other.example"]):
        assert ring_in(tmp_path, "other.example").exists(), "it has no notes, so a new ring does no harm"


async def test_a_missing_ring_with_notes_stops_the_start(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        await put(await world.session("alice/game"), SUMMONER, f"<note>{RIOT}</note>")
    ring = ring_in(tmp_path).read_bytes()
    ring_in(tmp_path).unlink()
    with pytest.raises(ConfigError, match=r"modules\.xmppd.*roster_notes-localhost\.keys is missing.*backup"):
        async with a_world_with_notes(tmp_path):
            pass
    assert not ring_in(tmp_path).exists(), "no new ring is made"
    ring_in(tmp_path).write_bytes(ring)
    async with a_world_with_notes(tmp_path) as world:
        assert await notes(await world.session("alice/game")) == {SUMMONER: RIOT}
    assert stat.S_IMODE(ring_in(tmp_path).stat().st_mode) == 0o600, "however it was put back"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        json.dumps(RING)[:-9],
        json.dumps({**RING, "keys": {}}),
        json.dumps({**RING, "current": "22" * 8}),
        json.dumps({**RING, "keys": {"11" * 8: SECRET[2:]}}),
        json.dumps({**RING, "keys": {"11" * 8: "x" * 64}}),
        json.dumps({"current": "11" * 8}),
    ],
)
async def test_an_unreadable_ring_stops_the_start_and_is_left_alone(tmp_path: Path, text: str) -> None:
    ring_in(tmp_path).write_text(text)
    with pytest.raises(ConfigError, match=r"keys cannot be used: .*backup") as raised:
        async with a_world_with_notes(tmp_path):
            pass
    assert SECRET[2:] not in str(raised.value)
    assert ring_in(tmp_path).read_text() == text


async def test_a_folder_in_its_place_is_no_ring(tmp_path: Path) -> None:
    ring_in(tmp_path).mkdir()
    with pytest.raises(Unreadable, match="directory"):
        Keyring.load(ring_in(tmp_path))


async def test_a_crash_while_the_ring_is_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Keyring.create(ring_in(tmp_path))
    before = ring_in(tmp_path).read_text()

    def crash(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", crash)
        with pytest.raises(OSError, match="full"):
            ring.renew()
    assert ring_in(tmp_path).read_text() == before
    assert ring.current.hex() == json.loads(before)["current"]
    ring.renew()
    assert Keyring.load(ring_in(tmp_path)).current == ring.current


# Rotation


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_it_is_the_same_on_every_database(tmp_path: Path, url: str) -> None:
    async with a_world_with_notes(tmp_path, database=url) as world:
        alice = await world.session("alice/game")
        expected = {f"c{at}@x": f"note {at}" for at in range(120)}
        for contact, note in expected.items():
            await put(alice, contact, f"<note>{note}</note>")
        assert await rotate(world, "--retire") == {"rewritten": 120, "withheld": 0, "old keys kept": 0}
        await put(alice, "c0@x", "<note/>")
        assert await notes(alice) == expected | {"c0@x": ""}
    ring_in(tmp_path).unlink()
    with pytest.raises(ConfigError, match="is missing"):
        async with a_world_with_notes(tmp_path, database=url):
            pass


async def test_a_rotation_rewrites_every_note_and_tells_how_far_it_is(world: World, tmp_path: Path) -> None:
    await write_notes(world, 250)
    old, told = kept(tmp_path)["current"], list[tuple[int, int]]()
    assert await rotate(world, progress=lambda *step: told.append(step)) == {
        "rewritten": 250,
        "withheld": 0,
        "old keys kept": 1,
    }
    assert told == [(100, 250), (200, 250), (250, 250)]
    assert await keys_in_use(world) == {kept(tmp_path)["current"]} != {old}
    alice = await world.session("alice/game")
    await put(alice, "c7@x")
    assert await notes(alice) == {"c7@x": RIOT}


async def test_two_rotations_and_then_old_keys_retire(world: World, tmp_path: Path) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    keys = {kept(tmp_path)["current"]}
    for number in (1, 2):
        assert await rotate(world) == {"rewritten": 1, "withheld": 0, "old keys kept": number}
        keys.add(kept(tmp_path)["current"])
    assert set(kept(tmp_path)["keys"]) == keys
    assert len(keys) == 3
    assert await rotate(world, "--retire") == {"rewritten": 1, "withheld": 0, "old keys kept": 0}
    ring = kept(tmp_path)
    assert list(ring["keys"]) == [ring["current"]]
    assert ring["current"] not in keys
    assert await notes(alice) == {SUMMONER: RIOT}


async def test_a_key_that_a_record_still_names_does_not_retire(world: World, tmp_path: Path) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    await write_notes(world, 10)
    ((damaged,),) = await world.server.house.storage.fetch(
        "SELECT record FROM roster_notes WHERE contact = ?", SUMMONER
    )
    damaged = damaged[:-1] + bytes([damaged[-1] ^ 1])
    change = "UPDATE roster_notes SET record = ? WHERE contact = ?"
    await world.server.house.storage.write((change, (damaged, SUMMONER)))
    old = kept(tmp_path)["current"]
    assert await rotate(world, "--retire") == {"rewritten": 10, "withheld": 1, "old keys kept": 1}
    assert old in kept(tmp_path)["keys"]
    assert damaged in [record for _, _, record in await records(world)], "it is kept as it is"
    assert world.module(EXTENSION).withheld.value == 1


async def test_who_writes_during_a_rotation_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)
    alice = await world.session("alice/game")
    contacts = [f"c{at}@x" for at in range(8)]
    for contact in contacts:
        await put(alice, contact, "<note>before</note>")
    waiting = [asyncio.create_task(rotate(world))]
    for contact in contacts[:4]:
        await put(alice, contact, "<note>during</note>")
        await put(alice, contacts[-1], "<note/>")
    await asyncio.gather(*waiting)
    expected = dict.fromkeys(contacts[:4], "during") | dict.fromkeys(contacts[4:7], "before") | {contacts[7]: ""}
    assert await notes(alice) == expected
    assert len(await keys_in_use(world)) == 1


async def test_a_note_changed_behind_a_rotation_that_has_read_it_stays_changed(world: World) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, "<note>before</note>")
    ((account, contact, read),) = await records(world)
    await put(alice, SUMMONER, "<note>after</note>")
    ring = world.module(EXTENSION).ring
    rewritten = ring.seal(account, contact, "before")
    await world.server.house.storage.write((tables.REWRITE, (rewritten, account, contact, read)))
    assert await notes(alice) == {SUMMONER: "after"}


async def test_notes_that_were_on_their_way_to_the_disk_are_rewritten_too(world: World) -> None:
    writing = asyncio.ensure_future(write_notes(world, 2000))
    await asyncio.sleep(0)
    assert (await rotate(world, "--retire"))["rewritten"] == 2000
    assert await keys_in_use(world) == {world.module(EXTENSION).ring.current.hex()}
    await writing


async def test_a_second_call_watches_the_rotation_that_is_under_way(world: World, tmp_path: Path) -> None:
    await write_notes(world, 500)
    first, second = asyncio.create_task(rotate(world)), asyncio.create_task(rotate(world, "--retire"))
    done = await asyncio.gather(first, second)
    assert done[1] == {"rewritten": 500, "withheld": 0, "old keys kept": 0}
    assert len(kept(tmp_path)["keys"]) == 1


async def test_who_stops_watching_does_not_stop_the_rotation(world: World) -> None:
    await write_notes(world, 300)
    await leave_early(world)
    assert world.module(EXTENSION).rotation.under_way
    await world.module(EXTENSION).rotation.watch(lambda done, total: None)
    assert len(await keys_in_use(world)) == 1


async def test_a_rotation_that_a_stop_cut_off_goes_on_at_the_start(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        await write_notes(world, 1000)
        await leave_early(world, "--retire")
    async with a_world_with_notes(tmp_path) as world:
        assert len(kept(tmp_path)["keys"]) == 2
        module = world.module(EXTENSION)
        await module.rotation.watch(lambda done, total: None)
        assert 0 < module.rotation.rewritten < 1000
        assert await keys_in_use(world) == {kept(tmp_path)["current"]}
        assert len(kept(tmp_path)["keys"]) == 1, "that old keys were to go is not forgotten"


async def test_a_rotation_that_breaks_off_says_so_and_goes_on_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_notes(world, 10)
    storage, module = world.server.house.storage, world.module(EXTENSION)
    with monkeypatch.context() as patched:

        def full(*statements: object) -> None:
            raise StorageError("the disk is full")

        patched.setattr(storage, "write", full)
        with pytest.raises(CommandError, match="goes on by itself later: the disk is full"):
            await rotate(world)
    await world.advance(61)
    await module.rotation.watch(lambda done, total: None)
    assert module.rotation.rewritten == 10
    assert len(await keys_in_use(world)) == 1


async def test_a_ring_that_cannot_be_written_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await write_notes(world, 1)
    before = await records(world)

    def denied(*_: object) -> None:
        raise OSError("read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Keyring, "_save", denied)
        with pytest.raises(CommandError, match="nothing was changed: read-only"):
            await rotate(world)
    assert await records(world) == before
