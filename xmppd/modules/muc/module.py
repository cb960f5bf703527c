"""XEP-0045: rooms, on a domain of their own."""

from __future__ import annotations

from typing import Any, Final

from xmppd.api import IQ, Counter, Event, Host, Module, ModuleOptions, Replied, StorageError, every
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS, MAM, PING
from xmppd.xmpp.stanza import Payload, Stanza

from . import crowd, join, leave, messages, passing
from .accounts import Accounts
from .affiliation_commands import AffiliationCommands
from .aspect import Aspect, Request, Take
from .aspects import aspects
from .discovery import Discovery
from .faces import X_MUC
from .hats import Hats
from .ids import Ids
from .occupants import Occupant
from .options import ServiceOptions
from .presence import Why, part
from .road import Road
from .room import Room
from .rooms import Rooms
from .settings import from_mapping
from .store import Shelf
from .tables import MIGRATIONS
from .turns import Turn
from .wardens import Warden, Wardens
from .words import SHUTDOWN

MOST_QUEUED: Final = 1000  # stanzas without a session that wait for one room's turn; each waits milliseconds
NO_NICK: Final = "say which nick you want: room@service/nick"


class Muc(AffiliationCommands, Accounts, Wardens, Module):
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
            await self._to_service(event)
            return
        while True:
            room = self.rooms.loaded.get(to.local) or await self._find(event, to)
            if room is None:
                return
            if event.stanza.kind == "iq" and not to.resource and "".join(event.stanza.names[:1]).startswith(f"{MAM} "):
                await self._search(room, event)  # it may take long and changes nothing, so it takes no turn
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

    async def _dispatch(self, room: Room, event: Event) -> None:
        stanza = event.stanza
        assert stanza.to is not None
        if stanza.kind == "message":
            if stanza.type == "groupchat" and not stanza.to.resource:
                await messages.groupchat(room, event)
            else:
                await self._message(room, event, stanza.to)
        elif stanza.kind == "presence":
            await self._presence(room, event, stanza.to)
        elif stanza.to.resource:
            await passing.passed(room, event)
        else:
            await self._ask(room, event)

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

    # Requests to a room itself

    async def _ask(self, room: Room, event: Event) -> None:
        stanza = event.stanza
        if stanza.type in ("result", "error"):
            return
        if room.locked and room.affiliation_of(event.stanza.sender or self.host.jid) != "owner":
            raise StanzaError("item-not-found", "this room is not configured yet")
        given = await self._answer_of(room, IQ(event))
        if not isinstance(given, Replied):
            await self.answer(event, stanza.result(given))

    async def _answer_of(self, room: Room, iq: IQ) -> Payload | Replied | None:
        stanza = iq.stanza
        key = stanza.type, stanza.names[0]
        if key == ("get", f"{DISCO_INFO} query"):
            return self.discovery.room_info(room, iq)
        if key == ("get", f"{DISCO_ITEMS} query"):
            return self.discovery.room_items(room, iq)
        if key == ("get", f"{PING} ping"):
            return None
        request = self.requests.get(key)
        if request is None:
            raise StanzaError("feature-not-implemented", "a room knows no such request")
        return await request(room, iq)

    async def _search(self, room: Room, event: Event) -> None:
        """What was said in a room long ago (XEP-0313), for those whom it concerns."""
        stanza, archive = event.stanza, room.archive
        assert stanza.sender is not None
        if archive is None or stanza.type not in ("get", "set"):
            raise StanzaError("feature-not-implemented", "this room keeps no archive")
        affiliation = room.affiliation_of(stanza.sender)
        closed = room.settings.members_only or room.locked or bool(room.settings.secret)
        stranger = affiliation == "none" and not (room.occupants.of(stanza.sender.bare) and not room.locked)
        if affiliation == "outcast" or (closed and stranger):
            raise StanzaError("forbidden", "you may not read what was said here")
        await self.answer(event, stanza.result(await archive.answer_for(room.jid, stanza)))

    async def answer(self, event: Event, reply: Stanza) -> None:
        """Send a reply; to a session of ours behind all that it is owed."""
        origin = event.origin
        if origin is None:
            await self.send(reply)
            return
        if origin.overdue:
            await origin.settled()
        origin.reply(reply)

    # The service itself

    async def _to_service(self, event: Event) -> None:
        stanza = event.stanza
        if stanza.kind == "presence" or stanza.type in ("result", "error"):
            return
        if stanza.kind == "message":
            raise StanzaError("service-unavailable", "nobody reads messages to this service")
        iq = IQ(event)
        key = stanza.type, stanza.names[0]
        if key == ("get", f"{DISCO_INFO} query"):
            await self.answer(event, stanza.result(self.discovery.service_info(iq)))
        elif key == ("get", f"{DISCO_ITEMS} query"):
            await self.answer(event, stanza.result(await self.discovery.service_items(iq)))
        elif key == ("get", f"{PING} ping"):
            await self.answer(event, stanza.result())
        else:
            raise StanzaError("service-unavailable")

    # By the clock

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
