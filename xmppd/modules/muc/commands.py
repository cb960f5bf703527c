"""Rooms by xmppctl, in ejabberd's names and arguments: made, listed, configured, emptied and destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from xmppd.api import CommandError, command
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep
from xmppd.xmpp.stanza import Stanza, escape

from .forms import Configuration, shown_option
from .settings import NAMES
from .turns import Turn

if TYPE_CHECKING:
    from xmppd.api import Host
    from xmppd.clock import Clock

    from .room import Room
    from .rooms import Rooms
    from .settings import Settings
    from .store import Listed, Shelf

NS_CONFERENCE: Final = "jabber:x:conference"
DAY: Final = 86_400
BATCH: Final = 500  # rooms read at once by what goes through all of them
PERSISTENT: Final = {"persistent": "true"}  # a room that is made while nobody is in it


class RoomCommands:
    """The part of `Muc` that administrators call."""

    host: Host
    options: Any
    domain: str
    shelf: Shelf
    rooms: Rooms
    default_settings: Settings

    if TYPE_CHECKING:

        @property
        def archive(self) -> Any:
            """The module that keeps archives, None where there is none."""

        @property
        def clock(self) -> Clock:
            """The time."""

        async def send(self, stanza: Stanza) -> None:
            """Send a stanza on its road."""

    @property
    def configuration(self) -> Configuration:
        """The form muc#roomconfig, with the service's limits."""
        return Configuration(self.options.max_users, self.options.history_size)

    # One room

    @command("create_room", "Make a room that outlives its occupants", "muc_room")
    async def create_room(self, name: str, service: str, host: str) -> None:
        """With the settings of `default_room_options`, and no owner but the administrators."""
        await self._create(name, service, PERSISTENT)

    @command("create_room_with_opts", "Make a room, with options like members_only:true,max_users:20", "muc_room")
    async def create_room_with_opts(self, name: str, service: str, host: str, options: list[str]) -> None:
        """Options are those of `get_room_options`."""
        await self._create(name, service, PERSISTENT | _read_options(options))

    async def _create(self, name: str, service: str, options: Mapping[str, str]) -> None:
        jid = self._jid(name, service)
        if await self.rooms.find(jid.local) is not None:
            raise CommandError(f"there is a room {jid} already")
        settings = self.configuration.change(self.default_settings, options)
        room = self.rooms.create(jid)
        async with Turn(room):
            commit = await room.configure(settings)
        if commit is not None:
            await commit

    @command("destroy_room", "Destroy a room; its occupants leave", "muc_room")
    async def destroy_room(self, name: str, service: str) -> None:
        """From storage too."""
        async with self._turn(name, service) as room:
            commit = await room.destroy("<destroy/>")
        if commit is not None:
            await commit

    @command("get_room_options", "List what a room is set to", "muc_room")
    async def get_room_options(self, name: str, service: str) -> list[dict[str, str]]:
        """One dict of name and value for each option; the password is among them."""
        async with self._turn(name, service) as room:
            settings = room.settings
        return [{"name": option, "value": shown_option(getattr(settings, option))} for option in NAMES]

    @command("change_room_option", "Set one option of a room", "muc_room")
    async def change_room_option(self, name: str, service: str, option: str, value: str) -> None:
        """The occupants are told as of any change (XEP-0045 10.2.1)."""
        async with self._turn(name, service) as room:
            commit = await room.configure(self.configuration.change(room.settings, {option: value}))
        if commit is not None:
            await commit

    @command("get_room_occupants", "List who is in a room", "muc_room")
    async def get_room_occupants(self, name: str, service: str) -> list[dict[str, str]]:
        """One dict for each real address, with nick and role."""
        async with self._turn(name, service) as room:
            return [
                {"jid": str(jid), "nick": occupant.nick, "role": occupant.role}
                for jid, occupant in room.occupants.sessions.items()
            ]

    @command("get_room_occupants_number", "How many occupants a room has", "muc_room")
    async def get_room_occupants_number(self, name: str, service: str) -> int:
        """Nicks; the resources behind one of them count once."""
        async with self._turn(name, service) as room:
            return len(room.occupants)

    @command("send_direct_invitation", "Invite people to a room; several addresses have colons between", "muc_room")
    async def send_direct_invitation(self, name: str, service: str, password: str, reason: str, users: str) -> None:
        """XEP-0249, from the room's address; `none` for no password or no reason."""
        async with self._turn(name, service) as room:
            jid = room.jid
        invited = [JID.parse(user) for user in users.split(":") if user]
        words = {"password": password, "reason": reason}
        said = "".join(f" {word}='{escape(text)}'" for word, text in words.items() if text not in ("", "none"))
        letter = f"<x xmlns='{NS_CONFERENCE}' jid='{escape(jid)}'{said}/>".encode()
        for user in invited:
            await self.send(Stanza("message", user, jid, letter=letter))

    # Many rooms

    @command("muc_online_rooms", "List the rooms of a service, or of all: global", "muc")
    async def muc_online_rooms(self, service: str) -> list[str]:
        """Sorted by address; those that are only stored are among them."""
        return sorted([str(room.jid) async for room in self._every_room(service)])

    @command("get_user_rooms", "List the rooms that an account is in", "muc")
    async def get_user_rooms(self, account: JID) -> list[str]:
        """Sorted by address."""
        return sorted(str(room.jid) for room in self.rooms.loaded.values() if room.occupants.of(account))

    @command("rooms_unused_list", "List the rooms where nothing happened for so many days", "muc")
    async def rooms_unused_list(self, service: str, days: int) -> list[str]:
        """Those that nobody is in. Sorted by address."""
        return sorted([str(room.jid) async for room in self._unused(service, days)])

    @command("rooms_unused_destroy", "Destroy the rooms where nothing happened for so many days", "muc")
    async def rooms_unused_destroy(self, service: str, days: int) -> list[str]:
        """Returns those that were destroyed."""
        return await self._destroy_all([room.jid async for room in self._unused(service, days)])

    @command("rooms_empty_list", "List the rooms that nobody is in and where nothing was said", "muc")
    async def rooms_empty_list(self, service: str) -> list[str]:
        """Sorted by address."""
        return sorted([str(room.jid) async for room in self._empty(service)])

    @command("rooms_empty_destroy", "Destroy the rooms that nobody is in and where nothing was said", "muc")
    async def rooms_empty_destroy(self, service: str) -> list[str]:
        """Returns those that were destroyed."""
        return await self._destroy_all([room.jid async for room in self._empty(service)])

    async def _every_room(self, service: str) -> AsyncIterator[Listed | Room]:
        self._check(service, everywhere=True)
        for room in [room for room in self.rooms.loaded.values() if not room.stored]:
            yield room
        after = ""
        while rows := await self.shelf.all(after, BATCH):
            after = rows[-1].jid
            for row in rows:
                yield row

    async def _unused(self, service: str, days: int) -> AsyncIterator[Listed | Room]:
        if days < 0:
            raise CommandError("DAYS must be 0 or more")
        before = self.clock.time() - days * DAY
        async for listed in self._every_room(service):
            room = self.rooms.loaded.get(listed.jid.local)
            used = room.used if room is not None else listed.used
            if used <= before and not self._is_visited(listed.jid):
                yield listed

    async def _empty(self, service: str) -> AsyncIterator[Listed | Room]:
        async for listed in self._every_room(service):
            if not self._is_visited(listed.jid) and await self._is_silent(listed.jid):
                yield listed

    async def _is_silent(self, jid: JID) -> bool:
        """Whether nothing is kept of what was said: neither in the history, which may be off, nor in the archive."""
        if await self.shelf.history(jid, 1):
            return False
        return self.archive is None or "<start" not in await self.archive.metadata(jid)

    def _is_visited(self, jid: JID) -> bool:
        room = self.rooms.loaded.get(jid.local)
        return room is not None and len(room.occupants) > 0

    async def _destroy_all(self, rooms: list[JID]) -> list[str]:
        destroyed = []
        for jid in sorted(rooms):
            if not self._is_visited(jid):  # somebody may have entered while others were destroyed
                await self.destroy_room(jid.local, jid.domain)
                destroyed.append(str(jid))
        return destroyed

    # Which room

    def _check(self, service: str, *, everywhere: bool = False) -> None:
        if JID.parse(service) != self.domain and not (everywhere and service == "global"):
            raise CommandError(f"{service} is no service of {self.host.name}; its rooms are at {self.domain}")

    def _jid(self, name: str, service: str) -> JID:
        self._check(service)
        if not name:
            raise CommandError("NAME is empty; a room needs one")
        return JID(nodeprep(name), self.domain)

    @asynccontextmanager
    async def _turn(self, name: str, service: str) -> AsyncIterator[Room]:
        """A room in its turn; `CommandError` where there is none."""
        jid = self._jid(name, service)
        async with self.rooms.turn(jid.local) as room:
            if room is None:
                raise CommandError(f"there is no room {jid}; `xmppctl muc_online_rooms {self.domain}` lists them")
            yield room


def _read_options(options: list[str]) -> dict[str, str]:
    pairs = [option.partition(":") for option in options]
    for name, colon, _ in pairs:
        if not colon:
            raise StanzaError("bad-request", f"write an option as name:value, not {name!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}
