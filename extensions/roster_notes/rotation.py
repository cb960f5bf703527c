"""Rewrites notes with the current key, a batch at a time, while the server serves.

Nothing is stored about how far it is, since the notes say so themselves: those whose record names an old key are still
to do. So a rotation that was cut off, however it was, goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from xmppd.api import Many, Progress, Storage, StorageError

from . import tables
from .keyring import Keyring
from .records import Withheld

log = logging.getLogger(__name__)

BATCH: Final = 100  # notes in one transaction; they hold the loop for less than a millisecond
Row = tuple[str, str, bytes]  # account, contact, record


class Rotation:
    """The rotation of one host's notes. `done` of `total` are looked at; `failure` says why the last one broke off.

    `withhold` is told of a note that cannot be opened: account, contact, reason. It stays as it is.
    """

    def __init__(self, storage: Storage, ring: Keyring, withhold: Callable[[str, str, str], object]) -> None:
        self._storage = storage
        self._ring = ring
        self._withhold = withhold
        self._watchers: list[Progress] = []
        self._task: asyncio.Task[None] | None = None
        self.done = self.total = self.rewritten = 0
        self.failure = ""

    @property
    def under_way(self) -> bool:
        """Whether notes are being rewritten."""
        return self._task is not None and not self._task.done()

    @property
    def left(self) -> int:
        """How many notes are still to look at."""
        return self.total - self.done

    def begin(self) -> None:
        """Rewrite in the background what has an old key. Nothing happens where that is under way."""
        if not self.under_way:
            self.done = self.total = self.rewritten = 0
            self.failure = ""
            self._task = asyncio.create_task(self._run())

    async def watch(self, progress: Progress) -> None:
        """Wait for the end, and be told how far it is. Who stops watching does not stop it."""
        assert self._task is not None, "it has begun"
        self._watchers.append(progress)
        try:
            await asyncio.shield(self._task)
        finally:
            self._watchers.remove(progress)

    async def stop(self) -> None:
        """Leave off; the next start goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._storage.write()  # behind all that was sealed with the key before: it can be read from now on
            self.total = await self._count(self._ring.old)
            for key in self._ring.old:
                await self._rewrite(key)
            if self._ring.retiring:
                self._ring.drop([key for key in self._ring.old if not await self._count([key])])
        except (StorageError, OSError) as error:
            self.failure = str(error)
            log.error("the rotation of the notes' key broke off and will go on later: %s", error)

    async def _rewrite(self, key: bytes) -> None:
        """Rewrite the notes of one key, in the order of their rows."""
        last = ("", "")
        while batch := await self._storage.fetch(tables.NEXT_OF_KEY, key, *last, BATCH):
            rows = Many(rewritten for row in batch if (rewritten := self._sealed_anew(*row)))
            if rows:
                await self._storage.write((tables.REWRITE, rows))
            last = batch[-1][:2]
            self.done += len(batch)
            self.rewritten += len(rows)
            for tell in self._watchers:
                tell(self.done, self.total)

    def _sealed_anew(self, account: str, contact: str, record: bytes) -> tuple[bytes, str, str, bytes] | None:
        try:
            text = self._ring.open(account, contact, record)
        except Withheld as reason:
            self._withhold(account, contact, str(reason))
            return None
        return self._ring.seal(account, contact, text), account, contact, record

    async def _count(self, keys: Iterable[bytes]) -> int:
        """How many records name one of these keys."""
        counts = [await self._storage.fetch_one(tables.OF_KEY, key) for key in keys]
        return sum(row[0] for row in counts if row is not None)
