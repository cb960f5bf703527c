"""How often something may happen: a bucket that fills at a rate."""

from __future__ import annotations


class Bucket:
    """Lets through `rate` a second, and as many at once; a rate of 0 lets everything through."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = -1.0  # full, whatever the rate is
        self._at = 0.0

    def take(self, rate: float, now: float) -> bool:
        """Whether one more is in time; `now` in seconds of a clock that never jumps."""
        if not rate:
            return True
        most = max(rate, 1.0)
        self._left = most if self._left < 0 else min(most, self._left + (now - self._at) * rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
