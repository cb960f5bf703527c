"""What becomes of stanzas that a session was sent and its client has not acknowledged (XEP-0198 4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, Protocol

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CARBONS, MAM
from xmppd.xmpp.passage import Holders, Kept, Passage
from xmppd.xmpp.stanza import Stanza, escape
from xmppd.xmpp.timestamps import format_datetime

from .delivery import deliver
from .event import Event
from .hooks import STOP, Hooks, Verdict
from .router import Router
from .sessions import Session, Sessions

log = logging.getLogger(__name__)

Entry = tuple[Stanza, float]  # a stanza and when it was sent, in seconds since 1970
DELAYED: Final = f"{ns.DELAY} delay"
EVENT: Final = "http://jabber.org/protocol/pubsub#event event"
# The message itself is elsewhere, can be asked for again, or is known.
COPIES: Final = frozenset({f"{CARBONS} received", f"{CARBONS} sent", f"{MAM} result"})
OF_A_DEVICE: Final = frozenset({"error", "groupchat", "headline"})


class Returned(Event):
    """A message that a session was sent and has, or may have, lost: for whoever keeps messages of those who are away.

    `sent` is when it was sent first, in seconds since 1970; the stanza has no `<delay/>` that says so. `kept` is where
    it lies since `session_absent`; who takes it from there in `account_absent` leaves None.
    """

    __slots__ = ("kept", "sent")

    def __init__(
        self, stanza: Stanza, sent: float, origin: Session | None = None, target: Session | None = None
    ) -> None:
        super().__init__(stanza, origin, target)
        self.sent = sent
        self.kept: Kept | None = None


class Fate(Enum):
    """What to do with a stanza whose session is gone."""

    DROP = "drop"
    REFUSE = "refuse"
    RETURN = "return"


def fate(stanza: Stanza) -> Fate:
    """What to do with it.

    Presence, results and errors mean nothing to anybody else. Requests are answered as those to a resource that is
    gone. Messages go back to the road, except what is for one device alone, lies in a store, or is only a copy; but a
    copy whose `passage` has the message itself stands for that, unless it lies in a store.
    """
    if stanza.kind == "iq":
        return Fate.REFUSE if stanza.type in ("get", "set") else Fate.DROP
    passage = stanza.passage
    if stanza.kind == "presence" or (passage is not None and passage.stored) or stanza.type in OF_A_DEVICE:
        return Fate.DROP
    if passage is not None and passage.before is not None:
        return Fate.DROP if _stored(passage.before) else Fate.RETURN
    names = stanza.names
    if not COPIES.isdisjoint(names) or (EVENT in names and stanza.to is not None and stanza.to.resource):
        return Fate.DROP
    return Fate.RETURN


def _stored(before: Stanza | None) -> bool:
    return before is not None and before.passage is not None and before.passage.stored


def original(entry: Entry) -> Entry:
    """What was sent in the first place, and when: a message may be lost by one session after another."""
    passage = entry[0].passage
    return entry if passage is None or passage.before is None else (passage.before, passage.sent)


def dated(entry: Entry, host: str, holders: Holders) -> Stanza:
    """The message with the time it was sent first (XEP-0203), on its way to some of `holders`."""
    stanza, sent = entry
    stamp = format_datetime(sent)
    copy = stanza.with_child(f"<delay xmlns='{ns.DELAY}' from='{escape(host)}' stamp='{stamp}'/>", DELAYED)
    copy.passage = Passage(before=stanza, sent=sent)
    copy.passage.holders = holders
    return copy


class Home(Protocol):
    """A host, as far as it has sessions."""

    sessions: Sessions


class Returning:
    """The way back to the road, on one host. It passes by all that `account_receive` does: that was done before.

    What a session may not have received is kept meanwhile, if nobody else has it: where the session has lost its
    connection, and with `until_told` also where it has one, until its client acknowledges it.
    """

    def __init__(self, host: str, hosts: Mapping[str, Home], hooks: Hooks, router: Router) -> None:
        self.accounts: dict[JID, asyncio.Event] = {}  # whose messages are being given back now
        self.until_told = False
        self._host = host
        self._hosts = hosts
        self._hooks = hooks
        self._router = router

    async def over(self, account: JID) -> None:
        """Wait until nothing of this account is being given back, so that newer messages come behind."""
        while (gate := self.accounts.get(account)) is not None:
            await gate.wait()

    def keep(self, session: Session, entry: Entry, *, fresh: bool = True) -> Awaitable[None] | None:
        """Have a message kept that a session may not receive, unless another has it; its sender's session owes that.

        `fresh` messages are just being given to sessions, others were given to them before. The road waits for what is
        returned; `StanzaError` where it cannot be kept.
        """
        stanza = entry[0]
        if not self._hooks.session_absent.of[stanza.kind] or fate(stanza) is not Fate.RETURN:
            return None
        stanza.given(session)
        assert stanza.passage is not None
        holders = stanza.passage.holders
        if not fresh:
            self._look(holders, session)
        if holders.sure or holders.kept is not None or not self._may_lose(holders):
            return None
        message, sent = original(entry)
        event = Returned(message, sent, self._session(message.sender), session)
        verdict = self._hooks.session_absent.begin(event)
        if verdict is None or verdict is STOP:
            holders.kept = event.kept
            return None
        return self._keep_later(event, verdict, holders)

    async def _keep_later(self, event: Returned, verdict: Awaitable[Verdict], holders: Holders) -> None:
        await verdict
        if not holders.sure and holders.kept is None and self._may_lose(holders):
            holders.kept = event.kept
        elif event.kept is not None:
            event.kept.drop()

    def _look(self, holders: Holders, asking: Session) -> None:
        """Take note where another of them has it for sure."""
        for each in holders:
            if isinstance(each, Session) and each is not asking and not each.door.lacks(holders):
                holders.has_it()
                return

    def _may_lose(self, holders: Iterable[object]) -> bool:
        """Whether there are some, and none has it for sure; each tells if that changes."""
        doubtful = [isinstance(each, Session) and self._doubts(each) and each.door.tells() for each in holders]
        return bool(doubtful) and all(doubtful)

    def _doubts(self, session: Session) -> bool:
        return session.detached or self.until_told

    def _session(self, address: JID | None) -> Session | None:
        """Whoever has this full address, on any host."""
        home = self._hosts.get(address.domain) if address is not None else None
        return home.sessions.find(address) if home is not None and address is not None else None

    async def give_back(self, session: Session, lost: Sequence[Entry]) -> None:
        """Give what a session has lost to sessions that have not had it, or to whoever keeps it, or refuse it.

        The session is taken out already. Its messages are dated, and stay in order.
        """
        account = session.jid.bare
        await self.over(account)
        gate = self.accounts[account] = asyncio.Event()
        refused: list[tuple[Stanza, StanzaError]] = []
        try:
            for entry in lost:
                try:
                    await self._give_back(session, entry)
                except StanzaError as error:
                    refused.append((original(entry)[0], error))
                    if entry[0].passage is not None:
                        entry[0].passage.holders.drop()
                except Exception:
                    log.exception("%s has not acknowledged %r, and it could not be given back", session.jid, entry[0])
        finally:
            del self.accounts[account]
            gate.set()
        for stanza, why in refused:
            await self._router.refuse(Event(stanza), why)

    async def _give_back(self, session: Session, entry: Entry) -> None:
        what = fate(entry[0])
        if what is Fate.REFUSE:
            raise StanzaError("service-unavailable")
        if what is Fate.DROP:
            return
        entry[0].given()
        assert entry[0].passage is not None
        holders = entry[0].passage.holders
        holders.discard(session)
        candidates = [
            other
            for other in self._hosts[self._host].sessions.of(session.jid.bare)
            if reads(other) and other not in holders
        ]
        message = original(entry)[0]
        for other in candidates:
            if await self._hooks.session_return.run(Event(message, None, other)) is STOP:
                holders.add(other)
                holders.has_it()
        self._look(holders, session)
        chosen = [other for other in candidates if other not in holders]
        if chosen:
            holders.update(chosen)
            await deliver(dated(original(entry), self._host, holders), chosen)
            if not self._may_lose(chosen):
                holders.drop()
        elif not holders:
            await self._leave(Returned(*original(entry)), holders)

    async def _leave(self, event: Returned, holders: Holders) -> None:
        """Nobody is here: it goes to who keeps it, or is taken from where it lies already."""
        event.kept, holders.kept = holders.kept, None
        try:
            if await self._hooks.account_absent.run(event) is not STOP:
                raise StanzaError("service-unavailable", "the recipient is not here and nobody keeps it")
        finally:
            if event.kept is not None:
                event.kept.drop()


def reads(session: Session) -> bool:
    """Whether messages to its account reach it (RFC 6121 8.5.2.1.1)."""
    return session.presence is not None and session.priority >= 0
