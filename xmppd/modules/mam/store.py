"""The archive's rows: kept, found and replaced. One for all hosts of a server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from xmppd.api import Commit, Statement, Storage, StorageError
from xmppd.xmpp.jid import JID

from . import tables
from .ids import DIGITS, Ids, id_of, key_of, tail_of
from .search import Search

if TYPE_CHECKING:
    from xmppd.clock import Clock

FRESH: Final = 10_000  # rows without an entry in the tables that find them; behind so many they are entered
FRESH_READ: Final = 500  # the same when somebody reads, who would look at each of them

Row = tuple[int, int, bytes]  # key, tail, message
Found = tuple[int, int, int, bytes | None]  # key, tail, size of the message, and the message unless it is large


class Store:
    """Rows in the order of their keys.

    One process writes: what is behind the mark of `tables` and what is not is known here.
    """

    def __init__(self, storage: Storage, ids: Ids, mark: int, fresh: int) -> None:
        self.ids = ids
        self.search = Search(storage)
        self._storage = storage
        self._mark = mark
        self._fresh = fresh
        self._seen = 0
        self._last: Commit | None = None

    @classmethod
    async def open(cls, storage: Storage, clock: Clock) -> Store:
        """Learn where the tables stand."""
        numbers = [await storage.fetch_one(sql) for sql in (tables.LAST, tables.MARK, tables.FRESH_ROWS)]
        last, mark, fresh = (int(row[0]) if row else 0 for row in numbers)
        return cls(storage, Ids(clock.time, max(last, mark)), mark, fresh)

    def keep(self, archive: JID, host: str, id: str, with_: JID, message: bytes) -> Commit:
        """Queue a row; `StorageError` where the disk cannot follow."""
        key, bare = int(id[:DIGITS], 16), with_.bare
        row = (key, int(id[DIGITS:], 16), host, archive, bare, with_.resource, message)
        if key <= self._mark:  # its id was made before others' were entered
            return self._keep_late(row)
        self._fresh += 1
        commit = self._last = self._storage.add(tables.INSERT, row)
        if self._fresh >= FRESH:
            with suppress(StorageError):  # the row is queued all the same; the next one tries again
                self.enter()
        return commit

    def _keep_late(self, row: tuple[int, int, str, JID, JID, str, bytes]) -> Commit:
        key, archive, bare = row[0], row[3], row[4]
        late = ((tables.LATE_ORDER, (archive, key)), (tables.LATE_PEER, (archive, bare, key)))
        commit = self._last = self._storage.write((tables.INSERT, row), *late)
        return commit

    def enter(self) -> None:
        """Queue the entries of all rows that have none."""
        upto = self.ids.last
        if not self._fresh or upto <= self._mark:
            return
        self._last = self._storage.write(
            (tables.FIND_ORDER, (upto,)), (tables.FIND_PEERS, (upto,)), (tables.FOUND, (upto, upto))
        )
        self._mark, self._fresh = upto, 0

    def enter_old(self) -> None:
        """The same where they have waited since the last call: who writes all the time does it by himself."""
        if self._fresh and self._fresh == self._seen:
            self.enter()
        self._seen = self._fresh

    async def settled(self) -> None:
        """Wait until a read shows all that was kept, and finds it quickly."""
        if self._fresh >= FRESH_READ:
            self.enter()
        if self._last is not None and not self._last.done:
            await self._last

    async def find(self, sql: str, parameters: Sequence[object]) -> list[Found]:
        """What a read of `pages` finds; see `whole`."""
        return [(row[0], row[1], row[2], row[3]) for row in await self._storage.fetch(sql, *parameters)]

    async def whole(self, found: Sequence[Found]) -> list[Row]:
        """The rows of what was found. Those with a large message are read now; they are left out if they are gone."""
        large = [key for key, _, _, message in found if message is None]
        read: dict[int, bytes] = {}
        if large:
            marks = ", ".join("?" * len(large))
            sql = f"SELECT id, stanza FROM mam WHERE id IN ({marks})"  # noqa: S608  # marks alone
            read = dict(await self._storage.fetch(sql, *large))
        rows = ((key, tail, message or read.get(key)) for key, tail, _, message in found)
        return [(key, tail, message) for key, tail, message in rows if message is not None]

    async def edge(self, sql: str, parameters: Sequence[object]) -> tuple[int, int] | None:
        """The key and the tail that a read of `pages` gives; None where the archive is empty."""
        row = await self._storage.fetch_one(sql, *parameters)
        return (int(row[0]), int(row[1])) if row else None

    async def count(self, sql: str, parameters: Sequence[object]) -> int:
        """The number that a read of `pages` gives."""
        row = await self._storage.fetch_one(sql, *parameters)
        return int(row[0]) if row else 0

    async def message(self, archive: JID, id: str) -> bytes | None:
        """One message of an archive; None where it has no such id."""
        key = key_of(id)
        row = await self._storage.fetch_one(tables.ONE, key, archive) if key else None
        return bytes(row[1]) if row is not None and row[0] == tail_of(id) else None

    async def has(self, archive: JID, ids: Sequence[str]) -> bool:
        """Whether an archive has all of these ids."""
        keys = [key_of(id) for id in ids]
        if not all(keys):
            return False
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT id, tail FROM mam WHERE archive = ? AND id IN ({marks})"  # noqa: S608  # marks alone
        found = {id_of(key, tail) for key, tail in await self._storage.fetch(sql, archive, *keys)}
        return found.issuperset(ids)

    def replace(self, archive: JID, id: str, message: bytes) -> Commit:
        """Put another message into a row; what was found by its words is no more."""
        key = key_of(id)
        statements: list[Statement] = [(tables.REPLACE, (message, key, archive)), *self.search.forget(key)]
        commit = self._last = self._storage.write(*statements)
        return commit
