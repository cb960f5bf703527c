"""What part of its own archive a session has read, so that it is not given that again (XEP-0313 5.1.1)."""

from __future__ import annotations

from typing import Final

from .answers import Answer
from .ids import EVER
from .query import Query


class Reading:
    """Pages that follow on each other, forwards or backwards: all keys above `low`, up to `high`.

    `whole` says that they reach the end of the archive, as it was. Who reads something else only tries, or looks for
    something, and is no client that takes its messages from there.
    """

    __slots__ = ("high", "low", "whole")

    def __init__(self, low: int, high: int, *, whole: bool) -> None:
        self.low = low
        self.high = high
        self.whole = whole

    def has(self, key: int) -> bool:
        """Whether a message was among what was read."""
        return self.whole and self.low < key <= self.high

    def __repr__(self) -> str:
        return f"<Reading {self.low}..{self.high}{'' if self.whole else '?'}>"


NOTHING: Final = Reading(0, 0, whole=False)


def read_on(before: Reading, query: Query, page: Answer, upto: int) -> Reading:
    """What is read with one page more, which was found when `upto` was the last key of all.

    Where the page begins with no other before it, what is older than its first message is not read: it may be purged.
    """
    edges = [key for key, _, _ in (*page.rows[:1], *page.rows[-1:])]
    first, last = (min(edges) - 1, max(edges)) if edges else (EVER, 0)
    end = min(query.below - 1, upto)
    high = end if page.complete or query.page.backwards else last
    start = query.above if page.complete or not query.page.backwards else first
    whole = high >= upto
    if before.low < before.high and start <= before.high and high >= before.low:
        return Reading(min(before.low, first), max(before.high, high), whole=before.whole or whole)
    return Reading(min(first, high), high, whole=whole) if high >= before.high else before
