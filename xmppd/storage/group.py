"""Group commit: what is queued while one group goes to disk is the next group, and what nobody waits for waits for it.

An fsync costs as much as the writes of fifty messages. What acknowledges a message waits for its commit, and hurries
it; a message that nobody has asked about yet does not need a turn of the disk for itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from xmppd.storage.errors import Busy, Closed, Conflict, StorageError
from xmppd.storage.interface import Commit, Many, Row, Rows, Statement

log = logging.getLogger(__name__)

Transaction = Sequence[Statement]
Outcome = list[Rows] | StorageError
Execute = Callable[[Sequence[Transaction]], Awaitable[Sequence[Outcome]]]

# A slow disk makes 100 commits a second, each for many transactions; 10,000 of 1 KiB are 10 MiB of memory. A queue that
# long means that the disk has stopped, and refusing is better than promising more.
WAITING_LIMIT = 10_000
COMPANY = 0.02  # seconds that a write waits for others; what a crash takes beyond them, nobody was told of
CROWD = 1000  # transactions that wait no longer
TURNS = 8  # of the loop that a group which somebody waits for may grow, as long as each brings more
ROWS_JOINED = 1000  # of one transaction that `add` makes, so that the limit above bounds them too


class GroupCommit:
    """Transactions in, groups out, in order. `execute` commits one group and tells each transaction's outcome."""

    def __init__(self, execute: Execute, limit: int = WAITING_LIMIT) -> None:
        self._execute = execute
        self._limit = limit
        self._waiting: list[tuple[Transaction, Commit]] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._hurried = self._closed = False
        self._queued = 0  # rows and transactions so far
        self._open: tuple[str, Many, Commit] | None = None  # the last transaction, where `add` made it and it waits

    def write(self, transaction: Transaction) -> Commit:
        """Queue a transaction; raises Busy over the limit, Closed after `close`."""
        if len(self._waiting) >= self._limit:
            raise Busy(f"busy: {self._limit} writes wait for the disk already; look at its speed, or write less")
        if self._closed:
            raise Closed("the storage is closed")
        self._open = None
        self._queued += 1
        commit = Commit(self._hurry)
        self._waiting.append((transaction, commit))
        if len(self._waiting) >= CROWD:
            self._hurry()
        elif self._timer is None and self._task is None:
            self._timer = asyncio.get_running_loop().call_later(COMPANY, self._hurry)
        return commit

    def add(self, sql: str, row: Row) -> Commit:
        """Queue one row; it joins the transaction before it where that has the same text and still waits."""
        if self._open is not None:
            text, rows, commit = self._open
            if text == sql and len(rows) < ROWS_JOINED:
                rows.append(row)
                self._queued += 1
                return commit
        rows = Many((row,))
        commit = self.write(((sql, rows),))
        self._open = sql, rows, commit
        return commit

    async def close(self) -> None:
        """Take no more, and wait for what is queued."""
        self._closed = True
        self._hurry()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _hurry(self) -> None:
        """The next group goes to disk as soon as it can."""
        self._hurried = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is None and self._waiting:
            self._task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        while self._waiting and (self._hurried or self._closed):
            await self._gather()
            self._hurried = False
            group, self._waiting, self._open = self._waiting, [], None
            await self._commit(group)
        self._task = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(COMPANY, self._hurry)

    async def _gather(self) -> None:
        """Let a burst come in whole: what many say at once is one group, not as many as there are turns."""
        for _ in range(TURNS):
            queued = self._queued
            await asyncio.sleep(0)
            if queued == self._queued:
                return

    async def _commit(self, group: list[tuple[Transaction, Commit]]) -> None:
        try:
            outcomes = await self._execute([transaction for transaction, _ in group])
        except Exception as error:
            failure = error if isinstance(error, StorageError) else StorageError(f"{type(error).__name__}: {error}")
            log.error("a group of %d writes failed: %s", len(group), failure)
            for _, commit in group:
                commit.resolve(failure)
            return
        for (transaction, commit), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, StorageError):
                _log_failure(transaction, commit, outcome)
            commit.resolve(outcome)


def _log_failure(transaction: Transaction, commit: Commit, error: StorageError) -> None:
    # A conflict that somebody waits for is an answer, not a fault. Parameters stay out: they may be secrets.
    level = logging.DEBUG if isinstance(error, Conflict) and commit.awaited else logging.ERROR
    log.log(level, "a write failed and is undone: %s; SQL: %s", error, "; ".join(sql for sql, _ in transaction))
