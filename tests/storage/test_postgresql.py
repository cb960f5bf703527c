"""What only the database server can do to us: go away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from xmppd.storage import Storage, StorageError, open_storage

INSERT = "INSERT INTO letters (text) VALUES (?)"
END_THE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND query LIKE '%letters%' AND datname = current_database()"
)

pytestmark = [pytest.mark.parametrize("url", ["postgresql"], indirect=True), pytest.mark.usefixtures("url")]


async def test_a_lost_connection_is_made_anew(storage: Storage, url: str, tmp_path: Path) -> None:
    await storage.write((INSERT, ("a",)))
    await storage.fetch("SELECT text FROM letters")
    other = await open_storage(url, tmp_path)
    assert await other.fetch(END_THE_OTHERS)
    await other.close()
    await _twice(lambda: storage.write((INSERT, ("b",))))
    assert await _twice(lambda: storage.fetch("SELECT text FROM letters ORDER BY id")) == [("a",), ("b",)]


async def _twice(call: Callable[[], Awaitable[object]]) -> object:
    try:
        return await call()
    except StorageError:  # it had not heard of its connection's end
        return await call()


async def test_values_stay_out_of_errors_and_log(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    await storage.write((INSERT, ("a secret",)))
    for sql, parameter in (
        (INSERT, "a secret"),
        ("INSERT INTO letters (id) VALUES (?)", "a secret"),
        (INSERT, "a secret \x00"),
        ("INSERT INTO letters (id, text) VALUES (CAST(CAST(? AS TEXT) AS INTEGER), '')", "a secret"),
    ):
        with pytest.raises(StorageError) as caught:
            await storage.write((sql, (parameter,)))
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "secret" not in caplog.text


async def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used") as caught:
        await open_storage("postgresql://me:hidden@127.0.0.1:1/none", tmp_path)
    assert "hidden" not in str(caught.value)


async def test_opened_many_times_it_leaves_no_task_behind(url: str, tmp_path: Path) -> None:
    for _ in range(10):
        storages = [await open_storage(url, tmp_path) for _ in range(2)]
        for storage in storages:
            await storage.migrate("nothing", [])
        for storage in storages:
            await storage.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
