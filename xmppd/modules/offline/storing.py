"""Stores what nobody is there to read, and what waits for a client that has lost its connection."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine

from xmppd.api import (
    MOST_DAYS,
    STOP,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    Returned,
    StorageError,
    Verdict,
    hook,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.passage import Passage

from .boxes import Box, Boxes
from .held import Held
from .record import pack
from .worth import Worth, worth


class Storing(Module):
    """What `Offline` writes."""

    stored = Counter("Messages stored for users who were away")
    refused = Counter("Messages refused because the user had too many stored")

    class Options(ModuleOptions):
        """How much is kept, and for how long."""

        max_user_messages: int = option(
            1000, "Messages of one account; past it `service-unavailable`. A month of a busy user's chats", least=1
        )
        expire_days: int = option(0, "Delete what is older; 0 keeps it until it is fetched", least=0, most=MOST_DAYS)
        until_acknowledged: bool = option(
            False, "Store what is not archived until clients acknowledge it (restart); two more writes for each message"
        )

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._boxes = Boxes(host.name, self.storage)

    @hook.account_absent
    def keep(self, event: Event) -> Verdict | Coroutine[None, None, Verdict]:
        """Store what is worth it; what is not is refused, or dropped without a word (see `worth`)."""
        verdict = worth(event.stanza)
        if verdict is not Worth.KEEP:
            return STOP if verdict is Worth.DROP else None
        if isinstance(event, Returned) and isinstance(event.kept, Held):
            self._release(event, event.kept)
            return STOP
        to = event.stanza.to
        assert to is not None
        box = self._boxes.get(to.local)
        if box is None:
            return self._keep_first(event, to.local)
        self.put(event, box)
        return STOP

    async def _keep_first(self, event: Event, name: str) -> Verdict:
        if not await self.host.accounts.exists(name):
            return None  # an anonymous session's, and nobody will ever fetch it
        self.put(event, await self._boxes.find(name))
        return STOP

    def put(self, event: Event, box: Box) -> None:
        """Store a message; `StanzaError` where there is no room, or the disk cannot follow."""
        self._check_room(box)
        sent = event.sent if isinstance(event, Returned) else self.clock.time()
        try:
            commit = self._boxes.put(box, pack(event.stanza), sent)
        except StorageError as error:
            raise _busy() from error
        self.stored.inc()
        event.owe(commit)
        if event.stanza.passage is not None and not isinstance(event, Returned):
            _note(event.stanza.passage, box)
        commit.add_done_callback(lambda commit: self._failed(event, box) if commit.error is not None else None)

    def full(self, box: Box) -> bool:
        """Whether an account has as many messages as it may have."""
        return box.count + len(box.held) >= self.options.max_user_messages

    def _check_room(self, box: Box) -> None:
        if self.full(box):
            self.refused.inc()
            raise StanzaError("service-unavailable", "the user has too many messages waiting already")

    def _failed(self, event: Event, box: Box) -> None:
        box.count -= 1
        self._tell(event)

    def _tell(self, event: Event) -> None:
        error = StanzaError("internal-server-error", "the message could not be stored")
        self.spawn(self.host.house.router.refuse(event, error))

    # For a session that may come back

    def hold_sent(self, event: Event) -> Awaitable[None] | None:
        """What goes to a connected client, where that is wanted; a detached session's door asks by itself."""
        session = event.target
        if session is None or session.detached:
            return None
        return self.host.returning.keep(session, (event.stanza, self.clock.time()))

    @hook.session_absent
    def hold(self, event: Event) -> Verdict | Coroutine[None, None, Verdict]:
        """Store what waits for a client's next connection, unless it is archived: a killed server forgets sessions."""
        target, mam = event.target, self.maybe("mam")
        if target is None or not isinstance(event, Returned) or worth(event.stanza) is not Worth.KEEP:
            return None
        if mam is not None and mam.has_kept(target.jid.bare, event.stanza.letter):
            return None
        name = target.jid.local
        box = self._boxes.get(name)
        if box is None:
            return self._hold_first(event, name)
        self._hold(event, box)
        return STOP

    async def _hold_first(self, event: Returned, name: str) -> Verdict:
        if not await self.host.accounts.exists(name):
            return None
        self._hold(event, await self._boxes.find(name))
        return STOP

    def _hold(self, event: Returned, box: Box) -> None:
        self._check_room(box)
        try:
            seq, commit = self._boxes.hold(box, pack(event.stanza), event.sent)
        except StorageError as error:
            raise _busy() from error
        held = event.kept = Held(self._boxes, box, seq)
        event.owe(commit)
        commit.add_done_callback(lambda commit: self._not_held(event, held) if commit.error is not None else None)

    def _not_held(self, event: Event, held: Held) -> None:
        held.failed()
        self._tell(event)

    def _release(self, event: Returned, held: Held) -> None:
        """It is stored already."""
        try:
            held.release()
        except StorageError as error:
            raise _busy() from error
        event.kept = None
        self.stored.inc()


def _note(passage: Passage, box: Box) -> None:
    """Copies of the newest message are out: who loses one need not give it back, who has one is given no other."""
    passage.stored = True
    passage.holders.has_it()
    if passage.copied:
        box.had[box.last] = passage.copied


def _busy() -> StanzaError:
    return StanzaError("resource-constraint", "the message cannot be stored now")
