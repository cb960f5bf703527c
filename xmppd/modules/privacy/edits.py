"""Changes of an account's lists: made in memory at once and written as the rows they concern, then told.

Each change is made whole or not at all: what can refuse it is asked before anything is touched, and nothing waits
between the question and the deed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from xmppd.api import Many, Session, Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from . import tables
from .changes import Change, Pushes
from .items import Item, Key, short
from .lists import Lists, PrivacyList, check_alike, named
from .shelf import ACTIVE, Shelf
from .sight import Sight, scope

Others = Callable[[JID, Session | None], Sequence[Session]]  # the account's sessions beside this one
BLOCKED: Final = "blocked"  # what a default list is called that nobody has named


class Edits:
    """Changes the lists of one host's accounts. `options` gives the limits as they are now."""

    def __init__(self, shelf: Shelf, sight: Sight, pushes: Pushes, others: Others, options: Callable[[], Any]) -> None:
        self._shelf = shelf
        self._sight = sight
        self._pushes = pushes
        self._others = others
        self._options = options

    async def add(
        self, account: JID, name: str | None, items: Sequence[Item], *, first: bool = False, note: str = ""
    ) -> None:
        """Put items into a list, which is made where there is none; each takes the place of those of its key.

        `first` puts them before all others. Without a name it is the default list.
        """
        lists = await self._shelf.open(account, make=True, grouped=_grouped(items))
        target = self._target(lists, name, items)
        about = scope(items)
        before = self._sight.look(account, lists, about)
        statements = _enter(account, lists, target, standard=name is None)
        dropped: list[Item] = []
        for item in reversed(items) if first else items:
            old = target.drop(item.key)
            if old:
                dropped += old
                statements.append((tables.DROP_ITEM, (account, target.name, *item.key)))
            target.add(item, first=first)
            statements.append((tables.PUT_ITEM, tables.item_row(account, target.name, item)))
        change = Change(account, target.name, tuple(items), tuple(dropped), False, lists.default is target, note)
        commit = self._write(lists, account, statements)
        after = self._sight.look(account, lists, about)
        await commit
        await self._tell(change, before, after)

    async def remove(self, account: JID, name: str, keys: Sequence[Key], *, note: str = "") -> None:
        """Take items out by type and value; `item-not-found` where any is not there, and nothing is changed."""
        lists = await self._shelf.open(account)
        target = named(lists, name)
        _check_there(target, keys)
        about = scope(target.find(key) for key in keys)
        before = self._sight.look(account, lists, about)
        dropped = tuple(item for key in keys for item in target.drop(key))
        change = Change(account, name, (), dropped, False, lists.default is target, note)
        commit = self._write(lists, account, [(tables.DROP_ITEM, (account, name, *key)) for key in keys])
        after = self._sight.look(account, lists, about)
        await commit
        await self._tell(change, before, after)

    async def replace(self, account: JID, name: str, items: Sequence[Item]) -> None:
        """Give a list anew, or make it (2.6, 2.7)."""
        check_alike(items)
        lists = await self._shelf.open(account, make=True, grouped=_grouped(items))
        known = lists.named.get(name)
        self._check_room(lists, len(items) - (known.size if known else 0))
        target = known or self._new(lists, name)
        before = self._sight.look(account, lists, None)
        removed = tuple(target)
        target.clear()
        for item in items:
            target.add(item)
        change = Change(account, name, tuple(items), removed, True, lists.default is target)
        rows = Many(tables.item_row(account, name, item) for item in items)
        entered = _enter(account, lists, target, standard=False)
        commit = self._write(lists, account, [*entered, (tables.CLEAR_LIST, (account, name)), (tables.PUT_ITEM, rows)])
        after = self._sight.look(account, lists, None)
        await commit
        await self._tell(change, before, after)

    async def delete(self, account: JID, name: str, session: Session | None = None) -> None:
        """Remove a list; `conflict` where it applies to another session than this one (2.8)."""
        lists = await self._shelf.open(account)
        target = named(lists, name)
        if lists.applies(target, self._others(account, session)):
            raise StanzaError("conflict", "the list applies to another resource")
        before = self._sight.look(account, lists, None)
        change = Change(account, name, (), tuple(target), True, lists.default is target)
        bereft = lists.take_out(target)
        commit = self._write(
            lists, account, [(tables.DROP_LIST, (account, name)), (tables.CLEAR_LIST, (account, name))]
        )
        after = self._sight.look(account, lists, None)
        await commit
        for each in bereft:
            each.keep(ACTIVE, "")
        await self._tell(change, before, after)

    def _target(self, lists: Lists, name: str | None, items: Iterable[Item]) -> PrivacyList:
        """The list to add to, with room for the items; a new one where there is none."""
        found = lists.default if name is None else lists.named.get(name)
        self._check_room(lists, sum(1 for item in items if found is None or found.find(item.key) is None))
        return found or self._new(lists, lists.free_name(BLOCKED) if name is None else name)

    def _check_room(self, lists: Lists, more: int) -> None:
        most = self._options().max_items
        if more > 0 and lists.size + more > most:
            raise StanzaError("resource-constraint", f"an account's lists have {most} items at most")

    def _new(self, lists: Lists, name: str) -> PrivacyList:
        most = self._options().max_lists
        if len(lists.named) >= most:
            raise StanzaError("resource-constraint", f"an account has {most} lists at most")
        return PrivacyList(short(name, "list's name"))

    def _write(self, lists: Lists, account: JID, statements: Sequence[Statement]) -> Any:
        lists.refresh()
        return self._shelf.write(account, statements)

    async def _tell(self, change: Change, before: Any, after: Any) -> None:
        await self._pushes.push(change)
        await self._pushes.watched(change)
        await self._sight.tell(before, after)


def _grouped(items: Iterable[Item]) -> bool:
    return any(item.type == "group" for item in items)


def _enter(account: JID, lists: Lists, target: PrivacyList, *, standard: bool) -> list[Statement]:
    """Enter a list that is new, and the statement that does."""
    if target.name in lists.named:
        return []
    lists.named[target.name] = target
    if standard:
        lists.default = target
    return [(tables.PUT_LIST, (account, target.name, int(standard)))]


def _check_there(target: PrivacyList, keys: Sequence[Key]) -> None:
    left = set(keys)
    for key in keys:
        if key not in left or target.find(key) is None:
            raise StanzaError("item-not-found", f"the list has no item {' '.join(key)}".rstrip())
        left.remove(key)
