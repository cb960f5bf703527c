"""What is stored for whom: the table, and a bounded memory of how much each account has in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from xmppd.api import Commit, Many, Progress, Storage, StorageError

if TYPE_CHECKING:
    from .handover import Handover

MIGRATIONS: Final = (
    "CREATE TABLE offline (host TEXT NOT NULL, name TEXT NOT NULL, seq BIGINT NOT NULL, message BLOB NOT NULL, "
    "PRIMARY KEY (host, name, seq))",
)
INSERT: Final = "INSERT INTO offline (host, name, seq, message) VALUES (?, ?, ?, ?)"
SELECT: Final = (
    "SELECT seq, message FROM offline WHERE host = ? AND name = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
)
TAKEN: Final = "DELETE FROM offline WHERE host = ? AND name = ? AND seq > ? AND seq < ?"
DROP: Final = "DELETE FROM offline WHERE host = ? AND name = ? AND seq = ?"
MOVE: Final = "UPDATE offline SET seq = ? WHERE host = ? AND name = ? AND seq = ?"
CLEAR: Final = "DELETE FROM offline WHERE host = ? AND name = ?"
COUNT: Final = "SELECT count(*), COALESCE(max(seq), 0) FROM offline WHERE host = ? AND name = ?"
OLD_COUNT: Final = "SELECT count(*) FROM offline WHERE host = ? AND seq < ?"
COUNTS: Final = "SELECT name, count(*), max(seq) FROM offline WHERE host = ? GROUP BY name LIMIT ?"
OLD: Final = (
    "DELETE FROM offline WHERE (host, name, seq) IN (SELECT host, name, seq FROM offline WHERE host = ? AND seq < ? "
    "LIMIT ?) RETURNING name"
)

REMEMBERED: Final = 10_000  # boxes; some 300 bytes each
TRIED: Final = 16  # boxes looked at to make room for one; those in use stay
BATCH: Final = 1000  # old messages deleted in one transaction, so that others' writes are not held up
MICROSECONDS: Final = 1_000_000

NONE: Final[frozenset[int]] = frozenset()  # shared by all boxes of which nothing is held

Page = list[tuple[int, bytes]]


class Box:
    """One account's messages. `seq` numbers are microseconds since 1970, made unique, so they order and date.

    Those up to `handed` were given to a session, those up to `last` are stored or on their way to the disk. Those in
    `held` are left alone: they wait for a session without a connection, which has them too. `newest` is the last number
    of all, `count` is without those that are held. `had` is who of those who are here was given a copy of which.
    """

    __slots__ = ("count", "had", "handed", "handover", "held", "last", "name", "newest", "write")

    def __init__(self, name: str, count: int, last: int) -> None:
        self.name = name
        self.count = count
        self.last = self.newest = last
        self.handed = 0
        self.held: set[int] | frozenset[int] = NONE
        self.had: dict[int, set[object]] = {}
        self.handover: Handover | None = None
        self.write: Commit | None = None

    @property
    def waiting(self) -> bool:
        """Whether a message waits to be given to a session."""
        return self.last > self.handed

    @property
    def idle(self) -> bool:
        """Whether all that is known of it stands in the table too."""
        return self.handover is None and not self.held and not self.had and (self.write is None or self.write.done)

    async def settled(self) -> None:
        """Wait until the table shows all that was written so far; failures were told to those they concern."""
        while self.write is not None and not self.write.done:
            try:
                await self.write
            except StorageError:
                pass


class Boxes:
    """The boxes of one host."""

    def __init__(self, host: str, storage: Storage) -> None:
        self._host = host
        self._storage = storage
        self._boxes: dict[str, Box] = {}
        self._complete = False  # whether an account that is not remembered has no messages

    async def load(self) -> None:
        """Remember all that is stored, if it is not too much."""
        rows = await self._storage.fetch(COUNTS, self._host, REMEMBERED + 1)
        self._complete = len(rows) <= REMEMBERED
        self._boxes = {name: Box(name, count, last) for name, count, last in rows[:REMEMBERED]}

    def __iter__(self) -> Iterator[Box]:
        return iter(list(self._boxes.values()))

    def get(self, name: str) -> Box | None:
        """The box as far as it is remembered."""
        return self._boxes.get(name)

    def knows(self, name: str) -> bool:
        """Whether `get` tells all there is."""
        return self._complete or name in self._boxes

    async def find(self, name: str) -> Box:
        """The box, looked up in the table where it is not remembered."""
        if not self.knows(name):
            row = await self._storage.fetch_one(COUNT, self._host, name)
            count, last = row or (0, 0)
            return self._boxes.get(name) or self._remember(Box(name, count, last))
        return self._boxes.get(name) or self._remember(Box(name, 0, 0))

    def _remember(self, box: Box) -> Box:
        if len(self._boxes) >= REMEMBERED:
            self._make_room()
        self._boxes[box.name] = box
        return box

    def _make_room(self) -> None:
        for name in list(self._boxes)[:TRIED]:
            box = self._boxes.pop(name)
            if box.idle:
                self._complete = self._complete and not box.count
                return
            self._boxes[name] = box

    def put(self, box: Box, message: bytes, now: float) -> Commit:
        """Store a message behind all others; `StorageError` where the disk cannot follow."""
        commit = self._add(box, message, now)
        box.last = box.newest
        box.count += 1
        return commit

    def _add(self, box: Box, message: bytes, now: float) -> Commit:
        seq = max(box.newest + 1, int(now * MICROSECONDS))
        box.write = commit = self._storage.add(INSERT, (self._host, box.name, seq, message))
        box.newest = seq
        return commit

    def hold(self, box: Box, message: bytes, now: float) -> tuple[int, Commit]:
        """Store a message that nobody is given until it is released; its number. After a restart it is as any other."""
        commit = self._add(box, message, now)
        box.held = box.held or set()
        box.held |= {box.newest}
        return box.newest, commit

    def drop(self, box: Box, seq: int) -> None:
        """Delete a message that is held."""
        if seq in box.held:
            box.write = self._storage.add(DROP, (self._host, box.name, seq))
            _let_go(box, seq)

    def forget(self, box: Box, seq: int) -> None:
        """A message that was to be held could not be stored."""
        _let_go(box, seq)

    def release(self, box: Box, seq: int) -> None:
        """A message that was held is as any other now: behind those that another session is being given."""
        if seq not in box.held:
            return
        at = seq
        if box.handover is not None:
            at = box.newest + 1
            box.write = self._storage.write((MOVE, (at, self._host, box.name, seq)))
            box.newest = at
        else:
            box.handed = min(box.handed, seq - 1)  # what is behind it and was given is deleted
        _let_go(box, seq)
        box.last = max(box.last, at)
        box.count += 1

    async def put_all(self, box: Box, messages: list[tuple[int, bytes]]) -> None:
        """Store messages of other times, each with its microsecond or as soon behind the one before as can be."""
        rows = Many()
        for at, message in messages:
            box.last = box.newest = max(box.newest + 1, at)
            rows.append((self._host, box.name, box.last, message))
        box.count += len(rows)
        box.write = self._storage.write((INSERT, rows))
        await box.write

    async def page(self, box: Box, last: int, limit: int) -> Page:
        """The next messages to be given to a session: at most `limit`, up to the number `last`."""
        return await self._storage.fetch(SELECT, self._host, box.name, box.handed, last, limit)

    def taken(self, box: Box, count: int, last: int) -> None:
        """So many messages, up to the number `last`, have reached the client."""
        edges = [0, *sorted(seq for seq in box.held if seq <= last), last + 1]
        box.write = self._storage.write(*((TAKEN, (self._host, box.name, *between)) for between in pairwise(edges)))
        box.count = max(0, box.count - count) if box.last > last else 0
        if box.had:
            box.had = {seq: had for seq, had in box.had.items() if seq > last}

    def clear(self, name: str) -> Box | None:
        """Forget an account; its box, now empty, where there was one."""
        box = self._boxes.pop(name, None)
        if box is not None:
            box.count = box.last = 0
            box.held = NONE
            box.had.clear()
        self._storage.write((CLEAR, (self._host, name)))
        return box

    async def count(self, name: str) -> int:
        """How many messages are stored."""
        row = await self._storage.fetch_one(COUNT, self._host, name)
        return int(row[0]) if row else 0

    async def delete_before(self, moment: float, progress: Progress | None = None) -> int:
        """Delete what was stored before a time, a batch at once; returns how many those were."""
        before, deleted = int(moment * MICROSECONDS), 0
        row = await self._storage.fetch_one(OLD_COUNT, self._host, before) if progress is not None else None
        while True:
            (rows,) = await self._storage.write((OLD, (self._host, before, BATCH)))
            for (name,) in rows:
                box = self._boxes.get(name)
                if box is not None:
                    box.count = max(0, box.count - 1)
                    box.had = {seq: had for seq, had in box.had.items() if seq >= before} if box.had else {}
            deleted += len(rows)
            if progress is not None and rows:
                progress(deleted, max(deleted, row[0] if row else 0))
            if len(rows) < BATCH:
                return deleted


def _let_go(box: Box, seq: int) -> None:
    box.held -= {seq}
    box.held = box.held or NONE
