"""What part of its own archive a session has read, so that it is not given that again (XEP-0313 5.1.1)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from xmppd.xmpp.jid import JID

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


REMEMBERED: Final = 10_000  # clients; some 300 bytes each
NOTHING: Final = Reading(0, 0, whole=False)


def read_on(before: Reading, query: Query, page: Answer, upto: int, known: Reading = NOTHING) -> Reading:
    """What is read with one page more, which was found when `upto` was the last key of all.

    Where the page begins with no other before it, what is older than its first message is not read: it may be purged.
    `known` is what the client had read in a session before: it goes on from there, or begins anew.
    """
    edges = [key for key, _, _ in (*page.rows[:1], *page.rows[-1:])]
    first, last = (min(edges) - 1, max(edges)) if edges else (EVER, 0)
    end = max(min(query.below - 1, upto), last)  # what came while it was looked up may be on it
    high = end if page.complete or query.page.backwards else last
    start = query.above if page.complete or not query.page.backwards else first
    whole = high >= upto
    for read in (before, known):
        if read.low < read.high and start <= read.high and high >= read.low:
            return Reading(min(read.low, first), max(read.high, high), whole=read.whole or whole)
    return Reading(min(first, high), high, whole=whole) if high >= before.high else before


class Readings:
    """What clients have read lately, by their full addresses: one that comes again asks for what came meanwhile.

    Nothing is known of the time before the server started, when `last` was the last key of all. Who goes on from a
    message of that time says itself that it has those before: else it would be given again what it has read and the
    server could not take off the disk any more.
    """

    def __init__(self, last: int) -> None:
        self._last = last
        self._known: OrderedDict[JID, Reading] = OrderedDict()

    def go_on(self, client: JID, before: Reading, query: Query, page: Answer, upto: int) -> Reading:
        """What a client has read with one page more; `before` is what it has read in this session."""
        known = self._known.pop(client, None) or self._said(query)
        reading = self._known[client] = read_on(before, query, page, upto, known)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return reading

    def _said(self, query: Query) -> Reading:
        return Reading(0, query.behind, whole=False) if query.behind <= self._last else NOTHING
