"""One group commit on a sqlite3 connection; runs in the connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from xmppd.storage.errors import Busy, Conflict, StorageError
from xmppd.storage.group import Outcome, Transaction
from xmppd.storage.interface import Many, Rows


def commit_group(connection: sqlite3.Connection, group: Sequence[Transaction]) -> list[Outcome]:
    """Commit all transactions at once; those that fail are undone alone. Raises StorageError if none is on disk."""
    try:
        return _commit(connection, group, guarded=False)
    except Exception as error:
        if len(group) == 1:
            return [described(error)]
    # Savepoints cost as much as the writes, so only a group in which something failed gets them.
    try:
        return _commit(connection, group, guarded=True)
    except Exception as error:
        raise described(error) from None


def _commit(connection: sqlite3.Connection, group: Sequence[Transaction], guarded: bool) -> list[Outcome]:
    apply = _apply_guarded if guarded else _apply
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [apply(connection, transaction) for transaction in group]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _apply(connection: sqlite3.Connection, transaction: Transaction) -> Outcome:
    return [_run(connection, sql, parameters) for sql, parameters in transaction]


def _run(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> Rows:
    if type(parameters) is Many:
        connection.executemany(sql, parameters)
        return []
    cursor = connection.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def _apply_guarded(connection: sqlite3.Connection, transaction: Transaction) -> Outcome:
    connection.execute("SAVEPOINT one")
    try:
        rows = _apply(connection, transaction)
    except Exception as error:
        if not connection.in_transaction:  # a full disk undoes the whole group, whoever met it first
            raise
        connection.execute("ROLLBACK TO one")
        rows = described(error)
    connection.execute("RELEASE one")
    return rows


def described(error: Exception) -> StorageError:
    """The error in our words. SQLite's own text names tables and columns, never values."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(str(error))
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    hint = HINTS.get(name.split("_READONLY")[0], "")
    return (Busy if name.startswith("SQLITE_BUSY") else StorageError)(f"{error} ({name}){hint}")


HINTS = {
    "SQLITE_FULL": ": free space on the disk of data_dir",
    "SQLITE_READONLY": ": a read tried to write; use write()",
    "SQLITE_BUSY": ": another process holds the database; close it",
    "SQLITE_CORRUPT": ": the file is damaged; stop the server and restore a backup",
    "SQLITE_NOTADB": ": the file is no SQLite database; move it away or correct data_dir",
    "SQLITE_CANTOPEN": ": the file cannot be opened; look at the folder and its owner",
}
