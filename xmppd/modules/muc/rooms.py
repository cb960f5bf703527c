"""The rooms of one service: loaded from storage on first use, gone from memory when nobody has used them for long."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import TYPE_CHECKING

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from . import store
from .history import most_kept
from .ledger import Ledger
from .room import Room
from .store import Record
from .turns import Turn

if TYPE_CHECKING:
    from .module import Muc


class Rooms:
    """The registry. Nothing in it grows with the rooms that are only stored.

    `ledger` finds rooms by the accounts that they know. `stored` counts the rooms in storage. `listed` has the
    addresses, in order, of the public rooms that are not stored. `waiting` has the rooms where presence waits (see
    `crowd`), `asking` those where a request waits for its answer (see `passing`).
    """

    def __init__(self, muc: Muc) -> None:
        self._muc = muc
        self.loaded: dict[str, Room] = {}
        self.waiting: set[Room] = set()
        self.asking: set[Room] = set()
        self.ledger = Ledger()
        self.stored = 0
        self.listed: list[str] = []
        self._fleeting = 0  # rooms in memory that are not stored
        self._idle: dict[Room, float] = {}  # empty rooms and since when, the oldest first
        self._loading: dict[str, asyncio.Future[None]] = {}
        self._joined: dict[JID, int] = {}

    async def find(self, name: str) -> Room | None:
        """The room of this localpart, from memory or storage; None where there is none."""
        while (loading := self._loading.get(name)) is not None:
            await loading
        room = self.loaded.get(name)
        if room is not None:
            return room
        self._loading[name] = done = asyncio.get_running_loop().create_future()
        try:
            return await self._load(name)
        finally:
            del self._loading[name]
            done.set_result(None)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Room | None]:
        """The room of this localpart in its turn; None where there is none."""
        while (room := await self.find(name)) is not None:
            async with Turn(room) as here:
                if here:
                    yield room
                    return
        yield None

    async def _load(self, name: str) -> Room | None:
        jid = JID(name, self._muc.domain)
        record = await self._muc.shelf.load(jid)
        if record is None:
            return None
        room = Room(self._muc, record, stored=True)
        kept = most_kept(room)
        if kept:
            room = Room(self._muc, record, await self._muc.shelf.history(jid, kept), stored=True)
        self.loaded[name] = room
        self.settle(room)
        return room

    async def in_memory(self, name: str) -> Room | None:
        """The room of this localpart where it is loaded, or is just being read."""
        while (loading := self._loading.get(name)) is not None:
            await loading
        return self.loaded.get(name)

    def create(self, jid: JID) -> Room:
        """A new room with the default settings, in memory only; `resource-constraint` where there are too many."""
        limit = self._muc.options.max_rooms
        if limit and self.count >= limit:
            raise StanzaError("resource-constraint", f"this service has {limit} rooms at most", kind="wait")
        now = int(self._muc.clock.time())
        room = Room(self._muc, Record(jid, self._muc.default_settings, token_bytes(32), now, now))
        self.loaded[jid.local] = room
        self._fleeting += 1
        return room

    @property
    def count(self) -> int:
        """How many rooms there are, stored or not."""
        return self.stored + self._fleeting

    def keep(self, room: Room, stored: bool) -> None:
        """A room is in storage from now on, or is not any more."""
        change = int(stored) - int(room.stored)
        if change < 0:
            self.ledger.note(room, {*room.affiliations, *room.nicks.values(), *room.worn})
        room.stored = stored
        self.stored += change
        self._fleeting -= change

    def enlist(self, room: Room) -> None:
        """Bring the list to what the room is now."""
        wanted = room.settings.public and not (room.stored or room.locked or room.gone)
        place = bisect_left(self.listed, room.jid)
        present = place < len(self.listed) and self.listed[place] == room.jid
        if wanted and not present:
            self.listed.insert(place, room.jid)  # moves pointers: 20 µs among 100,000, once in a room's life
        elif present and not wanted:
            del self.listed[place]

    def drop(self, room: Room) -> None:
        """Out of memory."""
        if room.gone:
            return
        room.gone = True
        self._fleeting -= not room.stored
        self.enlist(room)
        self.ledger.drop(room)
        self._idle.pop(room, None)
        self.waiting.discard(room)
        self.asking.discard(room)
        if self.loaded.get(room.jid.local) is room:
            del self.loaded[room.jid.local]

    def settle(self, room: Room) -> None:
        """A room's turn has ended: who is empty goes, at once where it is not stored, else after a while."""
        if len(room.occupants):
            self._idle.pop(room, None)
        elif not room.stored:
            self.drop(room)
        else:
            self._idle.pop(room, None)
            self._idle[room] = self._muc.clock.monotonic()

    def sweep(self) -> None:
        """Empty rooms that nobody has used for long leave memory; what is stored of them is up to date."""
        before = self._muc.clock.monotonic() - self._muc.options.hibernation_timeout
        for room, since in list(self._idle.items()):
            if since > before:
                return
            if not room.lock.locked():
                self._muc.storage.write(store.put_used(room.jid, room.used))
                self.drop(room)

    # How many rooms somebody is in

    def enter(self, account: JID) -> None:
        """Count one more; `resource-constraint` past `max_user_conferences`."""
        number = self._joined.get(account, 0)
        limit = self._muc.options.max_user_conferences
        if limit and number >= limit:
            raise StanzaError("resource-constraint", f"you may be in {limit} rooms at most", kind="wait")
        self._joined[account] = number + 1

    def left(self, account: JID) -> None:
        """Count one less."""
        number = self._joined.get(account, 0) - 1
        if number > 0:
            self._joined[account] = number
        else:
            self._joined.pop(account, None)
