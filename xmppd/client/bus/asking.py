"""For caches that are asked first and given the value afterwards, as most libraries have it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from .fills import Fill
from .guard import Guard

MOST_ASKED: Final = 64  # keys that one task or thread may have asked for before, and not given yet

_ASKED: ContextVar[tuple[tuple[Guard, Fill], ...]] = ContextVar("asked", default=())


def asked(guard: Guard, key: str) -> None:
    """This task or thread has asked, and will perhaps load and give. Tags are not known yet."""
    before = _ASKED.get()
    kept = [each for each in before if each[0] is not guard or each[1].key != key]
    again = [each for each in before if each[0] is guard and each[1].key == key]
    for other, fill in (*again, *kept[:-MOST_ASKED]):
        other.abandon(fill)
    _ASKED.set((*kept[-MOST_ASKED:], (guard, guard.begin(key, None))))


def given(guard: Guard, key: str) -> bool:
    """Whether a value that is given may be kept: it was asked for here, and nothing came in since.

    Hold the guard's lock from here until it is kept.
    """
    for other, fill in _ASKED.get():
        if other is guard and fill.key == key:
            return guard.end(fill)
    guard.stats.not_kept += 1
    return False
