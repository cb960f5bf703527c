"""What all processes of a trial share: what each may not go below, and what they count. One file, mapped by all."""

from __future__ import annotations

import mmap
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final

_WORD: Final = struct.Struct("=q")


class Count(IntEnum):
    """What each process counts."""

    READS = 0
    HITS = 1
    QUIET_READS = 2
    QUIET_HITS = 3
    VIOLATIONS = 4
    WRITES = 5
    PUBLISHED = 6
    CONFIRMED = 7
    UNCONFIRMED = 8
    RESETS = 9
    HOLES = 10
    CATCH_UPS = 11
    RECONNECTS = 12
    STARTS = 13
    UNSURE = 14


class Board:
    """Numbers of eight bytes. Each has one writer, so nothing has to be locked.

    `floor(member, key)` is the version that a member may not go below, because it confirmed it; `settled(key)` the one
    that nobody may go below, because it was published longer ago than a lease lasts.
    """

    def __init__(self, path: Path, members: int, keys: int) -> None:
        self._members = members
        self._keys = keys
        self._counts = (members + 1) * keys
        size = (self._counts + members * len(Count) + 1) * _WORD.size
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    def floor(self, member: int, key: int) -> int:
        return self._get(member * self._keys + key)

    def raise_floor(self, member: int, key: int, version: int) -> None:
        self._set(member * self._keys + key, max(version, self.floor(member, key)))

    def settled(self, key: int) -> int:
        return self.floor(self._members, key)

    def settle(self, key: int, version: int) -> None:
        self.raise_floor(self._members, key, version)

    def count(self, member: int, what: Count, by: int = 1) -> None:
        place = self._counts + member * len(Count) + what
        self._set(place, self._get(place) + by)

    def counted(self, what: Count) -> list[int]:
        """By member."""
        return [self._get(self._counts + member * len(Count) + what) for member in range(self._members)]

    def total(self, what: Count) -> int:
        return sum(self.counted(what))

    @property
    def quiet(self) -> bool:
        """Whether nothing is broken now, nor was a moment ago."""
        return bool(self._get(self._counts + self._members * len(Count)))

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        self._set(self._counts + self._members * len(Count), int(quiet))

    def _get(self, place: int) -> int:
        (value,) = _WORD.unpack_from(self._map, place * _WORD.size)
        return int(value)

    def _set(self, place: int, value: int) -> None:
        _WORD.pack_into(self._map, place * _WORD.size, value)
