"""XEP-0016: Privacy Lists."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence

from xmppd.api import (
    ACCOUNT,
    IQ,
    AccountEvent,
    Counter,
    Gauge,
    Host,
    Module,
    ModuleOptions,
    RosterChanged,
    Session,
    SessionEvent,
    hook,
    iq_get,
    iq_set,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from . import tables
from .changes import Pushes
from .choices import Choices
from .edits import Edits
from .filters import Filters
from .items import NS_PRIVACY, Item, Key, read_item, read_key
from .lists import Lists
from .shelf import Shelf
from .sight import Sight
from .verbs import Verbs, answer, list_name, read_items


class Privacy(Module):
    """Keeps privacy lists, and holds back the stanzas that they deny.

    `verbs` has the elements that may stand in a request, `pushes.tellers` and `pushes.watchers` those who tell of
    changes in their own way: another module adds itself in `start` and leaves in `stop`.
    """

    features, account_features, xeps = {NS_PRIVACY}, {NS_PRIVACY}, {"0016": "1.7"}
    depends = {"roster"}
    migrations = tables.MIGRATIONS
    denied = Counter("Stanzas that a privacy list held back")
    known = Gauge("Accounts whose lists, or lack of them, are in memory", read=lambda module: len(module.shelf.known))

    class Options(ModuleOptions):
        """How much one account may keep."""

        max_lists: int = option(20, "Lists of one account; clients make three or four", least=1)
        max_items: int = option(20000, "Items of all its lists together; some 250 bytes each while it is here", least=1)

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.pushes = Pushes(host)

    async def start(self) -> None:
        """The filters stand on the road only where somebody has a list."""
        rosters = self.use("roster")
        sight = Sight(self.host, rosters)
        self.shelf = Shelf(self.storage, self.host.sessions, rosters)
        self._sight = sight
        self._edits = Edits(self.shelf, sight, self.pushes, self._others, lambda: self.options)
        self._choices = Choices(self.shelf, sight, self.pushes, self._others)
        self._filters = Filters(self.host, self.shelf, self.denied.inc)
        self.verbs = Verbs(self.shelf, self._edits, self._choices, self._filters.attach)
        if await self.storage.fetch_one(tables.ANY) is not None:
            self._filters.attach()

    async def stop(self) -> None:
        """Nothing of ours stays on the road."""
        self._filters.detach()

    def _others(self, account: JID, session: Session | None) -> Sequence[Session]:
        return [each for each in self.host.sessions.of(account) if each is not session]

    # What other modules ask

    async def lists(self, account: JID) -> Lists | None:
        """All lists of an account, to be read; None where it has none."""
        return await self.shelf.get(account)

    async def add(
        self, account: JID, name: str | None, items: Sequence[Item], *, first: bool = False, note: str = ""
    ) -> None:
        """Add items to a list, by default the default list; it is made where there is none. All of them or none.

        An item takes the place of one with its type and value, and stands where its order says; without one it goes
        last, or before all others where they are to be `first`. `item-not-found` for a group that the roster does not
        have, `resource-constraint` past a limit. `note` goes with the `Change` that tells of it.
        """
        await self.verbs.check_groups(account, items)
        self._filters.attach()
        await self._edits.add(account, name, items, first=first, note=note)

    async def remove(self, account: JID, name: str, keys: Sequence[Key], *, note: str = "") -> None:
        """Remove items by type and value, all or none: `item-not-found` where one of them, or the list, is missing."""
        await self._edits.remove(account, name, keys, note=note)

    def list_name(self, element: Element) -> str:
        """The name that an element gives; `bad-request` where it has none."""
        return list_name(element)

    def denials(self, addresses: Iterable[str]) -> list[Item]:
        """Items that deny everything from and to prepared addresses."""
        return [Item("jid", address, allow=False) for address in addresses]

    def read_item(self, element: Element) -> Item:
        """An item of an increment: its order may be missing, and a value without a type is an address."""
        return read_item(element, increment=True)

    def read_key(self, element: Element) -> Key:
        """The type and value of an item of an increment."""
        return read_key(element, increment=True)

    # What clients ask

    @iq_get("query", NS_PRIVACY, to=ACCOUNT)
    async def show(self, iq: IQ) -> str:
        """The names of all lists, or one list (2.3)."""
        _check_own(iq)
        return answer(await self.lists(iq.account), iq.session, list(iq.payload.iterchildren("{*}*")))

    @iq_set("query", NS_PRIVACY, to=ACCOUNT)
    async def change(self, iq: IQ) -> None:
        """One change (2.4 to 2.8)."""
        _check_own(iq)
        await self.verbs.run(iq)

    # What happens

    @hook.session_closed
    def let_go(self, event: SessionEvent) -> None:
        """An active list ends with its session; lists whose account has left need not stay in memory."""
        account = event.session.jid.bare
        lists = self.shelf.known.get(account)
        if lists is not None and event.session in lists.active:
            del lists.active[event.session]
            lists.refresh()
        self.shelf.left(account)

    @hook.roster_changed
    def regroup(self, event: RosterChanged) -> Awaitable[None] | None:
        """From now on the contact's new groups count (2.2, rule 9)."""
        lists = self.shelf.known.get(event.account)
        return None if lists is None or not lists.contacts.grouped else self._regroup(lists, event)

    async def _regroup(self, lists: Lists, event: RosterChanged) -> None:
        account, about = event.account, (event.contact,)
        groups = await lists.contacts.read(event.contact)
        before = self._sight.look(account, lists, about)
        lists.contacts.regroup(event.contact, groups)
        await self._sight.tell(before, self._sight.look(account, lists, about))

    @hook.account_removed
    def drop(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        account = event.account
        self.shelf.write(account, [(tables.CLEAR_LISTS, (account,)), (tables.CLEAR_ITEMS, (account,))])
        self.shelf.forget(account)

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take over the lists of an export, and which is the default (XEP-0227 4.8)."""
        if element.tag != f"{{{NS_PRIVACY}}}query":
            return False
        self._filters.attach()
        for each in element.findall(f"{{{NS_PRIVACY}}}list"):
            await self._edits.replace(account, list_name(each), read_items(each))
        standard = element.find(f"{{{NS_PRIVACY}}}default")
        if standard is not None:
            await self._choices.set_default(account, list_name(standard))
        self.shelf.forget(account)  # what it knows of the roster may be older than the roster that is imported
        return True


def _check_own(iq: IQ) -> None:
    if not iq.is_own:
        raise StanzaError("forbidden", "privacy lists are their owner's alone")
