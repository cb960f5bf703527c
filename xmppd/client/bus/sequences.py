"""Whether a message is missing: each origin counts its messages, and here the counts are followed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .wire import Mark

MOST_ORIGINS: Final = 10_000  # whose counts are remembered; past it the one not heard for longest is forgotten


class Sequences:
    """The last number heard of each origin. What follows a hole is not taken."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._least: dict[str, Mark] = {}

    def take(self, mark: Mark) -> bool:
        """A message came; False where one before it did not. An origin never heard before may begin anywhere."""
        known = self._known.get(mark.origin)
        if known is not None:
            epoch, seq = known
            if mark.seq > (seq if mark.epoch == epoch else 0) + 1:
                return False
            if mark.epoch == epoch and mark.seq <= seq:
                return True
        self._set(mark)
        return True

    def agrees(self, mark: Mark) -> bool:
        """The origin says which message was its last (a heartbeat, or its presence); False where that is missing."""
        known = self._known.get(mark.origin)
        if known is None:
            self._set(mark)
            return True
        epoch, seq = known
        if mark.epoch != epoch and mark.seq == 0:
            self._set(mark)
            return True
        return mark.epoch == epoch and mark.seq <= seq

    def behind(self, mark: Mark) -> bool:
        """As `agrees`, for a number that may be old: it is no beginning for an origin never heard before."""
        known = self._known.get(mark.origin)
        if known is None and len(self._least) < MOST_ORIGINS:
            self._least.setdefault(mark.origin, mark)
        return known is not None and known[0] == mark.epoch and mark.seq > known[1]

    def paused(self) -> None:
        """Something may be missing, so who has not spoken yet does not begin anywhere, but after what it came with."""
        for mark in list(self._least.values()):
            self._set(mark)

    def clear(self) -> None:
        """Begin anew: everything before is dealt with."""
        self._known.clear()
        self._least.clear()

    def _set(self, mark: Mark) -> None:
        self._least.pop(mark.origin, None)
        self._known[mark.origin] = mark.epoch, mark.seq
        self._known.move_to_end(mark.origin)
        if len(self._known) > MOST_ORIGINS:
            self._known.popitem(last=False)
