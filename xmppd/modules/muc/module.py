"""XEP-0045: rooms, on a domain of their own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from xmppd.api import Counter, Event, Host, Module, ModuleOptions
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.ids import Ids
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import MAM
from xmppd.xmpp.stanza import Stanza

from . import answers, join, leave, messages, passing
from .accounts import Accounts
from .affiliation_commands import AffiliationCommands
from .aspect import Aspect, Request, Take
from .aspects import aspects
from .discovery import Discovery
from .faces import X_MUC
from .hats import Hats
from .occupants import Occupant
from .options import ServiceOptions
from .presence import Why, part
from .road import Road
from .room import Room
from .rooms import Rooms
from .rounds import Rounds
from .settings import from_mapping
from .store import Shelf
from .tables import MIGRATIONS
from .turns import Turn
from .wardens import Warden, Wardens
from .words import SHUTDOWN

MOST_QUEUED: Final = 1000  # stanzas without a session that wait for one room's turn; each waits milliseconds
NO_NICK: Final = "say which nick you want: room@service/nick"


class Muc(AffiliationCommands, Accounts, Wardens, Rounds, Module):
    """Rooms. `handle` finds the room of a stanza and gives it to whom it concerns.

    One stanza at a time is handled in a room, its turn, so that all occupants see everything in the same order; rooms
    do not wait for each other. An account may enter with several resources under one nick: the others see one occupant,
    who leaves with the last of them (7.2.8).
    """

    migrations = MIGRATIONS
    xeps = {
        "0045": "1.35.5", "0249": "1.2", "0317": "0.3.1", "0359": "0.7.0",
        "0410": "1.1.0", "0421": "1.0.1", "0425": "0.3.0", "0486": "0.1.0",
    }  # fmt: skip

    spoken = Counter("Messages to rooms")

    class Options(ServiceOptions):
        """What the administrator can choose."""

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.domain = JID.parse(self.options.host.replace("@HOST@", host.name)).domain
        self.default_settings = from_mapping(self.options.default_room_options)
        self.shelf = Shelf(self.storage, self.domain)
        self.wardens: dict[JID, Warden] = {}
        self.rooms = Rooms(self)
        self.road = Road(host)
        self.ids = Ids()
        self.discovery = Discovery(self)
        self.aspects: list[Aspect] = []
        self.requests: dict[tuple[str, str], Request] = {}
        self.messages: dict[str, Take] = {}
        self.hats = Hats(self)
        for aspect in aspects(self):
            self.add(aspect)

    def add(self, aspect: Aspect) -> None:
        """Take what an aspect answers."""
        self.aspects.append(aspect)
        self.requests.update(aspect.requests())
        self.messages.update(aspect.messages())

    async def start(self) -> None:
        """Count the rooms there are; none is loaded."""
        self.rooms.stored = await self.shelf.count()

    async def stop(self) -> None:
        """Everybody is told that the service goes (11.2)."""
        await super().stop()
        for room in list(self.rooms.loaded.values()):
            for occupant in room.occupants:
                await part(room, occupant, Why((SHUTDOWN,)))
                room.occupants.remove(occupant)

    def serves(self) -> str:
        """The rooms' domain."""
        return self.domain

    @property
    def archive(self) -> Any:
        """The module that keeps archives, None where there is none."""
        return self.maybe("mam")

    # Who may do what

    def is_admin(self, jid: JID) -> bool:
        """Whether an address is an owner of every room."""
        return self.allows(self.options.access_admin, jid)

    def allows(self, rule: str, jid: JID) -> bool:
        """Whether an access rule lets an address in."""
        return self.host.house.config.allows(rule, jid.bare)

    def additions(self, room: Room, occupant: Occupant) -> bytes:
        """What aspects put into each presence of an occupant."""
        return b"".join(aspect.additions(room, occupant) for aspect in self.aspects)

    # The road

    async def handle(self, event: Event) -> None:
        """A stanza to the service, to a room or to an occupant."""
        try:
            await self._handle(event)
        except StreamError:
            raise
        except Exception as error:
            await self._refuse(event, error)

    async def _refuse(self, event: Event, error: Exception) -> None:
        stanza = event.stanza
        if not isinstance(error, StanzaError):
            self.log.error("%r failed", stanza, exc_info=error)
            error = StanzaError("internal-server-error")
        if stanza.kind == "presence" and stanza.type == "" and X_MUC in stanza.names:
            await self.send(join.refused(stanza, error))
        else:
            await self.host.house.router.refuse(event, error)

    async def _handle(self, event: Event) -> None:
        to = event.stanza.to
        assert to is not None
        if not to.local:
            await answers.for_service(self, event)
            return
        while True:
            room = self.rooms.loaded.get(to.local) or await self._find(event, to)
            if room is None:
                return
            if event.stanza.kind == "iq" and not to.resource and "".join(event.stanza.names[:1]).startswith(f"{MAM} "):
                await answers.from_archive(room, event)  # it may take long and changes nothing, so it takes no turn
                return
            if room.lock.locked() and event.origin is None:
                self._queue(room, event)
                return
            async with Turn(room) as here:
                if here:
                    await self._dispatch(room, event)
                    return

    def _queue(self, room: Room, event: Event) -> None:
        """What nobody's stream waits for waits by itself: a room may be the cause of what is sent to it."""
        if room.queued >= MOST_QUEUED:
            raise StanzaError("resource-constraint", "this room has too much to do", kind="wait")
        room.queued += 1
        self.spawn(self._later(room, event))

    async def _later(self, room: Room, event: Event) -> None:
        try:
            async with Turn(room) as here:
                if here:
                    await self._dispatch(room, event)
            if not here:
                await self._handle(event)
        except Exception as error:
            await self._refuse(event, error)
        finally:
            room.queued -= 1

    async def _find(self, event: Event, to: JID) -> Room | None:
        """A room that is not in memory: loaded, or made for who enters it first. None where nothing is left to do."""
        stanza = event.stanza
        room = await self.rooms.find(to.local)
        if room is not None:
            return room
        if stanza.kind == "presence":
            return await self._to_enter(event, to) if stanza.type == "" else None
        if stanza.kind == "iq" and to.resource:
            raise StanzaError("not-acceptable", "there is no such room", kind="cancel")  # XEP-0410 3.2
        raise StanzaError("item-not-found", "there is no such room")

    async def _to_enter(self, event: Event, to: JID) -> Room | None:
        if not to.resource:
            raise StanzaError("jid-malformed", NO_NICK)
        if X_MUC in event.stanza.names:
            return self._found(event, to)
        await self.send(join.not_here(event.stanza))
        return None

    def _found(self, event: Event, to: JID) -> Room:
        sender = event.stanza.sender
        assert sender is not None
        if not self.allows(self.options.access_create, sender) and not self.is_admin(sender):
            raise StanzaError("not-allowed", "you may not make rooms here")
        if len(to.local) > self.options.max_room_id:
            raise StanzaError("not-acceptable", f"a room's name has {self.options.max_room_id} characters at most")
        return self.rooms.create(to.bare)

    def _dispatch(self, room: Room, event: Event) -> Awaitable[None]:
        stanza = event.stanza
        assert stanza.to is not None
        if stanza.kind == "message":
            if stanza.type == "groupchat" and not stanza.to.resource:
                return messages.groupchat(room, event)
            return self._message(room, event, stanza.to)
        if stanza.kind == "presence":
            return self._presence(room, event, stanza.to)
        return passing.passed(room, event) if stanza.to.resource else answers.for_room(room, event)

    async def _message(self, room: Room, event: Event, to: JID) -> None:
        stanza = event.stanza
        if stanza.type == "error":
            if not await leave.bounced(room, event) and to.resource:
                await messages.returned(room, event)
        elif to.resource:
            await messages.private(room, event)
        else:
            for name in stanza.names:
                take = self.messages.get(name)
                if take is not None and await take(room, event):
                    return
            raise StanzaError("bad-request", "what is said to a room is of type groupchat")

    async def _presence(self, room: Room, event: Event, to: JID) -> None:
        kind = event.stanza.type
        if kind == "unavailable":
            await leave.go(room, event)
        elif kind == "error":
            await leave.bounced(room, event)
        elif kind == "":
            if not to.resource:
                raise StanzaError("jid-malformed", NO_NICK)
            sender = event.stanza.sender
            assert sender is not None
            if not self.allows(self.options.access, sender):
                raise StanzaError("forbidden", "you may not use this service")
            await join.come(room, event)

    async def answer(self, event: Event, reply: Stanza) -> None:
        """Send a reply; to a session of ours behind all that it is owed."""
        origin = event.origin
        if origin is None:
            await self.send(reply)
            return
        if origin.overdue:
            await origin.settled()
        origin.reply(reply)
