"""SQL in transactions: one interface, with an embedded database or a PostgreSQL server behind it."""

from __future__ import annotations

from pathlib import Path

from xmppd.storage.errors import Busy, Closed, Conflict, Newer, StorageError
from xmppd.storage.group import WAITING_LIMIT
from xmppd.storage.interface import Commit, Many, Row, Rows, Statement, Storage
from xmppd.storage.sqlite import SQLite

__all__ = [
    "WAITING_LIMIT",
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


async def open_storage(url: str, data_dir: Path, *, limit: int = WAITING_LIMIT) -> Storage:
    """Open what the option `database` names: `sqlite`, a file in `data_dir`, or `postgresql://user@host/name`.

    `limit`: how many writes may wait for the disk. Raises StorageError.
    """
    if url == "sqlite":
        return await SQLite.open(data_dir / FILE_NAME, limit=limit)
    if url.startswith(("postgresql://", "postgres://")):
        return await _open_postgresql(url, limit)
    raise StorageError("database: must be 'sqlite' or a URL like 'postgresql://user@host/name'")


async def _open_postgresql(url: str, limit: int) -> Storage:
    try:
        from xmppd.storage.postgresql import PostgreSQL
    except ImportError as error:
        raise StorageError("database: PostgreSQL needs asyncpg; pip install 'xmppd[postgresql]'") from error
    return await PostgreSQL.open(url, limit=limit)
