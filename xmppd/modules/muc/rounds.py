"""By the clock: presence that had to wait, requests that nobody has answered, rooms that nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.api import StorageError, every

from . import crowd, passing
from .commands import RoomCommands
from .turns import Turn

if TYPE_CHECKING:
    from logging import Logger


class Rounds(RoomCommands):
    """The part of `Muc` that goes round its rooms."""

    log: Logger

    @every(1)
    async def tell_who_waits(self) -> None:
        """Presence that had to wait, as much of it as the rates allow."""
        for room in list(self.rooms.waiting):
            async with Turn(room) as here:
                if here:
                    await crowd.flush(room)
            if not room.pending:
                self.rooms.waiting.discard(room)

    @every(30)
    async def answer_for_others(self) -> None:
        """Requests that occupants have not answered."""
        for room in list(self.rooms.asking):
            async with Turn(room) as here:
                if here:
                    await passing.expire(room)

    @every(60)
    def sweep(self) -> None:
        """Empty rooms leave memory."""
        try:
            self.rooms.sweep()
        except StorageError as error:
            self.log.warning("rooms stay in memory: %s", error)
