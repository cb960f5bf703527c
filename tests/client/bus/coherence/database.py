"""The database that the caches are over: a version for each key, which only grows."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Database:
    """One process's connection."""

    def __init__(self, path: Path, keys: int = 0) -> None:
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if keys:
            self._connection.execute("CREATE TABLE things (key INTEGER PRIMARY KEY, version INTEGER NOT NULL)")
            self._connection.executemany("INSERT INTO things VALUES (?, 1)", ((key,) for key in range(keys)))

    def read(self, key: int) -> int:
        row = self._connection.execute("SELECT version FROM things WHERE key = ?", (key,)).fetchone()
        return int(row[0])

    def write(self, key: int) -> int:
        """Change the thing; committed when this returns. Its new version."""
        query = "UPDATE things SET version = version + 1 WHERE key = ? RETURNING version"
        (row,) = self._connection.execute(query, (key,)).fetchall()
        return int(row[0])
