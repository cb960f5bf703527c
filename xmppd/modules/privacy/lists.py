"""Privacy lists in memory: a stanza is judged by a fixed number of look-ups, however long the list is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from xmppd.api import Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from .contacts import Contacts
from .items import HIGHEST_ORDER, LAST, Item, Key

MOST_ALIKE: Final = 8  # items of one type and value; there are five kinds of stanza, so more say nothing new


class PrivacyList:
    """A named list: its items by type and value, the first of each leading to the next (see `Item`).

    `size` counts the items. `lowest` and `highest` are the sequences in use, `last` is the highest order there was.
    """

    __slots__ = ("_tables", "groups", "highest", "jids", "last", "lowest", "name", "rest", "size", "subscriptions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.clear()

    def clear(self) -> None:
        """Take all items out."""
        self.jids: dict[str, Item] = {}
        self.groups: dict[str, Item] = {}
        self.subscriptions: dict[str, Item] = {}
        self.rest: dict[str, Item] = {}
        self._tables = {"jid": self.jids, "group": self.groups, "subscription": self.subscriptions, "": self.rest}
        self.size = self.lowest = self.highest = self.last = 0

    def allows(self, kind: int, other: JID, contacts: Contacts) -> bool:
        """Whether a stanza of this kind from or to `other` passes. What no item is about does (2.2, rule 7).

        An address item is about exactly that address, about all resources of a bare one, about all users of a domain.
        """
        found: Item | None = None
        jids = self.jids
        if jids and (other in jids or other.bare in jids or other.domain in jids):
            for key in (other, other.bare, other.domain):
                found = _earlier(found, jids.get(key), kind)
        if self.subscriptions:
            found = _earlier(found, self.subscriptions.get(contacts.subscription(other.bare)), kind)
        if self.groups:
            for group in contacts.groups(other.bare):
                found = _earlier(found, self.groups.get(group), kind)
        if self.rest:
            found = _earlier(found, self.rest[""], kind)
        return found is None or found.allow

    @property
    def addressed(self) -> dict[str, Item] | None:
        """Its address items, where it has no others."""
        return None if self.subscriptions or self.groups or self.rest else self.jids

    def find(self, key: Key) -> Item | None:
        """The first item of a type and value."""
        return self._tables[key[0]].get(key[1])

    def blocks(self, address: str) -> bool:
        """Whether everything from and to the address is denied, as XEP-0191 does it."""
        return any(item.blocks for item in _chain(self.jids.get(address)))

    def enter(self, item: Item) -> None:
        """Take in an item that has its place."""
        table = self._tables[item.type]
        head = table.get(item.value)
        table[item.value] = item if head is None else _joined(head, item)
        self.size += 1
        self.lowest, self.highest = min(self.lowest, item.sequence), max(self.highest, item.sequence)
        self.last = max(self.last, item.order)

    def add(self, item: Item, *, first: bool = False) -> None:
        """Give a new item its place and take it in: by its order, at the end without one, or before all others."""
        if first:
            item.order, item.sequence = 0, self.lowest - 1
        else:
            item.sequence = self.highest + 1
            if item.order == LAST:
                item.order = min(self.last + 1, HIGHEST_ORDER)
        self.enter(item)

    def drop(self, key: Key) -> list[Item]:
        """Take out all items of a type and value."""
        dropped = list(_chain(self._tables[key[0]].pop(key[1], None)))
        self.size -= len(dropped)
        return dropped

    def __iter__(self) -> Iterator[Item]:
        """All items, in the order in which they are processed."""
        found = [item for table in self._tables.values() for head in table.values() for item in _chain(head)]
        return iter(sorted(found, key=lambda item: item.place))

    def to_xml(self) -> str:
        """The list as a client asks for it. Where orders are equal its items are numbered anew (2.1: unique)."""
        items = list(self)
        unique = len({item.order for item in items}) == len(items)
        return "".join(item.to_xml(None if unique else number) for number, item in enumerate(items, 1))


class Lists:
    """All lists of one account: by name, the default one, and those that are active, by session.

    `social` says that some item is about subscriptions or groups, `grouped` that one is about groups, `used` are the
    lists that apply to anybody; `addressed` has the addresses that the only one of these is about, None where there are
    more or where it is about more than addresses: whom it does not have passes. `refresh` after each change keeps them.
    """

    __slots__ = ("active", "addressed", "contacts", "default", "grouped", "named", "social", "used")

    def __init__(self, contacts: Contacts) -> None:
        self.named: dict[str, PrivacyList] = {}
        self.default: PrivacyList | None = None
        self.active: dict[Session, PrivacyList] = {}
        self.contacts = contacts
        self.social = self.grouped = False
        self.used: tuple[PrivacyList, ...] = ()
        self.addressed: dict[str, Item] | None = None

    def refresh(self) -> None:
        """Note anew what the items are about, and which lists apply."""
        self.used = tuple({each: None for each in (self.default, *self.active.values()) if each is not None})
        self.addressed = self.used[0].addressed if len(self.used) == 1 else None
        self.grouped = any(each.groups for each in self.named.values())
        self.social = self.grouped or any(each.subscriptions for each in self.named.values())

    def in_force(self, session: Session) -> PrivacyList | None:
        """The list that applies to a session: its active one, else the default (2.2, rules 1 and 2)."""
        return self.active.get(session, self.default)

    def applies(self, chosen: PrivacyList, sessions: Iterable[Session]) -> bool:
        """Whether a list applies to any of these sessions."""
        return any(self.in_force(session) is chosen for session in sessions)

    def take_out(self, removed: PrivacyList) -> list[Session]:
        """Take a list out; returns the sessions whose active list it was."""
        del self.named[removed.name]
        if self.default is removed:
            self.default = None
        bereft = [session for session, active in self.active.items() if active is removed]
        for session in bereft:
            del self.active[session]
        return bereft

    def free_name(self, wish: str) -> str:
        """A name for a new list: the one that is wished for, or the next that is free."""
        names = (wish, *(f"{wish} {number}" for number in range(2, 3 + len(self.named))))
        return next(name for name in names if name not in self.named)

    @property
    def ready(self) -> bool:
        """Whether all is in memory that judging by these lists takes."""
        return not self.social or self.contacts.ready(self.grouped)

    @property
    def size(self) -> int:
        """The items of all lists together."""
        return sum(each.size for each in self.named.values())


def named(lists: Lists, name: str) -> PrivacyList:
    """The list of that name, or `item-not-found`."""
    found = lists.named.get(name)
    if found is None:
        raise StanzaError("item-not-found", f"there is no list {name[:64]!r}")
    return found


def check_alike(items: Iterable[Item]) -> None:
    """`bad-request` where two items have the same order (2.1), `not-acceptable` where too many are about the same."""
    orders: set[int] = set()
    alike: dict[Key, int] = {}
    for item in items:
        if item.order in orders:
            raise StanzaError("bad-request", f"two items have the order {item.order}")
        orders.add(item.order)
        alike[item.key] = alike.get(item.key, 0) + 1
        if alike[item.key] > MOST_ALIKE:
            raise StanzaError("not-acceptable", f"a list has {MOST_ALIKE} items of one type and value at most")


def _earlier(found: Item | None, item: Item | None, kind: int) -> Item | None:
    """The first that is about `kind`: what was found, or one of these of the same type and value."""
    while item is not None:
        if item.kinds & kind:
            return item if found is None or item.place < found.place else found
        item = item.next
    return found


def _chain(item: Item | None) -> Iterator[Item]:
    while item is not None:
        yield item
        item = item.next


def _joined(head: Item, item: Item) -> Item:
    if item.place < head.place:
        item.next = head
        return item
    before = head
    while before.next is not None and before.next.place < item.place:
        before = before.next
    item.next, before.next = before.next, item
    return head
