"""The database server: PostgreSQL behind asyncpg, one connection that writes and a pool that reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg

from xmppd.storage import dialect
from xmppd.storage import migrations as versions
from xmppd.storage.errors import Closed, StorageError
from xmppd.storage.group import WAITING_LIMIT, GroupCommit, Outcome, Transaction
from xmppd.storage.interface import Commit, Row, Rows, Statement
from xmppd.storage.postgresql_group import commit_group, described
from xmppd.storage.words import POSTGRESQL, WordIndex

# Whatever the server's default: a commit returns when it is on disk, and a read cannot write.
WRITER = {"synchronous_commit": "on"}
READER = {"default_transaction_read_only": "on"}
CONNECT_SECONDS = 10
# A program's texts are constant and some hundreds, so each is translated once; the limit is for texts built on the way.
TEXTS_KEPT = 5000
# Any number will do that nobody else takes: it makes two servers migrate one after the other.
MIGRATION_LOCK = 0x786D7070


async def _keep(_: object) -> None:
    """Reads leave nothing behind, so the pool need not clean a connection after each: that costs a round trip."""


class PostgreSQL:
    """Storage on a server; a lost connection is made anew for the next call."""

    def __init__(self, url: str, pool: asyncpg.Pool, limit: int) -> None:
        self._url = url
        self._pool = pool
        self._connection: asyncpg.Connection | None = None
        self._writing = asyncio.Lock()
        self._closed = False
        self._texts: dict[str, str] = {}
        self._group = GroupCommit(self._commit, limit)

    @property
    def words(self) -> WordIndex:
        return POSTGRESQL

    @classmethod
    async def open(cls, url: str, *, readers: int = 4, limit: int = WAITING_LIMIT) -> PostgreSQL:
        """Connect. Raises StorageError."""
        try:
            pool = asyncpg.create_pool(
                url,
                min_size=1,
                max_size=readers,
                reset=_keep,
                server_settings=READER,
                timeout=CONNECT_SECONDS,
            )
            await pool
        except Exception as error:
            raise described(error) from error
        return cls(url, pool, limit)

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        try:
            return [tuple(record) for record in await self._pool.fetch(self._translate(sql), *parameters)]
        except Exception as error:
            raise self._described(error) from None

    async def fetch_one(self, sql: str, *parameters: Any) -> Row | None:
        try:
            record = await self._pool.fetchrow(self._translate(sql), *parameters)
        except Exception as error:
            raise self._described(error) from None
        return None if record is None else tuple(record)

    look = fetch_one

    async def pages(self, sql: str, *parameters: Any, size: int = 500) -> AsyncGenerator[Rows, None]:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                cursor = await connection.cursor(self._translate(sql), *parameters)
                while records := await cursor.fetch(size):
                    yield [tuple(record) for record in records]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._described(error) from None

    def write(self, *statements: Statement) -> Commit:
        return self._group.write(statements)

    def add(self, sql: str, row: Row) -> Commit:
        return self._group.add(sql, row)

    async def migrate(self, owner: str, migrations: Sequence[str]) -> None:
        if self._closed:
            raise Closed("the storage is closed")
        try:
            async with self._writing:
                await self._migrate(await self._writer(), owner, migrations)
        except Exception as error:
            raise versions.failed(owner, described(error)) from None

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._group.close()
            if self._connection is not None:
                await self._connection.close()
            await self._pool.close()

    async def _migrate(self, connection: asyncpg.Connection, owner: str, texts: Sequence[str]) -> None:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            await connection.execute(versions.CREATE)
            version = await connection.fetchval(self._translate(versions.VERSION), owner)
            for script in versions.pending(owner, texts, version or 0):
                await connection.execute(dialect.schema(script))
            await connection.execute(self._translate(versions.RECORD), owner, len(texts))

    async def _commit(self, group: Sequence[Transaction]) -> Sequence[Outcome]:
        async with self._writing:
            try:
                connection = await self._writer()
            except Exception as error:
                raise described(error) from None
            try:
                return await commit_group(connection, group, self._translate)
            except Exception as error:
                doubt = (
                    "the connection broke, so these writes may be on disk or not: " if connection.is_closed() else ""
                )
                raise StorageError(f"{doubt}{described(error)}") from None

    async def _writer(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, server_settings=WRITER, timeout=CONNECT_SECONDS)
        return self._connection

    def _translate(self, sql: str) -> str:
        text = self._texts.get(sql)
        if text is None:
            if len(self._texts) >= TEXTS_KEPT:
                self._texts.clear()
            text = self._texts[sql] = dialect.numbered(sql)
        return text

    def _described(self, error: Exception) -> StorageError:
        return Closed("the storage is closed") if self._closed else described(error)
