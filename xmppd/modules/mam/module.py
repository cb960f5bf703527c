"""XEP-0313: an archive of each account's messages, and the keeping of other archives, such as rooms have."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Final, Literal

from xmppd.api import (
    ACCOUNT,
    ARCHIVE,
    DIRECT,
    IQ,
    STAMP,
    STOP,
    AccountEvent,
    Bound,
    CommandError,
    Commit,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    Progress,
    Session,
    StorageError,
    Verdict,
    command,
    every,
    hook,
    iq_get,
    iq_set,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Payload, Stanza

from .answers import answer, form_of, metadata, result
from .ids import key_at, key_of
from .preferences import Preferences, Shelf
from .purge import Purge
from .query import FORM, MAM, SEARCHABLE, Query
from .stamps import STAMPED, claimants, forged, read_id, stamp
from .store import Store
from .tables import MIGRATIONS
from .tombstones import tombstone
from .worth import worth

DAY: Final = 86_400
HOUR: Final = 3_600
STATE: Final = "mam"  # of a session: the last key that it may have read before its initial presence
FULLTEXT: Final = "urn:xmpp:fulltext:0"
RETRACTION: Final = "urn:xmpp:message-retract:1"


class Mam(Module):
    """Archives what accounts of this host send and receive; see `worth` for what is worth it.

    A message that is received is stamped with its id (XEP-0359), and no other stanza-id of the account's reaches a
    client. It is written together with all that is written in the same moment; an answer to a later request, or an
    acknowledgement, tells its sender that it is on disk. The letter stays the bytes that came in.

    An id that is purged is not found any more (4.3.2); purging takes the oldest first. `<count/>` is given only to who
    asks for no messages (`<max>0</max>`), and not beyond a hundred thousand.
    """

    features = {RETRACTION}
    account_features = {MAM, f"{MAM}#extended", f"{MAM}#groupchat-field", "urn:xmpp:sid:0"}
    xeps = {
        "0059": "1.0", "0297": "1.0", "0313": "1.1.3", "0359": "0.7.0",
        "0424": "0.4.2", "0431": "0.2.0", "0441": "0.2.0",
    }  # fmt: skip
    migrations = MIGRATIONS
    kept = Counter("Messages archived, one for each account")
    kept_of_rooms = Counter("Messages archived of rooms")
    pages = Counter("Pages of archives that were asked for")
    purged = Counter("Archived messages deleted because they were old")

    class Options(ModuleOptions):
        """What is archived, and how long it stays."""

        default: Literal["always", "never", "roster"] = option("always", "Whom accounts archive that do not say")
        expire_days: int = option(0, "Delete what is older; 0 keeps it for ever", least=0)
        max_page: int = option(250, "Messages of one page; some 100 KB", least=1, most=1000)
        search: bool = option(False, "Find messages by their words (restart); costs half as much again")

    options: Options
    store: Store

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.shelf = Shelf(self.storage)
        self._sent: tuple[Event, str] | None = None
        self._read: tuple[bytes, frozenset[JID]] = b"", frozenset()  # the last letter with stanza-ids, and by whom

    async def start(self) -> None:
        """Share the store with the other hosts: they have one table."""
        hosts = (host.modules.get("mam") for host in self.host.house.hosts.values())
        other = next((module for module in hosts if isinstance(module, Mam)), None)
        self.store = other.store if other is not None else await Store.open(self.storage, self.clock)
        if self.options.search and not self.store.search.on:
            await self.store.search.open()
        self.purge = Purge(self.store, self.storage, self.store.search)
        await self.shelf.load()
        self.host.account_features.update(self._searched())

    async def stop(self) -> None:
        """The next start enters what is not entered yet."""
        self.host.account_features.subtract(self._searched())

    def _searched(self) -> set[str]:
        return {FULLTEXT} if self.options.search else set()

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

    @hook.account_receive.at(STAMP, "message")
    def unstamp(self, event: Event) -> None:
        """Take off stanza-ids that claim to be the account's (XEP-0359 4)."""
        stanza = event.stanza
        if stanza.to is None or STAMPED not in stanza.names:
            return
        if stanza.letter is not self._read[0]:  # the copies of what is said in a room share one
            self._read = stanza.letter, claimants(stanza)
        if stanza.to.bare in self._read[1]:
            event.stanza = forged(stanza, stanza.to.bare)

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
        archived = to is not None and self.maybe("offline") is None and read_id(event.stanza.letter, to.bare)
        return STOP if archived else None

    def _wants(self, account: JID, contact: JID) -> bool | None:
        """Whether an account archives what is said with somebody; None where that has to be looked up."""
        if self.shelf.empty and self.options.default == "always":
            return True  # nobody has said otherwise: the busiest case
        own = self.shelf.get(account)
        if own is None and not self.shelf.knows(account):
            return None
        return (own or Preferences(self.options.default)).wants(contact)

    async def _decide(self, account: JID, contact: JID) -> bool:
        wanted = (await self.shelf.find(account) or Preferences(self.options.default)).wants(contact)
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
        if self.store.search.on:
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

    async def answer_for(self, archive: JID, iq: Stanza) -> Payload | None:
        """Answer a `<query/>` or `<metadata/>` to an archive; who may ask has been settled.

        The messages are sent from the archive's address before this returns the result's payload: the form, the
        `<fin/>`, or the metadata. `StanzaError` for whatever cannot be answered.
        """
        if iq.payload is None or not iq.names[0].startswith(f"{MAM} "):
            raise StanzaError("bad-request", "ask an archive with <query/> or <metadata/>")
        if iq.type == "get":
            return await metadata(self.store, archive) if iq.has("metadata", MAM) else self._form()
        return await self._answer(archive, iq)

    async def _answer(self, archive: JID, iq: Stanza) -> Payload:
        asking, session = iq.sender, self._own(archive, iq)
        query = Query.parse(iq.payload, most=self.options.max_page, searchable=self.store.search.on)  # type: ignore[arg-type]
        assert asking is not None, "a request on the road has a sender"
        if session is not None and query.with_ is not None and query.with_.bare == archive:
            query = replace(query, with_=archive)  # what the account sent to itself, from any device (4.1.1)
        found = await answer(self.store, archive, query)
        self.pages.inc()
        for row in found.rows:
            message = result(archive, asking, query, row)
            await (session.deliver(message) if session is not None else self.send(message))
        if session is not None and query.whole and not session.available:
            self.use_archive(session)
        return found.fin

    def _own(self, archive: JID, iq: Stanza) -> Session | None:
        """The session that asks its own archive: what it is given needs no road."""
        return self.host.sessions.find(iq.sender) if iq.sender is not None and iq.sender.bare == archive else None

    def _form(self) -> Payload:
        return form_of((SEARCHABLE if self.store.search.on else FORM).ask())

    async def metadata(self, archive: JID) -> str:
        """The `<metadata/>` of an archive as XML, as the answer to binding a resource carries it too (XEP-0386)."""
        return await metadata(self.store, archive)

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

    # Offline messages and the archive

    def use_archive(self, session: Session) -> None:
        """The session reads all that was archived so far from the archive (XEP-0386 4, XEP-0313 5.1.1).

        So its initial presence does not bring what is stored for absent users and is in the archive up to now; what
        comes later, or is not archived, it is given. A query that looks through the own archive says the same.
        """
        session.keep(STATE, self.store.ids.last)

    @hook.session_bound
    async def bound(self, event: Bound) -> None:
        """A client that binds by XEP-0386 reads the archive, and is told where it ends."""
        self.use_archive(event.session)
        event.answers.append(await self.metadata(event.session.jid.bare))

    def has_read(self, session: Session, letter: bytes) -> bool:
        """Whether a stored message, by its bytes up to the end, is one that the session reads from the archive.

        It is not if the archive may have dropped it meanwhile.
        """
        last = session.state(STATE)
        if not isinstance(last, int):
            return False
        key = read_id(letter, session.jid.bare)
        return 0 < key <= last and key > self._oldest()

    def _oldest(self) -> int:
        return key_at(self.clock.time() - self.options.expire_days * DAY) if self.options.expire_days else 0

    # Requests to the own archive

    @iq_set("query", MAM, to=ACCOUNT)
    async def query(self, iq: IQ) -> Payload | None:
        """A page of the archive (4)."""
        return await self._own_archive(iq)

    @iq_get("query", MAM, to=ACCOUNT)
    async def form(self, iq: IQ) -> Payload | None:
        """The form (4.1.5)."""
        return await self._own_archive(iq)

    @iq_get("metadata", MAM, to=ACCOUNT)
    async def edges(self, iq: IQ) -> Payload | None:
        """The first and the last message (4.4)."""
        return await self._own_archive(iq)

    async def _own_archive(self, iq: IQ) -> Payload | None:
        _check_own(iq)
        return await self.answer_for(iq.account, iq.stanza)

    @iq_get("prefs", MAM, to=ACCOUNT)
    async def get_preferences(self, iq: IQ) -> Payload:
        """What the account wants archived (XEP-0441 2.1)."""
        _check_own(iq)
        return (await self.shelf.find(iq.account) or Preferences(self.options.default)).to_xml()

    @iq_set("prefs", MAM, to=ACCOUNT)
    async def set_preferences(self, iq: IQ) -> Payload:
        """Change it; the answer says what holds from now on."""
        _check_own(iq)
        wanted = Preferences.parse(iq.payload)
        await self.shelf.set(iq.account, wanted)
        return wanted.to_xml()

    # Housekeeping

    @hook.account_removed
    async def forget(self, event: AccountEvent) -> None:
        """An account's archive and preferences go with it."""
        self.shelf.forget(event.account)
        await self.drop(event.account.bare)

    @every(1)
    def enter(self) -> None:
        """Bring what finds messages up to date, where nothing else has."""
        try:
            self.store.enter_old()
        except StorageError as error:
            self.log.warning("new messages of the archive are found more slowly for a while: %s", error)

    @every(HOUR)
    async def expire(self) -> None:
        """Delete what is older than the options allow."""
        if self.options.expire_days:
            await self._purge(self._hosts(), self.options.expire_days, _nobody)

    @command("delete_old_mam_messages", "Delete archived messages that are older than so many days", "mam", "purge")
    async def delete_old_mam_messages(self, type: str, days: int, progress: Progress) -> int:
        """`type` is chat (accounts), groupchat (rooms) or all; returns how many were deleted."""
        hosts = {"chat": [self.host.name], "groupchat": list(self.host.domains), "all": self._hosts()}.get(type)
        if hosts is None:
            raise CommandError("TYPE must be chat, groupchat or all")
        if days < 0:
            raise CommandError("DAYS must be 0 or more")
        return await self._purge(hosts, days, progress)

    @command("remove_mam_for_user", "Delete the archive of an account", "mam", "purge")
    async def remove_mam_for_user(self, account: JID) -> None:
        """All that is in it; what comes later is archived again."""
        await self.drop(account)

    def _hosts(self) -> list[str]:
        return [self.host.name, *self.host.domains]

    async def _purge(self, hosts: list[str], days: int, progress: Progress) -> int:
        before = key_at(self.clock.time() - days * DAY)
        deleted = sum([await self.purge.before(host, before, progress) for host in hosts])
        self.purged.inc(deleted)
        return deleted


def _check_own(iq: IQ) -> None:
    if not iq.is_own:
        raise StanzaError("forbidden", "an archive is for its owner alone")


def _nobody(done: int, total: int) -> None:
    """The progress of what nobody watches."""
