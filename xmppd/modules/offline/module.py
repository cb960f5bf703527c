"""XEP-0160: messages for users who are away are stored, and delivered when they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from xmppd.api import (
    DELIVER,
    DIRECT,
    STOP,
    AccountEvent,
    CommandError,
    Counter,
    Event,
    PresenceChanged,
    Progress,
    Session,
    SessionEvent,
    Verdict,
    check_days,
    command,
    every,
    hook,
)
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

from .boxes import MIGRATIONS, Box
from .handover import Handover
from .imported import messages_of
from .storing import Storing
from .worth import Worth, worth

DAY: Final = 86_400
HOUR: Final = 3_600
NS_PIE: Final = "urn:xmpp:pie:0"


class Offline(Storing):
    """Stores messages for accounts of this host that have no session to read them (RFC 6121 8.5.2.2.1).

    A session that becomes available with a priority of 0 or more is given them in the order they came, each dated
    (XEP-0203), and nothing newer before them. A message is deleted when the client's TCP has acknowledged its bytes:
    one whose connection breaks before that stays for the next session. So a message is never lost, and it comes twice
    only if the server dies, or the connection breaks in disorder, in the moment between. Subscription requests are the
    roster's.

    Other devices that want copies (XEP-0280) and were here when a message came are given one when the first that is
    available takes it.

    What waits for a session that has lost its connection (XEP-0198) is stored too, unless it is archived, until a
    client acknowledges it. With `until_acknowledged` so is what a connected client of XEP-0198 is sent. Only a server
    that was killed gives it to somebody else before those sessions have ended.

    Where messages are archived too (`mam`), a session that looks through its archive before its initial presence, or
    that binds by XEP-0386, is not given those that were in the archive at that moment: it reads them there. They count
    as delivered. What came later, what is not archived, and what the archive may have dropped meanwhile it is given;
    and who does not use the archive is given all.
    """

    features, xeps, migrations = {"msgoffline"}, {"0160": "1.0.1", "0203": "2.0", "0334": "0.4.0"}, MIGRATIONS

    delivered = Counter("Stored messages that a client has taken")

    async def start(self) -> None:
        """Learn who has messages."""
        await self._boxes.load()
        if self.options.until_acknowledged:
            self.host.returning.until_told = True
            self.host.hooks.session_receive.add(self.hold_sent, DELIVER, (DIRECT,))

    async def stop(self) -> None:
        """What is on its way and not taken stays stored."""
        self.host.returning.until_told = False
        self.host.hooks.session_receive.remove(self.hold_sent)
        for box in self._boxes:
            if box.handover is not None:
                box.handover.end()
        await super().stop()

    # Order

    @hook.account_receive.at(DELIVER, DIRECT)
    def in_order(self, event: Event) -> Verdict:
        """While stored messages wait for a session that is here already, a new one goes behind them."""
        to = event.stanza.to
        if to is None:
            return None
        box = self._boxes.get(to.local)
        if box is None or not box.waiting or to.bare not in self.host.sessions.present:
            return None  # where nobody is here it is kept anyway, behind the others
        return self._behind(event, box, to)

    def _behind(self, event: Event, box: Box, to: JID) -> Verdict:
        present = self.present(box.name)
        if not present or worth(event.stanza) is not Worth.KEEP or self._is_for_another(box, to):
            return None
        if self.full(box):
            return None  # it can still be read now
        self.put(event, box)
        if box.handover is None:
            self.ended(box)
        return STOP

    async def _keep_first(self, event: Event, name: str) -> Verdict:
        """Who has come while it was looked up whether there are others is given it."""
        verdict = await super()._keep_first(event, name)
        box = self._boxes.get(name)
        if box is not None and box.handover is None:
            self.ended(box)
        return verdict

    def _is_for_another(self, box: Box, to: JID) -> bool:
        if not to.resource:
            return False
        reached = self.host.sessions.find(to)
        return reached is not None and (box.handover is None or box.handover.session is not reached)

    # Delivering

    @hook.presence_changed
    async def deliver(self, event: PresenceChanged) -> None:
        """Give a session what is stored (XEP-0160 2, step 5)."""
        session = event.session
        if event.now and session.priority >= 0:
            name = session.jid.local
            if not self._boxes.knows(name):
                await self._boxes.find(name)
            box = self._boxes.get(name)
            if box is not None:
                await self._hand_over(box, session)

    async def _hand_over(self, box: Box, session: Session) -> None:
        """Begin, unless somebody else has begun or the session has left meanwhile: `leave` would not come again."""
        if box.waiting and box.handover is None and session in self.present(box.name):
            await Handover(box, self._boxes, session, self).begin()

    def ended(self, box: Box) -> None:
        """Whoever else is here is given what still waits."""
        present = self.present(box.name)
        if box.waiting and box.handover is None and present:
            self.spawn(self._hand_over(box, present[0]))

    def present(self, name: str) -> list[Session]:
        """The sessions of an account that may be given messages: available, and not negative."""
        sessions = self.host.sessions.of(f"{name}@{self.host.name}")
        return [session for session in sessions if session.presence is not None and session.priority >= 0]

    def reading(self, session: Session) -> Callable[[bytes], bool] | None:
        """Whether a session reads a stored message from the archive; None where there is no archive."""
        mam = self.maybe("mam")
        return None if mam is None else partial(mam.has_read, session)

    def wanting(self, taker: Session) -> Sequence[Session]:
        """Other sessions of the account that want copies (XEP-0280)."""
        carbons = self.maybe("carbons")
        return carbons.wanting(taker.jid.bare, taker) if carbons is not None else ()

    async def copy(self, stanza: Stanza, account: JID, sessions: Sequence[Session]) -> set[object]:
        """Copy a message to some of those; who was given a copy."""
        carbons = self.maybe("carbons")
        return await carbons.copy_stored(stanza, account, sessions) if carbons is not None else set()

    def count_taken(self, number: int) -> None:
        """For the metrics."""
        self.delivered.inc(number)

    @hook.session_closed
    def leave(self, event: SessionEvent) -> None:
        """What the session was given and has not taken is the next one's."""
        jid = event.session.jid
        box = self._boxes.get(jid.local)
        if box is None:
            return
        if box.handover is not None and box.handover.session is event.session:
            box.handover.end()
        if jid.bare not in self.host.sessions.present:
            box.had.clear()

    # Housekeeping

    @hook.account_removed
    def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone, and nothing more handed over."""
        box = self._boxes.clear(event.account.local)
        if box is not None and box.handover is not None:
            box.handover.end()

    @every(HOUR)
    async def expire(self) -> None:
        """Delete what is older than the options allow."""
        if self.options.expire_days:
            await self._boxes.delete_before(self.clock.time() - self.options.expire_days * DAY)

    @command("get_offline_count", "How many messages are stored for an account", "offline")
    async def get_offline_count(self, account: JID) -> int:
        """Those on disk."""
        return await self._boxes.count(account.local)

    @command("delete_expired_messages", "Delete stored messages that are older than expire_days", "offline", "purge")
    async def delete_expired_messages(self, progress: Progress) -> int:
        """Returns how many were deleted."""
        if not self.options.expire_days:
            raise CommandError("no message expires; set expire_days of the module offline, or use delete_old_messages")
        return await self.delete_old_messages(self.options.expire_days, progress)

    @command("delete_old_messages", "Delete stored messages that are older than so many days", "offline", "purge")
    async def delete_old_messages(self, days: int, progress: Progress) -> int:
        """Returns how many were deleted."""
        check_days(days)
        return await self._boxes.delete_before(self.clock.time() - days * DAY, progress)

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take the `<offline-messages/>` of an export (XEP-0227 4.5)."""
        if element.tag != f"{{{NS_PIE}}}offline-messages":
            return False
        messages = messages_of(element, account, self.clock.time())
        if messages:
            await self._boxes.put_all(await self._boxes.find(account.local), messages)
        return True
