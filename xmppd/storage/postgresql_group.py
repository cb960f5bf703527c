"""One group commit on a PostgreSQL connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import asyncpg

from xmppd.storage.errors import Conflict, StorageError
from xmppd.storage.group import Outcome, Transaction
from xmppd.storage.interface import Many, Rows, Statement

Translate = Callable[[str], str]


def described(error: Exception) -> StorageError:
    """The error in our words. PostgreSQL's details, and its texts on wrong values, hold values: they are left out."""
    if isinstance(error, StorageError):
        return error
    name = type(error).__name__
    if isinstance(error, asyncpg.UniqueViolationError):
        return Conflict(str(error.args[0]))
    if isinstance(error, asyncpg.DataError | ValueError | TypeError):
        return StorageError(f"a parameter does not fit its column ({name})")
    if isinstance(error, asyncpg.PostgresError):
        return StorageError(f"{error.args[0] if error.args else name} ({name})")
    return StorageError(f"the database server cannot be used: {error} ({name}); look whether it runs and is reachable")


async def commit_group(
    connection: asyncpg.Connection, group: Sequence[Transaction], translate: Translate
) -> list[Outcome]:
    """Commit all transactions at once; those that fail are undone alone.

    Raises if none is on disk, and if the connection broke: then nobody knows.
    """
    try:
        async with connection.transaction():
            return [rows for run in _runs(group) for rows in await _apply_run(connection, run, translate)]
    except Exception as error:
        if connection.is_closed():
            raise
        if len(group) == 1:
            return [described(error)]
    async with connection.transaction():
        return [await _apply_alone(connection, statements, translate) for statements in group]


def _runs(group: Sequence[Transaction]) -> Iterator[list[Transaction]]:
    """Neighbours that are one and the same statement."""
    for _, run in groupby(group, key=_texts):
        yield list(run)


def _texts(statements: Transaction) -> list[str]:
    return [sql for sql, _ in statements]


def _mergeable(statements: Transaction) -> bool:
    sql, parameters = statements[0] if len(statements) == 1 else ("RETURNING", ())
    return type(parameters) is not Many and "RETURNING" not in sql.upper()


async def _apply_run(connection: asyncpg.Connection, run: list[Transaction], translate: Translate) -> list[Outcome]:
    # A statement costs a round trip; those of an executemany travel together.
    if len(run) > 1 and _mergeable(run[0]):
        await connection.executemany(translate(run[0][0][0]), [statements[0][1] for statements in run])
        return [[[]] for _ in run]
    return [await _apply(connection, statements, translate) for statements in run]


async def _apply(connection: asyncpg.Connection, statements: Transaction, translate: Translate) -> list[Rows]:
    return [await _run(connection, statement, translate) for statement in statements]


async def _run(connection: asyncpg.Connection, statement: Statement, translate: Translate) -> Rows:
    sql, parameters = statement
    if type(parameters) is Many:
        await connection.executemany(translate(sql), parameters)
        return []
    return [tuple(record) for record in await connection.fetch(translate(sql), *parameters)]


async def _apply_alone(connection: asyncpg.Connection, statements: Transaction, translate: Translate) -> Outcome:
    try:
        async with connection.transaction():  # inside another it is a savepoint
            return await _apply(connection, statements, translate)
    except Exception as error:
        if connection.is_closed():
            raise
        return described(error)
