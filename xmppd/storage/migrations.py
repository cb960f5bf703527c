"""Migrations: which version each owner's tables have, and what is still to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from xmppd.storage.errors import Closed, Newer, StorageError

CREATE = "CREATE TABLE IF NOT EXISTS migrations (owner TEXT PRIMARY KEY, version INTEGER NOT NULL)"
VERSION = "SELECT version FROM migrations WHERE owner = ?"
RECORD = (
    "INSERT INTO migrations (owner, version) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version"
)


def pending(owner: str, migrations: Sequence[str], version: int) -> Sequence[str]:
    """The migrations that tables of `version` still need. Raises Newer if they are ahead of the software."""
    if version > len(migrations):
        raise Newer(
            f"the tables of {owner!r} have version {version}, and this software knows them up to {len(migrations)}: "
            "the data folder was written by a newer version. Start that version again, or restore the backup made "
            "before the upgrade"
        )
    return migrations[version:]


def split(script: str) -> Iterator[str]:
    """The statements of a script, one by one: sqlite3 runs no script inside a transaction of ours."""
    begun = ""
    for piece in script.split(";"):
        begun += piece
        if sqlite3.complete_statement(begun + ";"):  # it knows literals, comments and triggers
            if begun.strip():
                yield begun
            begun = ""
        else:
            begun += ";"


def failed(owner: str, error: StorageError) -> StorageError:
    """The error of a migration, which changed nothing."""
    if isinstance(error, Newer | Closed):
        return error
    return StorageError(f"the tables of {owner!r} could not be brought up to date, and nothing was changed: {error}")
