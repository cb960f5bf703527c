"""The verbs of rooms (XEP-0045) that every client understands; `base.py` says what acting and watching means."""

from abc import ABC, abstractmethod


class Roomgoer(ABC):
    """What a client does in rooms. `room` is the room's address."""

    @abstractmethod
    async def founds(self, room: str, nick: str) -> None:
        """Make an instant room that others may enter, and wait until inside."""

    @abstractmethod
    async def tries_to_enter(self, room: str, nick: str) -> None:
        """Enter a room that is there, and do not wait."""

    @abstractmethod
    async def is_inside(self, room: str) -> None:
        """Wait until the client shows the room as entered."""

    @abstractmethod
    async def is_outside(self, room: str) -> None:
        """Wait until the client shows that it was put out of a room, or that the room ended."""

    @abstractmethod
    async def is_kept_out(self, room: str) -> None:
        """Wait until the client shows that it may not enter."""

    @abstractmethod
    async def leaves(self, room: str) -> None:
        """Leave a room."""

    @abstractmethod
    async def says_in(self, room: str, text: str) -> None:
        """Say something to all."""

    @abstractmethod
    async def hears_in(self, room: str, nick: str, text: str) -> None:
        """Wait until the client shows what an occupant said to all."""

    @abstractmethod
    async def finds_in(self, room: str, *nicks: str) -> None:
        """Wait until the client shows these as the occupants, and nobody else."""

    @abstractmethod
    async def changes_nick(self, room: str, nick: str) -> None:
        """Take another nick."""

    @abstractmethod
    async def kicks(self, room: str, nick: str) -> None:
        """Put an occupant out."""

    @abstractmethod
    async def bans(self, room: str, jid: str) -> None:
        """Put someone out for good; `jid` is bare."""

    @abstractmethod
    async def configures(self, room: str, title: str) -> None:
        """Give the room a title, and make it persistent."""

    @abstractmethod
    async def destroys(self, room: str) -> None:
        """Put an end to a room."""

    async def enters(self, room: str, nick: str) -> None:
        """Enter a room that is there, and wait until inside."""
        await self.tries_to_enter(room, nick)
        await self.is_inside(room)
