"""What was said in one room, in memory and bounded."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from .settings import MOST_KEPT, MOST_KEPT_CHARACTERS


@dataclass(frozen=True, slots=True)
class Kept:
    """One message: its sender's address in the room and what was inside."""

    id: str
    at: str
    sender: str
    letter: str


class Archive:
    """The oldest goes first. Ids of another archive, such as that of this component's last life, are not known here."""

    def __init__(self, most: int = MOST_KEPT, characters: int = MOST_KEPT_CHARACTERS) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._most = most
        self._characters = characters
        self._size = 0
        self._life = secrets.token_hex(6)
        self._count = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, sender: str, letter: str) -> str:
        """Keep a message; its id."""
        self._count += 1
        id_ = f"{self._life}-{self._count}"
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._kept[id_] = Kept(id_, at, sender, letter)
        self._size += len(letter)
        while len(self._kept) > self._most or (self._size > self._characters and len(self._kept) > 1):
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.letter)
        return id_

    def after(self, known: str, most: int) -> tuple[list[Kept], bool]:
        """Those after `known` ("": from the beginning), and whether that is all. KeyError for an id not known."""
        first = self._place(known) + 1 if known else 0
        page = list(islice(self._kept.values(), first, first + most))
        return page, first + most >= len(self._kept)

    def before(self, known: str, most: int) -> tuple[list[Kept], bool]:
        """Those before `known` ("": the last ones), in their order."""
        end = self._place(known) if known else len(self._kept)
        first = max(0, end - most)
        return list(islice(self._kept.values(), first, end)), first == 0

    def _place(self, known: str) -> int:
        """Ids count up without a hole, so places follow from them."""
        first = next(iter(self._kept.values())).id if self._kept else ""
        if known not in self._kept:
            raise KeyError(known)
        return int(known.rpartition("-")[2]) - int(first.rpartition("-")[2])
