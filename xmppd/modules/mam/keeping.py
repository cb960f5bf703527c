"""Keeps an account's messages as they pass, and whatever other modules want kept: the writing half of the archive."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Final, Literal

from xmppd.api import (
    ARCHIVE,
    DIRECT,
    MOST_DAYS,
    SHARED,
    STAMP,
    STOP,
    Commit,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    StorageError,
    Verdict,
    hook,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .ids import key_of
from .preferences import USUAL, Shelf
from .purge import Purge
from .stamps import STAMPED, claimants, forged, read_id, stamp
from .store import Store
from .tombstones import tombstone
from .worth import worth

FULLTEXT: Final = "urn:xmpp:fulltext:0"


class Keeping(Module):
    """What `Mam` writes."""

    kept = Counter("Messages archived, one for each account")
    kept_of_rooms = Counter("Messages archived of rooms")

    class Options(ModuleOptions):
        """What is archived, and how long it stays."""

        default: Literal["always", "never", "roster"] = option("always", "Whom accounts archive that do not say")
        expire_days: int = option(0, "Delete what is older; 0 keeps it for ever", least=0, most=MOST_DAYS)
        max_page: int = option(250, "Messages of one page, which ends at 512 KiB too", least=1, most=1000)
        search: bool = option(False, "Find messages by their words (restart); costs half as much again")

    options: Options
    store: Store
    searches: bool
    """Whether this host's messages are found by their words; as it was at the start."""

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.shelf = Shelf(self.storage)
        self._sent: tuple[Event, str] | None = None

    async def start(self) -> None:
        """Share the store with the other hosts: they have one table."""
        hosts = (host.modules.get("mam") for host in self.host.house.hosts.values())
        other = next((module for module in hosts if isinstance(module, Keeping)), None)
        self.store = other.store if other is not None else await Store.open(self.storage, self.clock)
        if self.options.search and not self.store.search.on:
            await self.store.search.open()
        self.purge = Purge(self.store, self.storage, self.store.search)
        self.searches = self.options.search
        await self.shelf.load()
        self.host.account_features.update(self._searched())

    async def stop(self) -> None:
        """The next start enters what is not entered yet."""
        self.host.account_features.subtract(self._searched())

    def _searched(self) -> set[str]:
        return {FULLTEXT} if self.searches else set()

    # The road of an account's messages

    @hook.session_send.at(ARCHIVE, "message")
    def keep_sent(self, event: Event) -> Awaitable[None] | None:
        """What a session sends; what it sends to its own account is kept when it arrives there (5.1.1)."""
        stanza = event.stanza
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None or to.bare == sender.bare or not worth(stanza):
            return None
        wanted = self._wants(sender.bare, to)
        if wanted is True:
            self._keep_sent(event, sender.bare, to)
        return self._keep_sent_if(event, sender.bare, to) if wanted is None else None

    async def _keep_sent_if(self, event: Event, archive: JID, to: JID) -> None:
        if await self._decide(archive, to):
            self._keep_sent(event, archive, to)

    def _keep_sent(self, event: Event, archive: JID, to: JID) -> None:
        id = self.new_id()
        self._sent = event, id
        self._keep(event, archive, to, id)

    @hook.account_receive.at(STAMP, DIRECT)
    def unstamp(self, event: Event) -> None:
        """Take off stanza-ids that claim to be the account's (XEP-0359 4)."""
        stanza = event.stanza
        if stanza.to is not None and STAMPED in stanza.names and stanza.to.bare in claimants(stanza):
            event.stanza = forged(stanza, stanza.to.bare)

    @hook.account_receive.at(STAMP, SHARED)
    def unstamp_all(self, event: Event) -> None:
        """The same of what is said to many: it comes from no account's archive, whoever reads it."""
        if STAMPED not in event.stanza.names:
            return
        for account in claimants(event.stanza):
            if account.local and account.domain == self.host.name:
                event.stanza = forged(event.stanza, account)

    @hook.account_receive.at(ARCHIVE, DIRECT)
    def keep_received(self, event: Event) -> Awaitable[None] | None:
        """Stamp and keep what an account receives."""
        stanza = event.stanza
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None or not worth(stanza) or self._bounces(stanza, to):
            return None
        wanted = self._wants(to.bare, sender)
        if wanted is True:
            self._keep_received(event, to.bare, sender)
        return self._keep_received_if(event, to.bare, sender) if wanted is None else None

    async def _keep_received_if(self, event: Event, archive: JID, sender: JID) -> None:
        if await self._decide(archive, sender):
            self._keep_received(event, archive, sender)

    def _keep_received(self, event: Event, archive: JID, sender: JID) -> None:
        id = self.new_id()
        event.stanza = stamp(event.stanza, archive, id)
        self._keep(event, archive, sender, id)

    def _bounces(self, stanza: Stanza, to: JID) -> bool:
        """Whether it will be refused, for a device that is gone (RFC 6121 8.5.3.2.1): then nobody received it."""
        return bool(to.resource) and stanza.type != "chat" and self.host.sessions.find(to) is None

    @hook.account_absent
    def keep_for_later(self, event: Event) -> Verdict:
        """Where messages are not stored for absent users, being archived is enough not to be refused."""
        to = event.stanza.to
        archived = to is not None and self.maybe("offline") is None and self.has_kept(to.bare, event.stanza.letter)
        return STOP if archived else None

    def has_kept(self, account: JID, letter: bytes) -> bool:
        """Whether a message that an account was sent, by its bytes up to the end, went into its archive."""
        return read_id(letter, account) > 0

    def _wants(self, account: JID, contact: JID) -> bool | None:
        """Whether an account archives what is said with somebody; None where that has to be looked up."""
        if self.shelf.empty and self.options.default == "always":
            return True  # nobody has said otherwise: the busiest case
        own = self.shelf.get(account)
        if own is None and not self.shelf.knows(account):
            return None
        return (own or USUAL[self.options.default]).wants(contact)

    async def _decide(self, account: JID, contact: JID) -> bool:
        wanted = (await self.shelf.find(account) or USUAL[self.options.default]).wants(contact)
        rosters = self.maybe("roster")
        if wanted is not None or rosters is None:
            return bool(wanted)
        return bool(await rosters.subscription(account, contact.bare))

    # For other modules

    def new_id(self) -> str:
        """An id for a message that is to be kept: after all others in the order of text, unique, not to be guessed."""
        return self.store.ids.make()

    def keep(self, archive: JID, stanza: Stanza, with_: JID, id: str, *, rooms: bool = False) -> Commit:
        """Queue a message for an archive, under an id of `new_id`; the caller owes the commit.

        `with_` is whom a query for one address finds it by: the contact, or who spoke in a room. The message is
        forwarded as it is, so a room leaves out `to`; it is not asked whether it is worth it. `rooms` says that the
        archive is a room's, which is counted apart. `StorageError` where the disk cannot follow.
        """
        (self.kept_of_rooms if rooms else self.kept).inc()
        commit = self.store.keep(archive, archive.domain, id, with_, stanza.data)
        if self.searches:
            self.store.search.enter(archive, key_of(id), stanza.text("body"))
        return commit

    def _keep(self, event: Event, archive: JID, with_: JID, id: str) -> None:
        try:
            event.owe(self.keep(archive, event.stanza, with_, id))
        except StorageError as error:
            raise StanzaError("resource-constraint", "the message cannot be archived now") from error

    def sent_id(self, event: Event) -> str:
        """The id in the sender's archive of a message that is on its way through `session_send`; "" where it has none.

        The sender's other devices are told (XEP-0313 3.6), nobody else is.
        """
        return self._sent[1] if self._sent is not None and self._sent[0] is event else ""

    async def redact(
        self, archive: JID, id: str, *, retraction: str = "", inside: str = "", keep: Iterable[str] = ()
    ) -> bool:
        """Put a tombstone in the place of a message (XEP-0424 5, XEP-0425 5); False where there is no such id.

        `retraction` is the id of the message that retracts it, `inside` the XML of the tombstone's children, such as
        `<moderated/>`. Of the message stay its envelope and those top elements whose `"namespace name"` is in `keep`.
        On disk when it returns.
        """
        await self.store.settled()
        message = await self.store.message(archive, id)
        if message is None:
            return False
        await self.store.replace(archive, id, tombstone(message, retraction, inside, self.clock.time(), keep))
        return True

    async def drop(self, archive: JID) -> None:
        """Delete an archive: its room or account is gone. Returns when it is on disk."""
        await self.purge.archive(archive)
