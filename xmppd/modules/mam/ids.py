"""The ids of archived messages: in the order of time, unique, and not to be guessed (XEP-0313 3, XEP-0359 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from secrets import token_bytes
from typing import Final

MICROSECONDS: Final = 1_000_000
ORDER: Final = 10  # bits of a key behind its microseconds: a thousand messages in one
TAIL: Final = 40  # random bits behind the key: who knows the time of a message still has to guess these
DIGITS: Final = 16  # hexadecimal, of a key
EVER: Final = (1 << 63) - 1  # the last key that a database can hold, of the year 2255
BYTES: Final = 7  # of randomness in an id, of which a few bits are left over
POOL: Final = 512 * BYTES  # asked of the system at once: asking costs as much as a message
_ID: Final = re.compile(r"[0-9a-f]{26}")


class Ids:
    """Makes ids. One of these serves a whole server, so that no two keys are the same.

    An id is a key and a tail, as 16 and 10 hexadecimal digits. The key is an integer: microseconds since 1970 and ten
    random bits, and always more than the one before, so it orders messages, dates them, and numbers their rows.
    """

    __slots__ = ("_left", "_pool", "_time", "last")

    def __init__(self, time: Callable[[], float], last: int) -> None:
        self._time = time
        self._pool = b""
        self._left = 0
        self.last = last

    def make(self) -> str:
        """The next id."""
        if not self._left:
            self._pool, self._left = token_bytes(POOL), POOL
        self._left = left = self._left - BYTES
        random = int.from_bytes(self._pool[left : left + BYTES], "big") >> 8 * BYTES - ORDER - TAIL
        key = (int(self._time() * MICROSECONDS) << ORDER) + (random >> TAIL)
        self.last = key = key if key > self.last else self.last + 1
        return f"{key:016x}{random & (1 << TAIL) - 1:010x}"


def key_of(id: str) -> int:
    """The key of an id, 0 where it is none of ours."""
    key = int(id[:DIGITS], 16) if _ID.fullmatch(id) else 0
    return key if key <= EVER else 0


def tail_of(id: str) -> int:
    """The tail of an id of ours."""
    return int(id[DIGITS:], 16)


def id_of(key: int, tail: int) -> str:
    """The id of a row."""
    return f"{key:016x}{tail:010x}"


def key_at(moment: float) -> int:
    """The first key of a moment, in seconds since 1970; of the nearest microsecond, as floats have more digits.

    Moments before 1970 have the first key of all, those past the year 2255 the last.
    """
    return max(0, min(EVER, round(moment * MICROSECONDS) << ORDER))


def moment_of(key: int) -> float:
    """When the message with this key was archived, in seconds since 1970."""
    return (key >> ORDER) / MICROSECONDS
