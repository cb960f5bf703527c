"""What a BOSH client has sent and the server has not handled: one request is being handled, others wait behind it."""

from __future__ import annotations

from collections import deque
from typing import Final

from .bosh_body import Body

BESIDE: Final = 1024  # bytes that a request takes in memory beside what stands inside, about


class Backlog:
    """The request `rid`, which is being handled, and those behind it in their order; `size` is in bytes, of all."""

    __slots__ = ("_behind", "_handled", "rid", "size")

    def __init__(self, body: Body) -> None:
        """It was the turn of `body`, and handling it takes its time."""
        self._behind: deque[Body] = deque()
        self._begin(body)
        self.size = self._handled

    def add(self, body: Body) -> None:
        """One more that waits."""
        self._behind.append(body)
        self.size += _size(body)

    def next(self) -> Body | None:
        """All of the first is handled: the one behind it, whose turn it is; None for no more."""
        self.size -= self._handled
        if not self._behind:
            return None
        body = self._behind.popleft()
        self._begin(body)
        return body

    def _begin(self, body: Body) -> None:
        self.rid, self._handled = body.rid, _size(body)


def _size(body: Body) -> int:
    return len(body.inner) + BESIDE
