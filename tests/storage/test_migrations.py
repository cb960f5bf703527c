"""Migrations: run once, in order, all or nothing, and never backwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from xmppd.storage import Newer, Storage, StorageError, open_storage
from xmppd.storage.migrations import split

FIRST = """
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);  -- one; two
    INSERT INTO notes (text) VALUES ('a;b');
"""
SECOND = "ALTER TABLE notes ADD COLUMN seen INTEGER NOT NULL DEFAULT 0; CREATE INDEX notes_text ON notes (text)"
NOTES = "SELECT text FROM notes ORDER BY id"


async def test_a_migration_runs_once(storage: Storage) -> None:
    for _ in range(2):
        await storage.migrate("notes", [FIRST])
    assert await storage.fetch(NOTES) == [("a;b",)]


async def test_later_versions_keep_what_is_there(storage: Storage) -> None:
    await storage.migrate("notes", [FIRST])
    await storage.write(("INSERT INTO notes (text) VALUES (?)", ("mine",)))
    await storage.migrate("notes", [FIRST, SECOND])
    assert await storage.fetch("SELECT text, seen FROM notes ORDER BY id") == [("a;b", 0), ("mine", 0)]


async def test_owners_have_versions_of_their_own(storage: Storage) -> None:
    await storage.migrate("notes", [FIRST, SECOND])
    await storage.migrate("nothing", [])
    rows = await storage.fetch("SELECT owner, version FROM migrations ORDER BY owner")
    assert rows == [("letters", 1), ("notes", 2), ("nothing", 0)]


async def test_a_newer_folder_is_refused_with_what_to_do(storage: Storage) -> None:
    await storage.migrate("notes", [FIRST, SECOND])
    with pytest.raises(Newer, match=r"'notes' have version 2.* up to 1: .*newer version.* Start that version again"):
        await storage.migrate("notes", [FIRST])
    assert await storage.fetch(NOTES) == [("a;b",)]


async def test_a_failing_migration_changes_nothing_and_can_be_mended(storage: Storage) -> None:
    await storage.migrate("notes", [FIRST])
    with pytest.raises(StorageError, match=r"'notes' could not be brought up to date.*nowhere"):
        await storage.migrate("notes", [FIRST, SECOND, "DELETE FROM notes; INSERT INTO nowhere VALUES (1)"])
    assert await storage.fetch("SELECT version FROM migrations WHERE owner = ?", "notes") == [(1,)]
    assert await storage.fetch(NOTES) == [("a;b",)]
    await storage.migrate("notes", [FIRST, SECOND])


async def test_versions_outlive_the_process(url: str, tmp_path: Path) -> None:
    for _ in range(2):
        storage = await open_storage(url, tmp_path)
        await storage.migrate("notes", [FIRST])
        assert await storage.fetch(NOTES) == [("a;b",)]
        await storage.close()


def test_a_script_is_split_where_statements_end() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; SELECT 1; END"
    assert [text.strip() for text in split(f"SELECT ';' /* ; */; {trigger}; SELECT 2")] == [
        "SELECT ';' /* ; */",
        trigger,
        "SELECT 2",
    ]
    assert list(split(" ;\n; ")) == []
