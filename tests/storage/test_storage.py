"""What every storage promises."""

from __future__ import annotations

import pytest

from xmppd.storage import Conflict, Many, Storage

INSERT = "INSERT INTO letters (text) VALUES (?)"


async def test_what_is_written_can_be_read(storage: Storage) -> None:
    await storage.write((INSERT, ("hello",)))
    assert await storage.fetch("SELECT id, text FROM letters") == [(1, "hello")]
    assert await storage.fetch_one("SELECT text FROM letters WHERE id = ?", 1) == ("hello",)
    assert await storage.fetch_one("SELECT text FROM letters WHERE id = ?", 2) is None


async def test_returning_gives_rows_for_each_statement(storage: Storage) -> None:
    rows = await storage.write((INSERT + " RETURNING id, text", ("a",)), (INSERT, Many([("b",), ("c",)])))
    assert rows == [[(1, "a")], []]
    assert await storage.fetch("SELECT text FROM letters ORDER BY id") == [("a",), ("b",), ("c",)]


async def test_a_failure_undoes_its_own_transaction_only(storage: Storage) -> None:
    first = storage.write((INSERT, ("a",)))
    second = storage.write((INSERT, ("b",)), (INSERT, ("a",)))
    third = storage.write((INSERT, ("c",)))
    await third
    with pytest.raises(Conflict, match="letters"):
        await second
    assert first.done
    assert await storage.fetch("SELECT text FROM letters ORDER BY id") == [("a",), ("c",)]
