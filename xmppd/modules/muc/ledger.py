"""Which rooms in memory know something of an account that storage may not tell yet, or never."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .room import Room


class Ledger:
    """Found by account, so that nobody who goes makes all rooms be looked through; and by room, for when that goes.

    It has what was said since a room came into memory. It may have accounts of which nothing is known any more.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, set[Room]] = {}

    def note(self, room: Room, accounts: Iterable[str]) -> None:
        """The room knows something of these bare addresses."""
        for account in accounts:
            self._rooms.setdefault(account, set()).add(room)
            room.noted[account] = None

    def of(self, account: str) -> list[Room]:
        """The rooms that may know something of an account."""
        return list(self._rooms.get(account, ()))

    def drop(self, room: Room) -> None:
        """The room leaves memory."""
        for account in room.noted:
            rooms = self._rooms[account]
            rooms.discard(room)
            if not rooms:
                del self._rooms[account]
        room.noted.clear()
