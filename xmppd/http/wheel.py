"""Looks at sessions when something may be due, without a timer for each."""

from __future__ import annotations

from typing import Protocol


class Looked(Protocol):
    """Something with a clock of its own."""

    def look(self, now: float) -> float | None:
        """Do what is due; when to look again, None for never."""


class Wheel:
    """One slot for each second in which there is something to look at."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Looked]] = {}

    def add(self, when: float, what: Looked) -> None:
        """Look at it in that second, as a clock counts that does not jump."""
        slot = self._slots.get(int(when))
        if slot is None:
            self._slots[int(when)] = [what]
        else:
            slot.append(what)

    def turn(self, now: float) -> None:
        """Look at all whose second has come."""
        for second in sorted(second for second in self._slots if second <= now):
            for what in self._slots.pop(second):
                again = what.look(now)
                if again is not None:
                    self.add(max(again, now + 1), what)
