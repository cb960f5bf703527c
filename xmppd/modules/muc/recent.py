"""Who has asked for something lately, so that nobody asks too often."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final

from xmppd.api import Buckets
from xmppd.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from xmppd.clock import Clock

REMEMBERED: Final = 10_000  # askers; past it the oldest may ask again


class Recent:
    """Remembers when somebody may ask again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: dict[Hashable, float] = {}

    def check(self, who: Hashable, interval: float) -> None:
        """Count one request; `resource-constraint` for the second within `interval` seconds."""
        now = self._clock.monotonic()
        due = self._next.pop(who, now)
        self._next[who] = max(due, now + interval) if due <= now else due
        if len(self._next) > REMEMBERED:
            del self._next[next(iter(self._next))]
        if due > now:
            raise StanzaError("resource-constraint", f"ask again in {int(due - now) + 1} seconds", kind="wait")


class Budget:
    """Lets everybody do something `most` times at once, and then as often as `refill` a second."""

    def __init__(self, clock: Clock, most: int, refill: float) -> None:
        self._clock = clock
        self._most = most
        self._refill = refill
        self._buckets = Buckets[Hashable](REMEMBERED)

    def spend(self, who: Hashable, number: int) -> None:
        """Take `number` off what somebody has left; `resource-constraint`, and nothing taken, where it is too much."""
        if not self._buckets.take(who, self._refill, self._clock.monotonic(), self._most, number):
            wait = int(self._buckets.wait(who, self._refill, number)) + 1
            raise StanzaError(
                "resource-constraint", f"that is too much at once; try again in {wait} seconds", kind="wait"
            )
