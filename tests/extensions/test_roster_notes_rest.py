"""Roster notes at rest: what lies in the database is of no use to who reads it, and of none to who changes it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from hypothesis import given
from hypothesis import strategies as st

from tests.extensions.noting import EXTENSION, RIOT, SUMMONER, a_world_with_notes, interested, notes, put, records
from tests.kit.world import World
from xmppd.extensions.roster_notes.keyring import Keyring
from xmppd.extensions.roster_notes.records import SHORTEST, Seal, Withheld, key_id

CHANGE = "UPDATE roster_notes SET record = ? WHERE account = ? AND contact = ?"
MOVE = "UPDATE roster_notes SET account = ?, contact = ? WHERE account = ? AND contact = ?"
ALICE = "alice@localhost"


async def rewrite(world: World, contact: str, change: Callable[[bytes], bytes]) -> None:
    """Somebody changes a record of alice's behind the server's back."""
    (record,) = [row[2] for row in await records(world) if row[1] == contact]
    await world.server.house.storage.write((CHANGE, (change(record), ALICE, contact)))


def flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda record: record[:at] + bytes([record[at] ^ 1 << at % 8]) + record[at + 1 :]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def test_no_file_of_the_database_has_the_note(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        alice = await world.session("alice/game")
        await put(alice, SUMMONER, f"<note>{RIOT}</note>", name="PLAINNAME")
        assert await notes(alice) == {SUMMONER: RIOT}
        running = files_of(tmp_path)
    stopped = files_of(tmp_path)
    for files in (running, stopped):
        assert any(b"PLAINNAME" in content for content in files.values()), "the files are those of the database"
        for word in (b"Versatile", b"ranked", b"ARAMs"):
            assert [name for name, content in files.items() if word in content] == []
    assert any(name.endswith("-wal") for name in running)


async def test_the_record_is_what_its_page_says(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        await put(await world.session("alice/game"), SUMMONER, f"<note>{RIOT}</note>")
        ((_, _, record),) = await records(world)
    ring = json.loads((tmp_path / "roster_notes-localhost.keys").read_text())
    version, key, counter, text, tag = record[:1], record[1:9], record[9:25], record[25:-32], record[-32:]
    assert (version, key.hex(), len(text)) == (b"\x01", ring["current"], len(RIOT))
    secret = bytes.fromhex(ring["keys"][key.hex()])
    proof = b"\x00\x0falice@localhost" + b"\x00\x13sum9876@pvp.example" + record[:-32]
    assert hmac.digest(derived(secret, 32, b"xmppd roster notes: authentication"), proof, "sha256") == tag
    cipher = Cipher(AES(derived(secret, 16, b"xmppd roster notes: encryption")), CTR(counter))
    assert cipher.decryptor().update(text) == RIOT.encode()


def derived(secret: bytes, length: int, label: bytes) -> bytes:
    """RFC 5869 by hand, one block long."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")[:length]


async def test_the_same_note_is_never_the_same_record(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        alice, seen = await world.session("alice/game"), set()
        for _ in range(20):
            await put(alice, SUMMONER, "<note>same</note>")
            seen |= {row[2][9:] for row in await records(world)}
    assert len({record[:16] for record in seen}) == len(seen) == 20


async def test_a_record_with_any_byte_flipped_is_withheld_counted_and_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note = "hunter2"
    contacts = [f"c{at}@pvp.example" for at in range(SHORTEST + len(note))]
    async with a_world_with_notes(tmp_path) as world:
        alice = await world.session("alice/game")
        for contact in (*contacts, SUMMONER):
            await put(alice, contact, f"<note>{note}</note>")
        for at, contact in enumerate(contacts):
            await rewrite(world, contact, flipped(at))
        before = await records(world)
    async with a_world_with_notes(tmp_path) as world:
        with caplog.at_level(logging.DEBUG):
            found = await notes(await world.session("alice/game"))
        assert found == dict.fromkeys(contacts, "") | {SUMMONER: note}
        assert world.module(EXTENSION).withheld.value == len(contacts)
        assert await records(world) == before
    warnings = [record for record in caplog.records if "withheld" in record.getMessage()]
    assert len(warnings) == len(contacts)
    assert note not in caplog.text
    assert note.encode().hex() not in caplog.text


@pytest.mark.parametrize("change", [lambda record: b"", lambda record: record[:-1], lambda record: record + b"\0"])
async def test_a_record_of_another_length_is_withheld(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    async with a_world_with_notes(tmp_path) as world:
        await put(await world.session("alice/game"), SUMMONER, f"<note>{RIOT}</note>")
        await rewrite(world, SUMMONER, change)
    async with a_world_with_notes(tmp_path) as world:
        assert await notes(await world.session("alice/game")) == {SUMMONER: ""}


async def test_a_record_moved_to_another_row_is_withheld(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        alice, bob = await world.session("alice/game"), await world.session("bob/game")
        await put(alice, "one@pvp.example", "<note>first</note>")
        await put(alice, "two@pvp.example")
        await put(alice, "three@pvp.example", "<note>third</note>")
        await put(bob, "three@pvp.example")
        storage = world.server.house.storage
        await storage.write((MOVE, (ALICE, "two@pvp.example", ALICE, "one@pvp.example")))
        await storage.write((MOVE, ("bob@localhost", "three@pvp.example", ALICE, "three@pvp.example")))
    async with a_world_with_notes(tmp_path) as world:
        alice, bob = await world.session("alice/game"), await world.session("bob/game")
        assert set((await notes(alice)).values()) == {""}
        assert await notes(bob) == {"three@pvp.example": ""}
        assert world.module(EXTENSION).withheld.value == 2


async def test_a_withheld_note_does_not_hinder_its_owner(tmp_path: Path) -> None:
    async with a_world_with_notes(tmp_path) as world:
        alice = await interested(await world.session("alice/game"))
        await put(alice, SUMMONER, f"<note>{RIOT}</note>")
        await alice.pending()
        await rewrite(world, SUMMONER, flipped(30))
        await put(alice, SUMMONER, name="renamed")
        await alice.receives("c:iq[roster:query/roster:item[@name='renamed'][not(roster:note)]]")
        await put(alice, SUMMONER, "<note>written anew</note>")
        assert await notes(alice) == {SUMMONER: "written anew"}


@given(
    owner=st.text(min_size=1, max_size=9),
    contact=st.text(min_size=1, max_size=9),
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_what_is_sealed_opens_with_its_addresses_and_no_others(owner: str, contact: str, text: str) -> None:
    seal = Seal(bytes(8), bytes(32))
    record = seal.seal(owner, contact, text)
    assert key_id(record) == bytes(8)
    assert seal.open(owner, contact, record) == text
    for wrong in ((owner + contact[:1], contact[1:]), (owner[:-1], owner[-1:] + contact), (contact + "x", owner)):
        with pytest.raises(Withheld):
            seal.open(*wrong, record)


@given(st.binary(max_size=100) | st.binary(min_size=57, max_size=100).map(lambda made: b"\x01" + made))
def test_garbage_is_withheld(record: bytes) -> None:
    ring = Keyring(Path("nowhere"), {bytes(8): bytes(32), record[1:9].ljust(8, b"x"): bytes(32)}, bytes(8))
    with pytest.raises(Withheld):
        ring.open("alice", "bob", record)
