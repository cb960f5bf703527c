"""A room's turn: one thing at a time happens in a room, and the room is left in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import leave

if TYPE_CHECKING:
    from .room import Room


class Turn:
    """`async with Turn(room) as here`: waits until nothing else happens in the room.

    `here` is False where the room has gone meanwhile; then nothing is to be done in it. At the end whoever was found
    to have no session leaves, and a room that nobody is in settles.
    """

    __slots__ = ("_room",)

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __aenter__(self) -> bool:
        await self._room.lock.acquire()
        return not self._room.gone

    async def __aexit__(self, *_: object) -> None:
        room = self._room
        try:
            if room.lost:
                await leave.bury(room)
        finally:
            if not (room.gone or len(room.occupants)):
                room.muc.rooms.settle(room)
            room.lock.release()
