"""XEP-0313: an archive of each account's messages, and the keeping of other archives, such as rooms have."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from xmppd.api import (
    ACCOUNT,
    DELIVER,
    IQ,
    STOP,
    AccountEvent,
    Bound,
    CommandError,
    Counter,
    Event,
    Host,
    ModuleOptions,
    Progress,
    Session,
    StorageError,
    Verdict,
    check_days,
    command,
    every,
    hook,
    iq_get,
    iq_set,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import MAM, RETRACT, SID
from xmppd.xmpp.stanza import Payload, Stanza

from .answers import answer, form_of, metadata, result
from .ids import key_at
from .keeping import Keeping
from .preferences import USUAL, Preferences
from .query import FORM, SEARCHABLE, Query
from .reading import NOTHING, Reading, Readings
from .stamps import read_id
from .tables import MIGRATIONS

DAY: Final = 86_400
HOUR: Final = 3_600
STATE: Final = "mam"  # of a session: its `Reading`
EDGES: Final = "mam.edges"  # of a session: whether it was told where the archive ends, and may go on from there


class Mam(Keeping):
    """Archives what accounts of this host send and receive; see `worth` for what is worth it.

    A message that is received is stamped with its id (XEP-0359), and no other stanza-id of the account's reaches a
    client. It is written together with all that is written in the same moment; an answer to a later request, or an
    acknowledgement, tells its sender that it is on disk. The letter stays the bytes that came in.

    An id that is purged is not found any more (4.3.2); purging takes the oldest first. `<count/>` is given only to who
    asks for no messages (`<max>0</max>`), and not beyond a hundred thousand. A page ends at `answers.PAGE` bytes too;
    one with fewer messages than were asked for is complete if it says so.
    """

    features = {RETRACT}
    account_features = {MAM, f"{MAM}#extended", f"{MAM}#groupchat-field", SID}
    xeps = {
        "0059": "1.0", "0297": "1.0", "0313": "1.1.3", "0359": "0.7.0",
        "0424": "0.4.2", "0431": "0.2.0", "0441": "0.2.0",
    }  # fmt: skip
    migrations = MIGRATIONS
    pages = Counter("Pages of archives that were asked for")
    purged = Counter("Archived messages deleted because they were old")

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._readings = Readings(0)

    async def start(self) -> None:
        """What clients have read was forgotten with the server's last life."""
        await super().start()
        self._readings = Readings(self.store.ids.last)

    # Reading

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
        query = Query.parse(iq.payload, most=self.options.max_page, searchable=self.searches)  # type: ignore[arg-type]
        assert asking is not None, "a request on the road has a sender"
        if session is not None and query.with_ is not None and query.with_.bare == archive:
            query = replace(query, with_=archive)  # what the account sent to itself, from any device (4.1.1)
        upto = self.store.ids.last  # what comes from now on may not be among what is found
        found = await answer(self.store, archive, query)
        self.pages.inc()
        for row in found.rows:
            message = result(archive, asking, query, row)
            await (session.deliver(message) if session is not None else self.send(message))
        if session is not None and query.whole:
            if session.state(EDGES):
                query = replace(query, behind=0)
            session.keep(STATE, self._readings.go_on(session.jid, _read(session), query, found, upto))
        return found.fin

    def _own(self, archive: JID, iq: Stanza) -> Session | None:
        """The session that asks its own archive: what it is given needs no road."""
        return self.host.sessions.find(iq.sender) if iq.sender is not None and iq.sender.bare == archive else None

    def _form(self) -> Payload:
        return form_of((SEARCHABLE if self.searches else FORM).ask())

    async def metadata(self, archive: JID) -> str:
        """The `<metadata/>` of an archive as XML, as the answer to binding a resource carries it too (XEP-0386)."""
        return await metadata(self.store, archive)

    # Offline messages and the archive

    def use_archive(self, session: Session) -> None:
        """The session reads all that was archived so far from the archive (XEP-0386 4, XEP-0313 5.1.1).

        So its initial presence does not bring what is stored for absent users and is in the archive up to now; what
        comes later, or is not archived, it is given. Pages that reach the end of the own archive say so of what they
        bring.
        """
        session.keep(STATE, Reading(0, self.store.ids.last, whole=True))

    @hook.session_bound
    async def bound(self, event: Bound) -> None:
        """A client that binds by XEP-0386 reads the archive, and is told where it ends."""
        self.use_archive(event.session)
        event.answers.append(await self.metadata(event.session.jid.bare))

    def has_read(self, session: Session, letter: bytes) -> bool:
        """Whether a stored message, by its bytes up to the end, is one that the session reads from the archive.

        It is not if the archive may have dropped it meanwhile.
        """
        reading = _read(session)
        if not reading.whole:
            return False
        key = read_id(letter, session.jid.bare)
        return reading.has(key) and key > self._oldest()

    @hook.session_return.at(DELIVER, "message")
    def is_read(self, event: Event) -> Verdict:
        """A session is not given what another has lost and it reads here itself."""
        session = event.target
        return STOP if session is not None and self.has_read(session, event.stanza.letter) else None

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
        payload = await self._own_archive(iq)
        iq.session.keep(EDGES, True)
        return payload

    async def _own_archive(self, iq: IQ) -> Payload | None:
        _check_own(iq)
        return await self.answer_for(iq.account, iq.stanza)

    @iq_get("prefs", MAM, to=ACCOUNT)
    async def get_preferences(self, iq: IQ) -> Payload:
        """What the account wants archived (XEP-0441 2.1)."""
        _check_own(iq)
        return (await self.shelf.find(iq.account) or USUAL[self.options.default]).to_xml()

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
        check_days(days)
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


def _read(session: Session) -> Reading:
    """What a session has read."""
    reading = session.state(STATE)
    return reading if isinstance(reading, Reading) else NOTHING
