"""For how long this member may believe that it has heard everything."""

from __future__ import annotations

from collections.abc import Callable


class Lease:
    """A room keeps one order for all, so who hears its own message has heard what the room took before it was sent.

    That makes the caches sure until `seconds` after that sending, whatever happens to the connection meanwhile.
    Safe to read from any thread.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self.clock = clock
        self._until = 0.0
        self._open = False

    @property
    def sure(self) -> bool:
        """Whether cached entries may be served now."""
        return self._open and self.clock() < self._until

    @property
    def expired(self) -> bool:
        """Whether nothing of our own has come back for too long."""
        return self.clock() >= self._until

    def renew(self, sent_at: float) -> None:
        """Something that this member sent then has come back."""
        self._until = max(self._until, sent_at + self.seconds)

    def open(self) -> None:
        """Nothing is missing: entries may be served while the lease lasts."""
        self._open = True

    def shut(self) -> None:
        """Something may be missing."""
        self._open = False
