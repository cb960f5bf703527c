"""What only the embedded database promises: private files, safe settings, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from xmppd.storage import FILE_NAME, Storage, StorageError, open_storage

TABLE = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"
INSERT = "INSERT INTO notes (text) VALUES (?)"


@pytest.fixture
def url() -> str:
    return "sqlite"


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        storage = await open_storage("sqlite", tmp_path / "new")
        await storage.migrate("notes", [TABLE])
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
        await storage.close()
    finally:
        os.umask(umask)
    assert modes == {FILE_NAME: 0o600, f"{FILE_NAME}-wal": 0o600, f"{FILE_NAME}-shm": 0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


async def test_a_file_open_to_others_is_shut(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch(0o644)
    storage = await open_storage("sqlite", tmp_path)
    await storage.close()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


async def test_a_commit_is_synced_to_the_disk(storage: Storage) -> None:
    # The settings belong to a connection, so only the writing one can tell them.
    asked = storage.write(("PRAGMA synchronous", ()), ("PRAGMA journal_mode", ()), ("PRAGMA foreign_keys", ()))
    assert await asked == [[(2,)], [("wal",)], [(1,)]]


async def test_reads_do_not_wait_behind_writes(storage: Storage, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commit = storage.write(("INSERT INTO letters (text) VALUES (?)", ("a",)))
    assert await storage.fetch("SELECT text FROM letters") == []
    assert not commit.done
    other.execute("ROLLBACK")
    other.close()
    await commit
    assert await storage.fetch("SELECT text FROM letters") == [("a",)]


async def test_a_row_is_looked_up_at_once_and_beside_a_write(storage: Storage, tmp_path: Path) -> None:
    await storage.write(("INSERT INTO letters (id, text) VALUES (1, 'a')", ()))
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE letters SET text = 'b'")
    looking = storage.look("SELECT text FROM letters WHERE id = ?", 1)
    with pytest.raises(StopIteration) as answer:
        looking.send(None)  # type: ignore[attr-defined]
    assert answer.value.value == ("a",)
    other.execute("COMMIT")
    other.close()
    assert await storage.look("SELECT text FROM letters WHERE id = ?", 1) == ("b",)


async def test_what_cannot_be_read_at_once_is_asked_elsewhere(storage: Storage) -> None:
    """In the loop's own thread nobody waits for a lock; where reading fails, a thread that may wait tries again."""
    await storage.write(("INSERT INTO letters (id, text) VALUES (1, 'a')", ()))
    storage._here.close()  # type: ignore[attr-defined]
    assert await storage.look("SELECT text FROM letters WHERE id = ?", 1) == ("a",)


async def test_an_error_that_undoes_the_whole_group_fails_it_whole(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    before = storage.write(("INSERT INTO letters (text) VALUES (?)", ("a",)))
    undoing = storage.write(("INSERT OR ROLLBACK INTO letters (text) VALUES (?)", ("a",)))
    for commit in (before, undoing):
        with pytest.raises(StorageError, match="UNIQUE"):
            await commit
    await storage.write(("INSERT INTO letters (text) VALUES (?)", ("b",)))
    assert await storage.fetch("SELECT text FROM letters") == [("b",)]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["a group of 2 writes failed"]


async def test_a_full_disk_fails_the_write_and_says_so(storage: Storage) -> None:
    [[(pages,)]] = await storage.write(("PRAGMA page_count", ()))
    await storage.write((f"PRAGMA max_page_count = {pages}", ()))
    with pytest.raises(StorageError, match="free space"):
        await storage.write(("INSERT INTO letters (text, body) VALUES (?, ?)", ("a", bytes(100_000))))
    await storage.write(("INSERT INTO letters (text) VALUES (?)", ("b",)))


async def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"a letter to my aunt" * 100)
    before = set(threading.enumerate())
    with pytest.raises(StorageError, match="no SQLite database"):
        await open_storage("sqlite", tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == b"a letter to my aunt" * 100
    assert set(threading.enumerate()) <= before


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file.*data_dir must be a folder"):
        await open_storage("sqlite", tmp_path / "file")


async def test_two_storages_opened_a_hundred_times_leave_nothing_behind(tmp_path: Path) -> None:
    before = _held()
    for _ in range(100):
        storages = [await open_storage("sqlite", tmp_path / name) for name in ("one", "two")]
        for storage in storages:
            await storage.migrate("notes", [TABLE])
            storage.write((INSERT + " ON CONFLICT DO NOTHING", ("same",)))
            await storage.fetch("SELECT text FROM notes")
        for storage in storages:
            await storage.close()
    assert _held() == before
    assert [os.listdir(tmp_path / name) for name in ("one", "two")] == [[FILE_NAME], [FILE_NAME]]


async def test_a_folder_opened_twice_shares_what_is_written(tmp_path: Path) -> None:
    one, two = [await open_storage("sqlite", tmp_path) for _ in range(2)]
    await one.migrate("notes", [TABLE])
    await asyncio.gather(
        *[_write(storage, f"{name}{n}") for name, storage in (("a", one), ("b", two)) for n in range(50)]
    )
    assert await one.fetch_one("SELECT COUNT(*) FROM notes") == (100,)
    await one.close()
    await two.close()


async def _write(storage: Storage, text: str) -> None:
    await storage.write((INSERT, (text,)))


def _held() -> tuple[int, int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
