"""How often something may happen: buckets that fill at a rate."""

from __future__ import annotations

from collections.abc import Container, Hashable
from typing import Final, Generic, TypeVar

REMEMBERED: Final = 1000  # buckets of one kind, some 200 bytes each; who has been quiet for longest begins anew
Who = TypeVar("Who", bound=Hashable)


class Bucket:
    """Lets through `rate` a second, and so many at once; a rate of 0 lets everything through."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = -1.0  # full, whatever the rate is
        self._at = 0.0

    def take(self, rate: float, now: float, most: float = 0.0, number: int = 1) -> bool:
        """Whether `number` more are in time; where they are not, none is taken.

        `now` is in seconds of a clock that never jumps. `most` may come at once: what a second brings, unless it
        is said; one at least.
        """
        if not rate:
            return True
        most = max(most or rate, 1.0)
        left = most if self._left < 0 else min(most, self._left + (now - self._at) * rate)
        self._at = now
        self._left = left - number if number <= left else left
        return number <= left

    def wait(self, rate: float, number: int = 1) -> float:
        """Seconds from the last `take` until `number` more are in time, if they ever are."""
        return max(0.0, (number - self._left) / rate)


class Buckets(Generic[Who]):
    """A bucket for each of many, whether they are there or not: who leaves does not begin anew by it."""

    __slots__ = ("_buckets", "_remembered")

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._buckets: dict[Who, Bucket] = {}
        self._remembered = remembered

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, who: Who, rate: float, now: float, most: float = 0.0, number: int = 1) -> bool:
        """The same of somebody's bucket."""
        if not rate:
            return True
        bucket = self._buckets.pop(who, None)
        if bucket is None:
            bucket = Bucket()
        self._buckets[who] = bucket
        if len(self._buckets) > self._remembered:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take(rate, now, most, number)

    def wait(self, who: Who, rate: float, number: int = 1) -> float:
        """The same of somebody who has just taken something, or tried."""
        return self._buckets[who].wait(rate, number)

    def keep(self, wanted: Container[Who]) -> None:
        """Forget all but these."""
        self._buckets = {who: bucket for who, bucket in self._buckets.items() if who in wanted}
