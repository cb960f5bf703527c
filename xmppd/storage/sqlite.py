"""The embedded database: SQLite behind aiosqlite, one connection that writes and a few that read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from xmppd.storage import migrations as versions
from xmppd.storage.errors import Closed, StorageError
from xmppd.storage.group import WAITING_LIMIT, GroupCommit, Outcome, Transaction
from xmppd.storage.interface import Commit, Row, Rows, Statement
from xmppd.storage.sqlite_group import commit_group, described, transaction
from xmppd.storage.words import SQLITE, WordIndex

T = TypeVar("T")

# FULL: with a write-ahead log that is one fsync for each commit, and what is committed survives a power cut. The size
# limit gives back the disk space of a burst.
WRITER = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",
)
READER = ("PRAGMA query_only=ON",)


class Connection(aiosqlite.Connection):
    """aiosqlite's connection and its thread, with whole pieces of work in one hop."""

    @classmethod
    async def open(cls, path: Path, pragmas: Sequence[str]) -> Connection:
        """Connect and run the pragmas. Raises StorageError."""
        # isolation_level None: transactions begin where we say. A server's texts are few and constant: keep them all.
        connect = partial(sqlite3.connect, str(path), timeout=10, isolation_level=None, cached_statements=1000)
        connection = cls(connect, iter_chunk_size=0)
        connection._thread.daemon = True  # a program that dies without `close` shall die, not hang
        try:
            await connection
            await connection.run(_execute_all, pragmas)
        except BaseException as error:
            await connection.close()
            if isinstance(error, Exception):
                raise StorageError(f"{path}: {described(error)}") from error
            raise
        return connection

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(sqlite3 connection, *arguments)` in the connection's thread. Raises StorageError.

        aiosqlite's public methods hop into the thread for each statement, each fetch and each close of a cursor, and a
        hop costs several times what SQLite needs for a row. `_execute` is their common base, made for subclasses.
        """
        try:
            result: T = await self._execute(function, self._conn, *arguments)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise described(error) from error
        return result

    async def close(self) -> None:
        """Close the file and see the thread out."""
        await super().close()
        self._thread.join()  # no wait: it has answered, and only leaves its function


def _open_here(path: Path) -> sqlite3.Connection:
    """A connection to read with in the loop's own thread, which never waits for a lock. Raises StorageError."""
    try:
        connection = sqlite3.connect(str(path), timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {described(error)}") from error
    _execute_all(connection, READER)
    return connection


def _execute_all(connection: sqlite3.Connection, texts: Sequence[str]) -> None:
    for sql in texts:
        connection.execute(sql)


def _fetch(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Rows:
    return connection.execute(sql, parameters).fetchall()


def _fetch_one(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Row | None:
    # The cursor ends here, and the read with it: an unfinished one would pin its moment for later reads.
    row: Row | None = connection.execute(sql, parameters).fetchone()
    return row


def _fetch_many(_: sqlite3.Connection, cursor: sqlite3.Cursor, size: int) -> Rows:
    return cursor.fetchmany(size)


def _migrate(connection: sqlite3.Connection, owner: str, migrations: Sequence[str]) -> None:
    with transaction(connection):
        connection.execute(versions.CREATE)
        recorded = connection.execute(versions.VERSION, (owner,)).fetchone()
        for script in versions.pending(owner, migrations, recorded[0] if recorded else 0):
            _execute_all(connection, list(versions.split(script)))
        connection.execute(versions.RECORD, (owner, len(migrations)))


class SQLite:
    """Storage in one file, which only its owner may read."""

    def __init__(
        self, path: Path, writer: Connection, readers: Sequence[Connection], here: sqlite3.Connection, limit: int
    ) -> None:
        self._path = path
        self._writer = writer
        self._readers = readers
        self._here = here
        self._turn = 0
        self._closed = False
        self._group = GroupCommit(self._commit, limit)

    @property
    def words(self) -> WordIndex:
        return SQLITE

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2, limit: int = WAITING_LIMIT) -> SQLite:
        """Open or make the file. A second reader keeps short reads going beside a long one. Raises StorageError."""
        _make_private(path)
        async with AsyncExitStack() as undo:
            connections = []
            for pragmas in (WRITER, *[READER] * readers):
                connections.append(await Connection.open(path, pragmas))
                undo.push_async_callback(connections[-1].close)
            here = _open_here(path)
            undo.pop_all()
        return cls(path, connections[0], connections[1:], here, limit)

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        return await self._reader().run(_fetch, sql, parameters)

    async def fetch_one(self, sql: str, *parameters: Any) -> Row | None:
        return await self._reader().run(_fetch_one, sql, parameters)

    async def look(self, sql: str, *parameters: Any) -> Row | None:
        self._check_open()
        try:
            return _fetch_one(self._here, sql, parameters)
        except sqlite3.Error:  # as a rule it is busy: another thread may wait for that, this one may not
            return await self.fetch_one(sql, *parameters)

    async def pages(self, sql: str, *parameters: Any, size: int = 500) -> AsyncGenerator[Rows, None]:
        self._check_open()
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

    def add(self, sql: str, row: Row) -> Commit:
        return self._group.add(sql, row)

    async def migrate(self, owner: str, migrations: Sequence[str]) -> None:
        self._check_open()
        try:
            await self._writer.run(_migrate, owner, migrations)
        except StorageError as error:
            raise versions.failed(owner, error) from error

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._group.close()
            self._here.close()
            for connection in (*self._readers, self._writer):
                await connection.close()

    async def _commit(self, group: Sequence[Transaction]) -> Sequence[Outcome]:
        return await self._writer.run(commit_group, group)

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the storage is closed")

    def _reader(self) -> Connection:
        self._check_open()
        self._turn = (self._turn + 1) % len(self._readers)
        return self._readers[self._turn]


def _make_private(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database, so that is made before SQLite sees it.
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}; data_dir must be a folder the server may write to") from error
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
