"""What storage promises, whichever database stands behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any, Protocol

from xmppd.storage.errors import StorageError
from xmppd.storage.words import WordIndex

Row = tuple[Any, ...]
Rows = list[Row]
Statement = tuple[str, Sequence[Any]]


class Many(list[Sequence[Any]]):
    """The parameters of a statement that runs once for each of these rows and returns none."""


class Commit:
    """A transaction on its way to the disk.

    Await it any number of times, or never: it returns once the transaction is on disk, with each statement's rows
    (those of RETURNING), or raises StorageError. A failure that nobody awaits is still in the log, once. Where nobody
    waits for it, it waits a few milliseconds for others to share the disk's turn with.
    """

    __slots__ = ("_callbacks", "_done", "_hurry", "_rows", "error")

    def __init__(self, hurry: Callable[[], None] | None = None) -> None:
        self._hurry = hurry
        self.error: StorageError | None = None
        self._callbacks: list[Callable[[Commit], object]] | None = None
        self._rows: list[Rows] = []
        self._done = False

    @property
    def done(self) -> bool:
        """Whether the transaction is on disk or has failed; `error` tells which."""
        return self._done

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for the end."""
        return self._callbacks is not None

    def hurry(self) -> None:
        """Somebody waits for the disk from now on, as whoever awaits this does."""
        if self._hurry is not None:
            hurry, self._hurry = self._hurry, None
            hurry()

    def add_done_callback(self, callback: Callable[[Commit], object]) -> None:
        """Call `callback(self)` once done, in the event loop; at once if it is done already. That hurries nobody."""
        if self._done:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def resolve(self, outcome: list[Rows] | StorageError) -> None:
        """For the driver: the transaction is on disk with these rows, or failed with this error."""
        if isinstance(outcome, StorageError):
            self.error = outcome
        else:
            self._rows = outcome
        self._done, self._hurry = True, None
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            try:
                callback(self)
            except Exception as error:
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a callback of a storage commit failed", "exception": error}
                )

    def __await__(self) -> Generator[Any, None, list[Rows]]:
        if not self._done:
            self.hurry()
            # Each awaiting task has a future of its own, so that cancelling one leaves the others alone.
            waiter = asyncio.get_running_loop().create_future()
            self.add_done_callback(lambda _: None if waiter.done() else waiter.set_result(None))
            yield from waiter
        if self.error is not None:
            raise self.error.with_traceback(None)
        return self._rows


class Storage(Protocol):
    """SQL with `?` for parameters; `dialect.py` says which SQL runs on every database."""

    @property
    def words(self) -> WordIndex:
        """How this database finds texts by their words."""
        ...

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        """All rows of a read. It never waits behind writes and sees all that was committed before the call."""
        ...

    async def fetch_one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row of a read, or None."""
        ...

    async def look(self, sql: str, *parameters: Any) -> Row | None:
        """One row by its key, as `fetch_one`: for what each login or stanza asks.

        A database in this process answers at once, in this thread: to ask another one takes ten times what it asks for.
        """
        ...

    def pages(self, sql: str, *parameters: Any, size: int = 500) -> AsyncGenerator[Rows, None]:
        """The rows of a large read, at most `size` at once, all of one moment. Read to the end, or `aclose()` it."""
        ...

    def write(self, *statements: Statement) -> Commit:
        """Queue one transaction, at once and in the order of calls; what is queued meanwhile shares one commit.

        The disk's turn begins when somebody waits for the commit, else a few milliseconds later: what nobody waits for
        waits for company.

        A failing statement undoes its own transaction only. Raises Busy, and queues nothing, when too many wait.
        """
        ...

    def add(self, sql: str, row: Row) -> Commit:
        """Queue one row of a text that returns none, for tables that many write to all the time.

        Rows that follow each other while they wait share a statement, a transaction and this commit: it costs a tenth
        of `write`, and where one row fails, those beside it fail too. Otherwise as `write`.
        """
        ...

    async def migrate(self, owner: str, migrations: Sequence[str]) -> None:
        """Bring the owner's tables to version `len(migrations)`; each text is the step from version index to index + 1.

        Raises Newer if the recorded version is higher.
        """
        ...

    async def close(self) -> None:
        """Wait for all that is queued, then let go of threads, files and connections."""
        ...
