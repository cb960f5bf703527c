"""The rosters in memory: loaded once, kept small while their accounts are here, a few more kept for those who are not.

A roster in memory is a mark for each contact and no more; names and groups stay in the database, since only logins and
edits need them. A change is made in memory at once, so that what comes next sees it, and counts when it is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable
from sys import intern
from typing import Final

from xmppd.api import Commit, Statement, Storage, StorageError
from xmppd.xmpp.jid import JID

from . import tables
from .items import SEPARATOR, Row
from .states import BOTH, FROM, LISTED, PENDING_IN, SUBSCRIPTION, TO

MOST_ABSENT: Final = 500  # rosters kept for accounts without a session: 50 contacts each make 2 MB
MOST_REMOVED: Final = 100  # removals remembered of one roster for clients that come with an older version


class Roster:
    """One account's contacts.

    `marks` has the bits of `states` by bare address. `version` grows with each change that clients are shown.
    `floor` is the version below which removals are forgotten, 0 where nothing was shown yet. `commit` is the last
    write that may not be on disk.
    """

    __slots__ = ("commit", "floor", "marks", "removed", "version")

    def __init__(self) -> None:
        self.marks: dict[str, int] = {}
        self.version = 0
        self.floor = 0
        self.removed = 0
        self.commit: Commit | None = None

    def mark(self, contact: str) -> int:
        """The bits of a contact; 0 for a stranger."""
        return self.marks.get(contact, 0)

    def subscription(self, contact: str) -> str:
        """`none`, `to`, `from` or `both`; `none` for a stranger."""
        return SUBSCRIPTION[self.marks.get(contact, 0) & BOTH]

    @property
    def watchers(self) -> list[str]:
        """Who may see the account's presence."""
        return [contact for contact, mark in self.marks.items() if mark & FROM]

    @property
    def watched(self) -> list[str]:
        """Whose presence the account may see."""
        return [contact for contact, mark in self.marks.items() if mark & TO]

    def watchers_but(self, here: str, present: Container[str]) -> list[str]:
        """`watchers` without those whose address ends in `here` and who are not `present`."""
        return [
            contact
            for contact, mark in self.marks.items()
            if mark & FROM and (contact in present or not contact.endswith(here))
        ]

    def watched_but(self, here: str, present: Container[str]) -> list[str]:
        """`watched` without the same."""
        return [
            contact
            for contact, mark in self.marks.items()
            if mark & TO and (contact in present or not contact.endswith(here))
        ]

    @property
    def listed(self) -> int:
        """How many contacts clients are shown."""
        return sum(1 for mark in self.marks.values() if mark & LISTED)

    @property
    def requests(self) -> int:
        """How many requests wait for the account's answer."""
        return sum(1 for mark in self.marks.values() if mark & PENDING_IN)

    def take(self, rows: Iterable[tuple[str, str, str, int, int]]) -> list[Row]:
        """Fill from the database; returns what clients are shown."""
        shown: list[Row] = []
        for contact, name, grouped, mark, version in rows:
            if version > self.version:
                self.version = version
            if mark:
                contact = intern(contact)  # the same people are in many rosters
                self.marks[contact] = mark
                if mark & LISTED:
                    shown.append((contact, name, grouped, mark))
            elif contact:
                self.removed += 1
            else:
                self.floor = version
        return shown


