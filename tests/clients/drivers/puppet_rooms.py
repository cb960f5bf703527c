"""The verbs of rooms for clients with a worker process."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from .base import Client


class PuppetRooms(Client):
    """A worker obeys found, enter, leave, say_in, call_me, kick, ban, configure and destroy.

    It tells of `rooms`, each with the nicks that are there, or None for a room it is out of; of what was `said` in
    rooms; and of those it was `kept_out` of.
    """

    @abstractmethod
    async def order(self, verb: str, *arguments: object) -> Any:
        """Have the worker do something."""

    @abstractmethod
    async def until_seen(self, what: str, seen: Callable[[dict[str, Any]], bool]) -> None:
        """Look until what is shown pleases `seen`."""

    async def founds(self, room: str, nick: str) -> None:
        """Make the room."""
        await self.order("found", room, nick)
        await self.is_inside(room)
        await self.until_seen(f"unlocked {room}", lambda seen: room in seen["unlocked"])

    async def tries_to_enter(self, room: str, nick: str) -> None:
        """Join."""
        await self.order("enter", room, nick)

    async def is_inside(self, room: str) -> None:
        """The room's window says so."""
        await self.until_seen(f"entered {room}", lambda seen: bool(seen["rooms"].get(room)))

    async def is_outside(self, room: str) -> None:
        """The room's window says so."""
        await self.until_seen(f"been put out of {room}", lambda seen: seen["rooms"].get(room) is None)

    async def is_kept_out(self, room: str) -> None:
        """It complains."""
        await self.until_seen(f"been kept out of {room}", lambda seen: room in seen["kept_out"])

    async def leaves(self, room: str) -> None:
        """Leave."""
        await self.order("leave", room)

    async def says_in(self, room: str, text: str) -> None:
        """Type into the room's window."""
        await self.order("say_in", room, text)

    async def hears_in(self, room: str, nick: str, text: str) -> None:
        """The room's window shows it."""
        await self.until_seen(f"heard {text!r} from {nick}", lambda seen: [room, nick, text] in seen["said"])

    async def finds_in(self, room: str, *nicks: str) -> None:
        """The list of occupants says so."""
        wanted = sorted(nicks)
        await self.until_seen(f"found {wanted} in {room}", lambda seen: sorted(seen["rooms"].get(room) or []) == wanted)

    async def changes_nick(self, room: str, nick: str) -> None:
        """Change it."""
        await self.order("call_me", room, nick)

    async def kicks(self, room: str, nick: str) -> None:
        """Kick."""
        await self.order("kick", room, nick)

    async def bans(self, room: str, jid: str) -> None:
        """Ban."""
        await self.order("ban", room, jid)

    async def configures(self, room: str, title: str) -> None:
        """Fill in the room's form."""
        await self.order("configure", room, title)

    async def destroys(self, room: str) -> None:
        """Destroy."""
        await self.order("destroy", room)
