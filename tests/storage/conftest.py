"""A storage of each kind, empty and private to its test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xmppd.storage import Storage, open_storage


@pytest.fixture(params=["sqlite"])
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await open_storage("sqlite", tmp_path)
    await storage.migrate("letters", ["CREATE TABLE letters (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"])
    yield storage
    await storage.close()
