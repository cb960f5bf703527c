"""Joins what is written to a connection during one turn, so that it leaves in one piece."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Flushable(Protocol):
    """Something with bytes to send."""

    def flush(self) -> None: ...


class Outbox:
    """The connections of a server that have something to send; flushed when the turn that wrote it ends."""

    __slots__ = ("_scheduled", "_turns", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Flushable] = []
        self._turns = 0
        self._scheduled = False

    def add(self, connection: Flushable) -> None:
        """Flush it at the end of this turn: of the `begin` that is open, else of the loop's."""
        self._waiting.append(connection)
        if not self._turns and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def begin(self) -> None:
        """A turn begins: bytes came in."""
        self._turns += 1

    def end(self) -> None:
        """The turn is over: all that was written goes out."""
        self._turns -= 1
        if self._waiting and not self._turns:
            self.flush()

    def flush(self) -> None:
        """Send everything now."""
        self._scheduled = False
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.flush()
