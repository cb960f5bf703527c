"""The embedded database: SQLite behind aiosqlite, one connection that writes and a few that read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from xmppd.storage import migrations as versions
from xmppd.storage.errors import StorageError
from xmppd.storage.group import WAITING_LIMIT, GroupCommit, Outcome, Transaction
from xmppd.storage.interface import Commit, Row, Rows, Statement
from xmppd.storage.sqlite_group import commit_group, described

T = TypeVar("T")

# FULL: with a write-ahead log it means one fsync for each commit, and what is committed survives a power cut.
WRITER = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")
READER = ("PRAGMA query_only=ON",)


class Connection(aiosqlite.Connection):
    """aiosqlite's connection and thread, with whole pieces of work in one hop."""

    @classmethod
    async def open(cls, path: Path, pragmas: Sequence[str]) -> Connection:
        # isolation_level None: transactions begin where we say. A server's texts are few and constant: keep them all.
        connect = partial(sqlite3.connect, str(path), timeout=10, isolation_level=None, cached_statements=1000)
        connection = cls(connect, iter_chunk_size=0)
        await connection
        for pragma in pragmas:
            await connection.run(_fetch, pragma, ())
        return connection

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(sqlite3 connection, *arguments)` in the connection's thread.

        aiosqlite's public methods hop into the thread for each statement, each fetch and each close of a cursor; a hop
        costs several times what SQLite needs for a row. `_execute` is their common base, made for subclasses.
        """
        try:
            result: T = await self._execute(function, self._conn, *arguments)  # type: ignore[no-untyped-call]
        except StorageError:
            raise
        except Exception as error:
            raise described(error) from error
        return result

    async def close(self) -> None:
        await super().close()
        self._thread.join()  # it has left its loop by now


def _fetch(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Rows:
    return connection.execute(sql, parameters).fetchall()


def _fetch_one(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Row | None:
    cursor = connection.execute(sql, parameters)
    row: Row | None = cursor.fetchone()
    cursor.close()  # an unfinished read would hold its moment, and the write-ahead log could not be emptied
    return row


def _fetch_many(_: sqlite3.Connection, cursor: sqlite3.Cursor, size: int) -> Rows:
    return cursor.fetchmany(size)


def _migrate(connection: sqlite3.Connection, owner: str, migrations: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(versions.CREATE)
        recorded = connection.execute(versions.VERSION, (owner,)).fetchone()
        for script in versions.pending(owner, migrations, recorded[0] if recorded else 0):
            for statement in split(script):
                connection.execute(statement)
        connection.execute(versions.RECORD, (owner, len(migrations)))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def split(script: str) -> list[str]:
    """The statements of a script, which sqlite3 only runs one by one inside a transaction of ours."""
    statements, begun = [], ""
    for piece in script.split(";"):
        begun += piece
        if sqlite3.complete_statement(begun + ";"):
            statements.append(begun)
            begun = ""
        else:
            begun += ";"
    return [statement for statement in statements if statement.strip()]


class SQLite:
    """Storage in one file, which only its owner may read."""

    def __init__(self, path: Path, writer: Connection, readers: Sequence[Connection], limit: int) -> None:
        self._path = path
        self._writer = writer
        self._readers = readers
        self._turn = 0
        self._group = GroupCommit(self._commit, limit)

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2, limit: int = WAITING_LIMIT) -> SQLite:
        """Open or make the file. A second reader keeps short reads going beside a long one."""
        _make_private(path)
        writer = await Connection.open(path, WRITER)
        return cls(path, writer, [await Connection.open(path, READER) for _ in range(readers)], limit)

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        return await self._reader().run(_fetch, sql, parameters)

    async def fetch_one(self, sql: str, *parameters: Any) -> Row | None:
        return await self._reader().run(_fetch_one, sql, parameters)

    async def pages(self, sql: str, *parameters: Any, size: int = 500) -> AsyncIterator[Rows]:
        # A connection of its own: an unfinished read pins its moment, and reads beside it would see nothing newer.
        connection = await Connection.open(self._path, READER)
        try:
            cursor = await connection.run(sqlite3.Connection.execute, sql, parameters)
            while rows := await connection.run(_fetch_many, cursor, size):
                yield rows
        finally:
            await connection.close()

    def write(self, *statements: Statement) -> Commit:
        return self._group.write(statements)

    async def migrate(self, owner: str, migrations: Sequence[str]) -> None:
        await self._writer.run(_migrate, owner, migrations)

    async def close(self) -> None:
        await self._group.close()
        for connection in (*self._readers, self._writer):
            await connection.close()

    async def _commit(self, group: Sequence[Transaction]) -> Sequence[Outcome]:
        return await self._writer.run(commit_group, group)

    def _reader(self) -> Connection:
        self._turn = (self._turn + 1) % len(self._readers)
        return self._readers[self._turn]


def _make_private(path: Path) -> None:
    """SQLite gives its -wal and -shm files the mode of the database, so it is made before SQLite sees it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
