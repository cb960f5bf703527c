"""The verbs of rooms for profanity, typed into its windows."""

import re
from abc import abstractmethod

from .base import Client


class ProfanityRooms(Client):
    """Types into the room's window, and reads it."""

    @abstractmethod
    async def types(self, line: str) -> None:
        """Type a line and press Enter."""

    @abstractmethod
    async def _until_shown(self, what: str, pattern: str, ask: str = "") -> None: ...

    async def founds(self, room: str, nick: str) -> None:
        """Type `/join` and `/room accept`."""
        await self.enters(room, nick)
        await self._until_shown(f"been asked to accept {room}", "Room locked")
        await self.types("/room accept")
        await self._until_shown(f"unlocked {room}", "Room unlocked")

    async def tries_to_enter(self, room: str, nick: str) -> None:
        """Type `/join`."""
        await self._clears_console()
        await self.types(f"/join {room} nick {nick}")

    async def is_inside(self, room: str) -> None:
        """Its window says so."""
        await self._until_shown(f"entered {room}", "You have joined the room")

    async def is_outside(self, room: str) -> None:
        """The console says why the window has closed."""
        put_out = rf"<- (Kicked from|Banned from|Room destroyed:) {re.escape(room)}"
        await self._until_shown(f"been put out of {room}", put_out, ask="/win console")

    async def is_kept_out(self, room: str) -> None:
        """The console says so."""
        await self._until_shown(
            f"been kept out of {room}", rf"Error (from|joining room) {re.escape(room)}.*(forbidden|banned)"
        )

    async def leaves(self, room: str) -> None:
        """Close the window."""
        await self._in_window(room)
        await self.types("/close")

    async def says_in(self, room: str, text: str) -> None:
        """Type it into the room's window."""
        await self._in_window(room)
        await self.types(text)

    async def hears_in(self, room: str, nick: str, text: str) -> None:
        """The room's window shows it."""
        said = rf"- {re.escape(nick)}: {re.escape(text)}"
        await self._until_shown(f"heard {text!r} from {nick} in {room}", said, ask=f"/win {room}")

    async def finds_in(self, room: str, *nicks: str) -> None:
        """`/who` lists them."""
        await self._in_window(room)
        listed = rf"{len(nicks)} occupants: {', '.join(sorted(nicks))}\s"
        await self._until_shown(f"found {nicks} in {room}", listed, ask="/who")

    async def changes_nick(self, room: str, nick: str) -> None:
        """Type `/nick`."""
        await self._in_window(room)
        await self.types(f"/nick {nick}")

    async def kicks(self, room: str, nick: str) -> None:
        """Type `/kick`."""
        await self._in_window(room)
        await self.types(f"/kick {nick}")
        await self._until_shown(f"kicked {nick}", f"{nick} has been kicked from the room")

    async def bans(self, room: str, jid: str) -> None:
        """Type `/ban`."""
        await self._in_window(room)
        await self.types(f"/ban {jid}")
        await self._until_shown(f"banned {jid}", "has been banned from the room")

    async def configures(self, room: str, title: str) -> None:
        """Type `/room config`, then into the form's window."""
        await self._in_window(room)
        await self.types("/room config")
        await self._until_shown("opened the form", "Use '/form submit'")
        for label, answer in (("(title|name)", f'"{title}"'), ("(persistent|keep the room)", "on")):
            field = re.search(rf"\[(field\d+)\][^:\n]*{label}", await self.shown(), re.IGNORECASE)
            assert field is not None, await self.shown()
            await self.types(f"/{field[1]} {answer}")
            await self._until_shown(f"filled in {label}", rf"Field updated\.\.\.\s*\n.*\[{field[1]}\]")
        await self.types("/form submit")
        await self._until_shown(f"configured {room}", "Room configuration successful")

    async def destroys(self, room: str) -> None:
        """Type `/room destroy`."""
        await self._in_window(room)
        await self.types("/room destroy")
        await self.is_outside(room)

    async def _in_window(self, room: str) -> None:
        await self.types(f"/win {room}")

    async def _clears_console(self) -> None:
        await self.types("/win console")
        await self.types("/clear")
