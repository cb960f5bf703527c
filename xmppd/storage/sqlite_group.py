"""One group commit on a sqlite3 connection; runs in the connection's thread."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from xmppd.storage.errors import Conflict, StorageError
from xmppd.storage.group import Outcome, Transaction
from xmppd.storage.interface import Many, Rows

UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
VALUES = re.compile(r"\bVALUES (\(\?(?:, \?)*\))$")
TOGETHER = 64  # rows of one statement; each number of them is kept prepared, all of one text in half a megabyte
HINTS = {
    "SQLITE_BUSY": "another process holds the database; close it",
    "SQLITE_CANTOPEN": "look at the folder, its owner and its mode",
    "SQLITE_CORRUPT": "the file is damaged; stop the server and restore a backup",
    "SQLITE_FULL": "free space on the disk of data_dir",
    "SQLITE_NOTADB": "the file is no SQLite database; move it away or correct data_dir",
    "SQLITE_READONLY": "a read may not write, and the file must be writable for the server",
}


def described(error: Exception) -> StorageError:
    """The error in our words. SQLite's own text names tables and columns, never values."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) in UNIQUE:
        return Conflict(str(error))
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    hint = next((hint for start, hint in HINTS.items() if name.startswith(start)), "")
    return StorageError(f"{error} ({name}){hint and ': ' + hint}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does, or undo all of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def commit_group(connection: sqlite3.Connection, group: Sequence[Transaction]) -> list[Outcome]:
    """Commit all transactions at once; those that fail are undone alone. Raises if none is on disk."""
    try:
        if _is_one_statement(group):  # three turns less in which the event loop and this thread wait for each other
            return [_apply(connection, group[0])]
        with transaction(connection):
            return [_apply(connection, statements) for statements in group]
    except Exception as error:
        if len(group) == 1:
            return [described(error)]
    # Savepoints cost as much as the writes they guard, so only a group in which something failed gets them.
    with transaction(connection):
        return [_apply_alone(connection, statements) for statements in group]


def _apply(connection: sqlite3.Connection, statements: Transaction) -> list[Rows]:
    return [_run(connection, sql, parameters) for sql, parameters in statements]


def _run(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> Rows:
    if type(parameters) is Many:
        _run_many(connection, sql, parameters)
        return []
    cursor = connection.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def _apply_alone(connection: sqlite3.Connection, statements: Transaction) -> Outcome:
    connection.execute("SAVEPOINT alone")
    try:
        outcome: Outcome = _apply(connection, statements)
    except Exception as error:
        if not connection.in_transaction:  # some errors, a full disk for one, undo the whole group
            raise
        connection.execute("ROLLBACK TO alone")
        outcome = described(error)
    connection.execute("RELEASE alone")
    return outcome


def _run_many(connection: sqlite3.Connection, sql: str, rows: Many) -> None:
    """Run a statement for each row; where it only inserts them, for many at once.

    Between two steps sqlite3 lets the event loop run and waits for it. That costs several times what a row does.
    """
    found = VALUES.search(sql)
    if found is None:
        connection.executemany(sql, rows)
        return
    for done in range(0, len(rows), TOGETHER):
        some = rows[done : done + TOGETHER]
        connection.execute(sql + f", {found[1]}" * (len(some) - 1), list(chain.from_iterable(some)))


def _is_one_statement(group: Sequence[Transaction]) -> bool:
    """Whether all that is to be done is one statement, which SQLite commits by itself."""
    if len(group) != 1 or len(group[0]) != 1:
        return False
    sql, parameters = group[0][0]
    return type(parameters) is not Many or (len(parameters) <= TOGETHER and VALUES.search(sql) is not None)
