"""Deletes what is old, a thousand messages at a time, while the server serves."""

from __future__ import annotations

from typing import Final

from xmppd.api import Progress, Storage
from xmppd.xmpp.jid import JID

from . import tables
from .search import Search
from .store import Store

BATCH: Final = 1000  # messages of one transaction; others' writes wait some milliseconds for it


class Purge:
    """Takes rows out, with what finds them. Each batch is a transaction: who is cut off has deleted the oldest."""

    def __init__(self, store: Store, storage: Storage, search: Search) -> None:
        self._store = store
        self._storage = storage
        self._search = search

    async def before(self, host: str, key: int, progress: Progress) -> int:
        """Delete all that a host has below a key, the oldest first; returns how many those were.

        `progress` is told in seconds of the time that is looked through.
        """
        self._store.enter()
        await self._store.settled()
        row = await self._storage.fetch_one(tables.EDGES)
        first = low = (row[0] if row else 0) - 1
        deleted = 0
        while True:
            high, count = await self._storage.fetch_one(tables.NEXT, low, key, BATCH) or (None, 0)
            if not count:
                return deleted
            deleted += await self._stretch(host, low, high)
            low = high
            progress(_seconds(low - first), _seconds(max(low + 1, key) - first))

    async def _stretch(self, host: str, low: int, high: int) -> int:
        stretch = (low, high, host)
        words = self._search.forget_all(tables.OF_HOST, stretch)
        *_, rows = await self._storage.write(*words, *((sql, stretch) for sql in tables.OLD))
        return len(rows)

    async def archive(self, archive: JID) -> None:
        """Delete all of one archive."""
        self._store.enter()
        await self._store.settled()
        while keys := await self._storage.fetch(tables.OF_ARCHIVE, archive, BATCH):
            upto = (archive, keys[-1][0])
            words = self._search.forget_all("SELECT id FROM mam_order WHERE archive = ? AND id <= ?", upto)
            await self._storage.write(*words, *((sql, upto) for sql in tables.DROP))


def _seconds(keys: int) -> int:
    return max(1, keys // 1_000_000 >> 10)
