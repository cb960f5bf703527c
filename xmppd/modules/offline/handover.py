"""One account's messages on their way to one session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from xmppd.api import Session, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DELAY
from xmppd.xmpp.passage import STORED
from xmppd.xmpp.stanza import Stanza
from xmppd.xmpp.timestamps import format_datetime

from .boxes import MICROSECONDS, Box, Boxes
from .record import unpack

log = logging.getLogger(__name__)

BUDGET: Final = 262_144  # bytes given to a session before it must have taken them; far below the limit of its queue
FIRST_PAGE: Final = 50  # messages read at once while nothing is known of their size; then as many as the budget allows
LAST_PAGE: Final = 500
FIRST_LOOK: Final = 0.01  # seconds until we look whether they were taken; then twice as long each time, up to
LAST_LOOK: Final = 1.0
DELAYED: Final = f"{DELAY} delay"


class Owner(Protocol):
    """Who hands over: the module."""

    def present(self, name: str) -> Sequence[Session]:
        """The sessions of an account that may be given messages."""

    def reading(self, session: Session) -> Callable[[bytes], bool] | None:
        """Whether a session reads a stored message from the archive; None where there is no archive."""

    def wanting(self, taker: Session) -> Sequence[Session]:
        """Other sessions of the account that want copies (XEP-0280)."""

    async def copy(self, stanza: Stanza, account: JID, sessions: Sequence[Session]) -> set[object]:
        """Copy a message to some of those; who was given a copy."""

    def count_taken(self, number: int) -> None:
        """So many messages have reached a client."""

    def ended(self, box: Box) -> None:
        """A handover is over; what waits in the box is nobody's."""


class Handover:
    """Gives a session what is stored, and deletes it once the client's end has it.

    Messages that come meanwhile are stored behind the others (`Offline.in_order`) and leave here in their turn.
    """

    def __init__(self, box: Box, boxes: Boxes, session: Session, owner: Owner) -> None:
        self.session = session
        self._box = box
        self._boxes = boxes
        self._owner = owner
        self._start = box.last  # what has a higher number came while the user was here
        self._sure = box.handed  # up to here the client has them
        self._given = 0
        self._page = FIRST_PAGE
        self._taken: Callable[[], bool] | None = None
        self._delays: dict[int, bytes] = {}
        self._watch: asyncio.Task[None] | None = None
        self._over = False
        box.handover = self

    async def begin(self) -> None:
        """Give the session what there is; returns when it is on its way, or when the budget is used up."""
        try:
            await self._give()
        except BaseException:
            self._close()
            raise
        if not self._over:
            self._watch = asyncio.create_task(self._go_on())

    def end(self) -> None:
        """The session is gone, or nothing is left to do: what it has not taken belongs to the next one."""
        if not self._over:
            self._close()
            self._owner.ended(self._box)

    def _close(self) -> None:
        self._over = True
        self._settle()
        self._box.handed = self._sure
        self._box.handover = None
        if self._watch is not None:
            self._watch.cancel()

    async def _give(self) -> None:
        room = BUDGET
        while room > 0 and self._box.waiting and self._wanted and not self._over:
            room -= await self._give_page(room)
        if not self._over:
            self._taken = self.session.checkpoint()

    async def _give_page(self, room: int) -> int:
        """Give what one read brings, or as much as there is room for; the bytes that were given."""
        box, last, limit, size = self._box, self._box.last, self._page, 0
        await box.settled()
        page = await self._boxes.page(box, last, limit)
        read = self._owner.reading(self.session)
        others = self._owner.wanting(self.session)
        for seq, message in page:
            if size >= room:
                return size
            if seq in box.held:
                box.handed = seq
                continue
            if others and not self._over:
                await self._copy(seq, message)
            if not (self._over or (read is not None and read(message))):  # what it has read is no less taken
                waiting = self._give_one(seq, message)
                if waiting is not None:
                    await waiting
            if self._over:
                return size
            box.handed = seq
            self._given += 1
            size += len(message)
        if len(page) < limit and not self._over:
            box.handed = last
        if size:
            self._page = max(1, min(LAST_PAGE, BUDGET * len(page) // size))
        return size

    @property
    def _wanted(self) -> bool:
        return self.session in self._owner.present(self._box.name)

    async def _copy(self, seq: int, packed: bytes) -> None:
        """To those that were here when it came: they have not read it in the archive, and will not find it here."""
        had = self._box.had.get(seq, set())
        served = self._owner.present(self._box.name) if seq > self._start else ()
        others = [
            session
            for session in self._owner.wanting(self.session)
            if int(session.since * MICROSECONDS) <= seq
            and not (session in served or session in had or self._has_read(session, packed))
        ]
        if others:
            stanza = unpack(packed, self._delay(seq), DELAYED)
            self._box.had[seq] = had | await self._owner.copy(stanza, self.session.jid.bare, others)

    def _has_read(self, session: Session, packed: bytes) -> bool:
        read = self._owner.reading(session)
        return read is not None and read(packed)

    def _give_one(self, seq: int, packed: bytes) -> Awaitable[None] | None:
        if seq > self._start:
            return self._give_all(seq, unpack(packed))
        if self._box.had and self.session in self._box.had.get(seq, ()):
            return None
        return _deliver(self.session, unpack(packed, self._delay(seq), DELAYED))

    async def _give_all(self, seq: int, stanza: Stanza) -> None:
        had = self._box.had.get(seq, set())
        for session in self._owner.present(self._box.name):
            if session in had:
                continue
            if session is not self.session:  # it takes what is left where this one leaves
                self._box.had[seq] = had = had | {session}
            if (waiting := _deliver(session, stanza)) is not None:
                await waiting

    def _delay(self, seq: int) -> bytes:
        # To the microsecond: clients sort by it, also beside what came live in the same second.
        second, fraction = divmod(seq, MICROSECONDS)
        made = self._delays.get(second)
        if made is None:
            host, stamp = self.session.jid.domain, format_datetime(second).removesuffix("Z")
            made = self._delays[second] = f"<delay xmlns='{DELAY}' from='{host}' stamp='{stamp}".encode()
        return b"%b.%06dZ'/>" % (made, fraction)

    async def _go_on(self) -> None:
        try:
            while await self._give_more():
                pass
        except Exception:
            log.exception("offline messages of %s stay stored until the next presence", self.session.jid.bare)
            self._watch = None
            self._close()
        else:
            self._watch = None
            self.end()

    async def _give_more(self) -> bool:
        """Once the client has what it was given, give it the rest; False where there is none."""
        pause = FIRST_LOOK
        while not self._settle():
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_LOOK)
        if not self._box.waiting or not self._wanted:
            return False
        await self._give()
        return True

    def _settle(self) -> bool:
        """Delete what the client has; False while it has not."""
        if self._taken is None or not self._taken():
            return False
        if self._given:
            try:
                self._boxes.taken(self._box, self._given, self._box.handed)
                self._owner.count_taken(self._given)
            except StorageError as error:
                log.error("offline messages that were delivered could not be deleted: %s", error)
        self._sure, self._given, self._taken = self._box.handed, 0, None
        return True


def _deliver(session: Session, stanza: Stanza) -> Awaitable[None] | None:
    """Give a session a message; what is left to wait for, if anything is."""
    stanza.passage = STORED
    waiting = session.offer(stanza)
    return None if waiting is None else _delivered(session, waiting)


async def _delivered(session: Session, waiting: Awaitable[None]) -> None:
    try:
        await waiting
    except StanzaError as error:
        log.debug("%s refuses a stored message: %s", session.jid, error)