class Book:
    """The rosters of one host."""

    def __init__(self, storage: Storage, now: Callable[[], float], present: Callable[[JID], object]) -> None:
        self._storage = storage
        self._now = now
        self._present = present
        self._rosters: dict[JID, Roster] = {}
        self._absent: dict[JID, None] = {}
        self._loading: dict[JID, asyncio.Future[None]] = {}

    def known(self, account: JID) -> Roster | None:
        """The roster of an account, where it is in memory."""
        return self._rosters.get(account)

    async def get(self, account: JID) -> Roster:
        """The roster of an account; empty for one that has none."""
        roster = self._rosters.get(account)
        return roster if roster is not None else (await self.read(account))[0]

    async def read(self, account: JID) -> tuple[Roster, list[Row]]:
        """The roster, and every item that clients are shown, of the same moment."""
        while (loading := self._loading.get(account)) is not None:
            await loading
        self._loading[account] = done = asyncio.get_running_loop().create_future()
        try:
            return await self._read(account)
        finally:
            del self._loading[account]
            done.set_result(None)

    async def _read(self, account: JID) -> tuple[Roster, list[Row]]:
        while True:
            known = self._rosters.get(account)
            before = known.version if known else 0
            await _settled(known)
            fresh = Roster()
            shown = fresh.take(await self._storage.fetch(tables.LOAD, account))
            known = self._rosters.get(account)
            if known is None:
                self._rosters[account] = fresh
                self.left(account)
                return fresh, shown
            if known.version == before and fresh.version == known.version:
                return known, shown

    async def row(self, account: JID, contact: str) -> tuple[Row, int] | None:
        """One stored row, and the version of its last change."""
        await _settled(self.known(account))
        found = await self._storage.fetch_one(tables.ONE, account, contact)
        return ((found[0], found[1], found[2], found[3]), found[4]) if found is not None else None

    async def since(self, account: JID, version: int) -> list[tuple[Row, int]]:
        """The rows that changed after a version, with their versions, oldest change first."""
        await _settled(self.known(account))
        rows = await self._storage.fetch(tables.SINCE, account, version)
        return [((row[0], row[1], row[2], row[3]), row[4]) for row in rows]

    def left(self, account: JID) -> None:
        """The account may have no session any more: its roster may have to go."""
        if account not in self._rosters or self._present(account):
            return
        self._absent.pop(account, None)
        self._absent[account] = None
        if len(self._absent) > MOST_ABSENT:
            oldest = next(iter(self._absent))
            del self._absent[oldest]
            roster = self._rosters[oldest]
            if not self._present(oldest) and (roster.commit is None or roster.commit.done):
                del self._rosters[oldest]

    def put(self, account: JID, roster: Roster, item: Row, extra: Iterable[Statement] = ()) -> Commit:
        """Write a whole item as a change that clients are shown."""
        contact, name, grouped, mark = item
        version = self._next(roster)
        _mark(roster, contact, mark)
        return self._write(account, roster, (tables.PUT, (account, contact, name, grouped, mark, version)), *extra)

    def mark(self, account: JID, roster: Roster, contact: str, mark: int, shown: bool, *extra: Statement) -> Commit:
        """Write a contact's bits. `shown` says that clients see the change."""
        version = self._next(roster) if shown else 0
        _mark(roster, contact, mark)
        statements: list[Statement] = [(tables.MARK, (account, contact, mark, version))]
        if not mark:
            statements.append((tables.DROP_STRANGER, (account, contact)))
        return self._write(account, roster, *statements, *extra)

    def remove(self, account: JID, roster: Roster, contact: str, *extra: Statement) -> Commit:
        """Write that a contact was removed."""
        version = self._next(roster)
        _mark(roster, contact, 0)
        roster.removed += 1
        if roster.removed > MOST_REMOVED:
            roster.removed, roster.floor = 0, version
            forget: list[Statement] = [(tables.FORGET, (account,)), (tables.DROP, (account, contact))]
            return self._write(account, roster, *forget, tables.floor(account, version), *extra)
        return self._write(account, roster, (tables.PUT, (account, contact, "", "", 0, version)), *extra)

    def clear(self, account: JID) -> Commit:
        """Drop all that is kept of an account."""
        self._rosters.pop(account, None)
        self._absent.pop(account, None)
        return self._storage.write((tables.CLEAR, (account,)), (tables.CLEAR_REQUESTS, (account,)))

    def forget(self, account: JID) -> None:
        """Drop what is in memory of a roster: the database says something else."""
        self._rosters.pop(account, None)
        self._absent.pop(account, None)

    def _next(self, roster: Roster) -> int:
        """The next version: milliseconds since 1970, so that an account made anew never repeats an old one's."""
        roster.version = max(roster.version + 1, int(self._now() * 1000))
        return roster.version

    def _write(self, account: JID, roster: Roster, *statements: Statement) -> Commit:
        if roster.version and not roster.floor:
            # Versions of an account that had this name before are all below this one, and mean nothing.
            roster.floor = roster.version
            statements = (*statements, tables.floor(account, roster.version))
        try:
            roster.commit = commit = self._storage.write(*statements)
        except StorageError:
            self.forget(account)
            raise
        commit.add_done_callback(lambda done: self._written(account, roster, done))
        return commit

    def _written(self, account: JID, roster: Roster, commit: Commit) -> None:
        if commit.error is not None:
            self.forget(account)
        if roster.commit is commit:
            roster.commit = None


def joined(groups: Iterable[str]) -> str:
    """Groups as one column."""
    return SEPARATOR.join(groups)


def _mark(roster: Roster, contact: str, mark: int) -> None:
    if mark:
        roster.marks[intern(str(contact))] = mark
    else:
        roster.marks.pop(contact, None)


async def _settled(roster: Roster | None) -> None:
    """Wait until what was written of a roster can be read. Who wrote it tells of a failure."""
    if roster is None or roster.commit is None or roster.commit.done:
        return
    try:
        await roster.commit
    except StorageError:
        return
