"""RFC 6121 2 and 3: rosters with versions, and presence subscriptions."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from xmppd.api import (
    ACCOUNT,
    DELIVER,
    IQ,
    AccountEvent,
    Event,
    Host,
    Module,
    ModuleOptions,
    PresenceChanged,
    Replied,
    RosterChanged,
    SessionEvent,
    State,
    Statement,
    hook,
    iq_get,
    iq_set,
    option,
    stream_feature,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import ROSTER
from xmppd.xmpp.stanza import Element, Stanza

from . import announce, pushes, tables
from .admin import RosterCommands
from .book import Book, Roster, joined
from .items import Item, ItemPart, Wanted, read_set, removed_xml, shown_xml, split
from .login import Login
from .states import BOTH, FROM, LISTED, PENDING_IN, SUBSCRIPTION, SUBSCRIPTION_TYPES, parting, with_subscription
from .subscriptions import Subscriptions

VERSIONS = "<ver xmlns='urn:xmpp:features:rosterver'/>"
PRE_APPROVAL = "<sub xmlns='urn:xmpp:features:pre-approval'/>"


class Rosters(RosterCommands, Module):
    """Keeps the contacts of accounts and runs the subscriptions between them."""

    features, account_features, xeps = {ROSTER}, {ROSTER}, {"0237": "1.3"}
    migrations = tables.MIGRATIONS

    class Options(ModuleOptions):
        """What the administrator can choose."""

        max_groups: int = option(64, "Groups of one contact; `not-acceptable` past it.", least=0)

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.parts: list[ItemPart] = []
        """Those who add children to items; another module appends itself in `start` and leaves in `stop`."""
        self.book = Book(self.storage, self.clock.time, host.sessions.of)
        self.login = Login(self.book, self.parts)
        self.subscriptions = Subscriptions(host, self.book, self.storage, self.push, self.most_items)

    def most_items(self) -> int:
        """The contacts one account may have."""
        return self.host.house.config.limits.max_roster_items

    # What other modules ask

    def known(self, account: JID) -> Roster | None:
        """The roster of a bare address where it is in memory, as it is for all who have sent presence."""
        return self.book.known(account)

    async def get(self, account: JID) -> Roster:
        """The roster of a bare address: a mark for each contact (see `states`)."""
        roster = self.book.known(account)
        if roster is None and self.host.sessions.of(account):
            roster, _ = await self.login.read(account)
        return roster or await self.book.get(account)

    async def sees(self, account: JID, contact: JID) -> bool:
        """Whether `contact` may see the presence of `account`: it is the account itself, or is subscribed."""
        if contact.bare == account:
            return True
        return bool((await self.book.get(account)).mark(contact.bare) & FROM)

    async def subscription(self, account: JID, contact: JID) -> str:
        """`none`, `to`, `from` or `both`; "" for one who is not in the roster."""
        mark = (await self.book.get(account)).mark(contact)
        return SUBSCRIPTION[mark & BOTH] if mark & LISTED else ""

    async def items(self, account: JID) -> dict[JID, Item]:
        """Every item of a roster, by contact, read from storage."""
        _, rows = await self.book.read(account)
        found = (Item(JID.parse(row[0]), row[1], split(row[2]), row[3]) for row in rows)
        return {item.contact: item for item in found}

    async def item(self, account: JID, contact: JID) -> Item | None:
        """One item, read from storage."""
        found = await self.book.row(account, contact)
        if found is None or not found[0][3] & LISTED:
            return None
        return Item(contact, found[0][1], split(found[0][2]), found[0][3])

    async def set_item(
        self, account: JID, contact: JID, name: str, groups: Iterable[str], subscription: str | None = None
    ) -> None:
        """Add or change an item and push it. `subscription` is taken as it stands, and the contact is not asked."""
        roster = await self.book.get(account)
        before = mark = roster.mark(contact)
        if subscription is not None:
            mark = with_subscription(mark, subscription)
        if before & FROM and not mark & FROM:
            await announce.gone(self.host, account, contact)
        answered = ((tables.DROP_REQUEST, (account, contact)),) if before & PENDING_IN and not mark & PENDING_IN else ()
        await self._put(account, roster, (contact, name, joined(groups), mark | LISTED), answered)
        if mark & FROM and not before & FROM:
            await announce.here(self.host, account, contact)

    async def delete_item(self, account: JID, contact: JID) -> None:
        """Remove an item, end its subscriptions and push that; `item-not-found` where there is none (2.5.2)."""
        await self._remove(account, contact)

    # What clients ask

    @iq_get("query", ROSTER, to=ACCOUNT)
    async def send_roster(self, iq: IQ) -> str | Replied | None:
        """The roster, or nothing where the client has it already (2.1.3, 2.6)."""
        if not iq.is_own:
            raise StanzaError("forbidden", "a roster is for its owner")
        return await self.login.answer(iq, iq.stanza.attribute("ver"))

    @iq_set("query", ROSTER, to=ACCOUNT)
    async def set_roster(self, iq: IQ) -> None:
        """Add, change or remove one item (2.3, 2.4, 2.5)."""
        if not iq.is_own:
            raise StanzaError("forbidden", "a roster is for its owner")
        wanted = read_set(iq.payload, self.options.max_groups)
        if wanted.remove:
            await self._remove(iq.account, wanted.contact)
        else:
            await self._set(iq.account, wanted)

    async def _set(self, account: JID, wanted: Wanted) -> None:
        contact = wanted.contact
        roster = await self.book.get(account)
        mark = roster.mark(contact)
        if not mark & LISTED and roster.listed >= self.most_items():
            raise StanzaError("resource-constraint", f"a roster has {self.most_items()} contacts at most")
        row = (str(contact), wanted.name, joined(wanted.groups), mark | LISTED)
        await self._put(account, roster, row, self._extra(account, contact, wanted.element))

    def _extra(self, account: JID, contact: JID, element: Element | None) -> list[Statement]:
        return [statement for part in self.parts for statement in part.written(account, contact, element)]

    async def _put(
        self, account: JID, roster: Roster, row: tuple[str, str, str, int], extra: Iterable[Statement]
    ) -> None:
        commit = self.book.put(account, roster, row, extra)
        version = roster.version
        await commit
        contact = JID.parse(row[0])
        await self.host.hooks.roster_changed.tell(RosterChanged(account, contact, SUBSCRIPTION[row[3] & BOTH]))
        item = shown_xml(row, await self.login.children(account, contact))
        await pushes.push_item(self.host, account, item, version)

    async def _remove(self, account: JID, contact: JID) -> None:
        roster = await self.book.get(account)
        mark = roster.mark(contact)
        if not mark & LISTED:
            raise StanzaError("item-not-found", f"{contact} is not in the roster")
        extra = self._extra(account, contact, None)
        commit = self.book.remove(account, roster, contact, (tables.DROP_REQUEST, (account, contact)), *extra)
        version = roster.version
        await commit
        await self.host.hooks.roster_changed.tell(RosterChanged(account, contact, ""))
        await pushes.push_item(self.host, account, removed_xml(contact), version)
        await self._part(account, contact, mark)

    async def _part(self, account: JID, contact: JID, mark: int) -> None:
        if mark & FROM:
            await announce.gone(self.host, account, contact)
        for type in parting(mark):
            await self.send(Stanza("presence", contact, account, type))

    async def push(self, account: JID, contact: JID) -> None:
        """Push an item as it is stored now."""
        found = await self.book.row(account, contact)
        if found is not None:
            row, version = found
            item = shown_xml(row, await self.login.children(account, contact))
            await pushes.push_item(self.host, account, item, version)

    # What happens

    @hook.session_send.at(DELIVER, "presence")
    def subscription_sent(self, event: Event) -> Awaitable[Any] | None:
        """A client's subscription stanza."""
        stanza = event.stanza
        if stanza.kind != "presence" or stanza.type not in SUBSCRIPTION_TYPES:
            return None
        return self.subscriptions.send(event)

    @hook.account_subscription
    def subscription_received(self, event: Event) -> Awaitable[Any] | None:
        """A subscription stanza to an account."""
        return self.subscriptions.receive(event) if event.stanza.type in SUBSCRIPTION_TYPES else None

    @hook.presence_changed
    async def deliver_requests(self, event: PresenceChanged) -> None:
        """A resource becomes available: it learns of all requests that wait for an answer (3.1.3)."""
        if event.now and not event.before:
            session = event.session
            await self.subscriptions.deliver_requests(session.jid.bare, lambda stanza: pushes.deliver(session, stanza))

    @hook.session_closed
    async def let_go(self, event: SessionEvent) -> None:
        """A roster whose account has left need not stay in memory; that of an anonymous one need not stay at all."""
        account = event.session.jid.bare
        if self.host.accounts.known(account.local) or await self.host.exists(account):
            self.book.left(account)
        else:
            await self.drop(AccountEvent(account))

    @hook.account_removed
    async def drop(self, event: AccountEvent) -> None:
        """Every contact of a removed account is told, then nothing is left of it."""
        account = event.account
        marks = dict((await self.book.get(account)).marks)
        await self.book.clear(account)
        for contact, mark in marks.items():
            await self._part(account, JID.parse(contact), mark)

    # What streams offer

    @stream_feature("rosterver", needs=State.AUTHENTICATED, forbids=State.BOUND, advertise=VERSIONS, order=60)
    @stream_feature("pre-approval", needs=State.AUTHENTICATED, forbids=State.BOUND, advertise=PRE_APPROVAL, order=61)
    async def offered(self, *_: object) -> None:
        """Both say what the server does; there is nothing to negotiate (2.6.1, 3.4.1)."""
