"""SQL in transactions: one interface, an embedded database and a PostgreSQL server behind it."""

from __future__ import annotations

from pathlib import Path

from xmppd.storage.errors import Busy, Closed, Conflict, Newer, StorageError
from xmppd.storage.interface import Commit, Many, Row, Rows, Statement, Storage
from xmppd.storage.sqlite import SQLite

__all__ = [
    "Busy",
    "Closed",
    "Commit",
    "Conflict",
    "Many",
    "Newer",
    "Row",
    "Rows",
    "Statement",
    "Storage",
    "StorageError",
    "open_storage",
]

FILE_NAME = "xmppd.sqlite"


async def open_storage(url: str, data_dir: Path) -> Storage:
    """Open what the option `database` names: `sqlite` (a file in `data_dir`) or `postgresql://user@host/name`."""
    if url == "sqlite":
        return await SQLite.open(data_dir / FILE_NAME)
    raise StorageError("database: must be 'sqlite' or a URL like 'postgresql://user@host/name'")
