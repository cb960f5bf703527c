"""How often something may happen: buckets that fill at a rate."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.jid import JID

REMEMBERED: Final = 1000  # accounts of one room; past it who has been quiet for longest begins anew


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
        left = most if self._left < 0 else min(most, self._left + (now - self._at) * rate)
        self._at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1


class Buckets:
    """The same for each account, whether it is there or not: whoever leaves does not begin anew by it."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: dict[JID, tuple[float, float]] = {}  # what is left, and since when

    def take(self, account: JID, rate: float, most: float, now: float) -> bool:
        """Whether one more is in time: `rate` a second, and `most` at once; a rate of 0 lets everything through."""
        if not rate:
            return True
        left, at = self._levels.pop(account, (most, now))
        left = min(most, left + (now - at) * rate)
        self._levels[account] = (left - 1 if left >= 1 else left), now
        if len(self._levels) > REMEMBERED:
            del self._levels[next(iter(self._levels))]
        return left >= 1
