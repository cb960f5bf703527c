"""A storage of each kind, empty and private to its test."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xmppd.storage import Storage, open_storage

LETTERS = "CREATE TABLE letters (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, body BLOB)"


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of an empty database: a schema of its own on the PostgreSQL server, where one is named."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server = os.environ.get("XMPPD_TEST_POSTGRESQL")
    if not server:
        pytest.skip("XMPPD_TEST_POSTGRESQL is not set to the URL of a PostgreSQL database")
    asyncpg = pytest.importorskip("asyncpg")
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE SCHEMA {name}")
    yield f"{server}{'&' if '?' in server else '?'}search_path={name}"
    await connection.execute(f"DROP SCHEMA {name} CASCADE")
    await connection.close()


@pytest.fixture
async def storage(url: str, tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await open_storage(url, tmp_path)
    await storage.migrate("letters", [LETTERS])
    yield storage
    await storage.close()
