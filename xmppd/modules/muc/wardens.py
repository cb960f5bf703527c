"""Rooms that another module keeps: made to its wishes, spoken in by the room itself, and followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from xmppd.api import IQ, Commit
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Payload, Stanza

from . import messages
from .commands import RoomCommands
from .grants import Grant, grant

if TYPE_CHECKING:
    from .aspect import Request
    from .occupants import Occupant
    from .room import Room


class Warden(Protocol):
    """Who keeps a room. What it is called with happens in the room's turn, so it must be quick.

    It is called for each message, so it is given the room itself and not a copy of what it may want to know: it reads
    what it needs before it returns, and neither changes nor keeps anything.

    Such a room knows no rates and no crowd: what the service allows strangers does not bind it.
    """

    def said(self, room: Room, message: Stanza) -> None:
        """All occupants are about to be sent this message, of one of them or of the room itself."""

    def whispered(self, room: Room, message: Stanza, nick: str) -> None:
        """The occupant of this nick is about to be sent a private message."""

    def left(self, room: Room, occupant: Occupant, farewell: Stanza | None) -> None:
        """An occupant has left; `farewell` is the presence that said so, None where it was lost or expelled."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a room has said: the id that everybody knows it by (XEP-0359), and the writes that keep it."""

    id: str
    commits: tuple[Commit, ...]

    async def on_disk(self) -> None:
        """Wait until it is kept; `StorageError` where it is not, though it was said."""
        for commit in self.commits:
            await commit


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody in a room, as other modules are told: nick, real addresses, and what was last said of the nick."""

    nick: str
    jids: tuple[JID, ...]
    presence: Stanza


def present(room: Room) -> list[Present]:
    """Who is in a room now, in the order of entering."""
    return [Present(occupant.nick, occupant.jids, occupant.presence) for occupant in room.occupants]


# Answers a request of another module's: who is in the room that is asked, and the request. See `Request` for the rest.
Tell = Callable[[Sequence[Present], IQ], Awaitable[Payload | None]]


class Wardens(RoomCommands):
    """The part of `Muc` that other modules call, each room by its address."""

    wardens: dict[JID, Warden]
    requests: dict[tuple[str, str], Request]

    async def keep(
        self, jid: JID, warden: Warden, changes: Mapping[str, Any], members: Iterable[JID] | None = None
    ) -> bool:
        """Make the room, or bring it to this shape; on disk when it returns. True where it was there before.

        `changes` are settings by name. The accounts or domains in `members`, where it is given, are members and nobody
        else is; owners, admins and outcasts stay what they are. `StanzaError` where the service takes no more rooms.
        """
        self.wardens[jid] = warden
        existed = await self.rooms.find(jid.local) is not None
        if not existed:
            self.rooms.create(jid)
        async with self._in(jid) as room:
            room.warden = warden
            wanted = replace(room.settings, **changes)
            grants = [] if members is None else _admissions(room, frozenset(members))
            if wanted != room.settings or room.locked or not room.stored:
                commit = await room.configure(wanted, grants)
            else:
                commit = await grant(room, grants)
        if commit is not None:
            await commit
        return existed

    def release(self, jid: JID) -> None:
        """Keep it no more; it stays as it is."""
        self.wardens.pop(jid, None)
        room = self.rooms.loaded.get(jid.local)
        if room is not None:
            room.warden = None

    async def say(self, jid: JID, message: Stanza) -> Said:
        """Let the room itself say something to everybody in it, archived where its archive keeps what is said.

        `item-not-found` where there is no such room, `resource-constraint` where the archive takes no more now;
        then nobody was told.
        """
        async with self._in(jid) as room:
            return Said(*await messages.announced(room, message))

    def occupants_of(self, jid: JID) -> list[Present]:
        """Who is in a room; nobody is where there is none."""
        room = self.rooms.loaded.get(jid.local)
        return present(room) if room is not None else []

    def add_request(self, type: str, name: str, tell: Tell) -> None:
        """Answer one request more in every room: "get" or "set", with the element `"namespace name"`."""
        if (type, name) in self.requests:
            raise ValueError(f"rooms answer iq {type} {name} already")

        async def asked(room: Room, iq: IQ) -> Payload | None:
            return await tell(present(room), iq)

        self.requests[type, name] = asked

    def remove_request(self, type: str, name: str) -> None:
        """Answer it no more."""
        self.requests.pop((type, name), None)

    @asynccontextmanager
    async def _in(self, jid: JID) -> AsyncIterator[Room]:
        """A room in its turn."""
        async with self.rooms.turn(jid.local) as room:
            if room is None:
                raise StanzaError("item-not-found", f"there is no room {jid}")
            yield room


def _admissions(room: Room, members: frozenset[JID]) -> list[Grant]:
    """What brings the list of members to this one."""
    known = {bare for bare, affiliation in room.affiliations.items() if affiliation == "member"}
    gone = [Grant(JID.parse(bare), "none") for bare in known - members]
    return gone + [Grant(bare, "member") for bare in members if bare not in room.affiliations]
