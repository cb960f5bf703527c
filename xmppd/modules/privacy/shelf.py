"""The privacy lists of accounts, in memory while they are needed, and their way to the database.

Most accounts have none. That is remembered too, so that finding it out again costs one look-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from xmppd.api import Commit, Session, Statement, Storage, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from . import tables
from .contacts import Contacts
from .lists import Lists, PrivacyList

ACTIVE: Final = "privacy"  # under which a session keeps the name of its active list
MOST_ABSENT: Final = 50_000  # accounts without a session, and items of theirs, kept in memory: 15 MB
PAGE: Final = 2000  # rows read at once; others are served between two pages


class Shelf:
    """The lists of one host's accounts.

    `known` has an account's lists, None for one that has none. All accounts with a session that anything was asked of
    are in it, and a bounded number of others.
    """

    def __init__(self, storage: Storage, sessions: Any, rosters: Any) -> None:
        self.known: dict[JID, Lists | None] = {}
        self._storage = storage
        self._sessions = sessions
        self._rosters = rosters
        self._absent: dict[JID, int] = {}  # account -> what it weighs
        self._weight = 0
        self._loading: dict[JID, asyncio.Future[None]] = {}
        self._writing: dict[JID, Commit] = {}

    async def get(self, account: JID) -> Lists | None:
        """The lists of an account; None where it has none."""
        while account not in self.known:
            if (loading := self._loading.get(account)) is not None:
                await loading
                continue
            self._loading[account] = done = asyncio.get_running_loop().create_future()
            try:
                self.known[account] = await self._load(account)
                self.left(account)
            finally:
                del self._loading[account]
                done.set_result(None)
        return self.known[account]

    async def open(self, account: JID, *, make: bool = False, grouped: bool = False) -> Lists:
        """The lists of an account, to be changed, with all in memory that looking at them takes.

        `item-not-found` for one that has none, unless they are to be made. `grouped`: groups will be needed.
        """
        while True:
            lists = await self.get(account)
            if lists is None:
                if not make:
                    raise StanzaError("item-not-found", "there is no privacy list")
                self.known[account] = lists = Lists(Contacts(account, self._rosters))
            await lists.contacts.load(grouped or lists.grouped)
            if self.known.get(account) is lists:
                return lists

    async def _load(self, account: JID) -> Lists | None:
        await self._settled(account)
        rows = await self._storage.fetch(tables.LISTS, account)
        if not rows:
            return None
        lists = Lists(Contacts(account, self._rosters))
        for name, standard in rows:
            lists.named[name] = found = PrivacyList(name)
            if standard:
                lists.default = found
        await self._fill(account, lists)
        for session in self._sessions.of(account):
            self._activate(lists, session)
        lists.refresh()
        return lists

    async def _fill(self, account: JID, lists: Lists) -> None:
        async for page in self._storage.pages(tables.ITEMS, account, size=PAGE):
            for name, *row in page:
                if name in lists.named:
                    lists.named[name].enter(tables.read_row(tuple(row)))

    def _activate(self, lists: Lists, session: Session) -> None:
        chosen = lists.named.get(str(session.state(ACTIVE) or ""))
        if chosen is not None:
            lists.active[session] = chosen

    def write(self, account: JID, statements: Sequence[Statement]) -> Commit:
        """Queue a change that was made in memory. Where it fails the lists are read anew: the database is right."""
        self._weigh(account)
        try:
            commit = self._storage.write(*statements)
        except StorageError:
            self.forget(account)
            raise
        self._writing[account] = commit
        commit.add_done_callback(lambda done: self._written(account, done))
        return commit

    def _written(self, account: JID, commit: Commit) -> None:
        if self._writing.get(account) is commit:
            del self._writing[account]
        if commit.error is not None:
            self.forget(account)

    async def _settled(self, account: JID) -> None:
        """Wait until what was written can be read. Who wrote it tells of a failure."""
        while (commit := self._writing.get(account)) is not None:
            try:
                await commit
            except StorageError:
                return

    def forget(self, account: JID) -> None:
        """Read the lists anew when they are needed."""
        self.known.pop(account, None)
        self._weight -= self._absent.pop(account, 0)

    def left(self, account: JID) -> None:
        """The account may have no session any more: its lists may have to go."""
        if account not in self.known or self._sessions.of(account):
            return
        self._weigh(account)
        while self._weight > MOST_ABSENT:
            oldest = next(iter(self._absent))
            self._weight -= self._absent.pop(oldest)
            if not self._sessions.of(oldest):
                self.known.pop(oldest, None)

    def _weigh(self, account: JID) -> None:
        """Note what an account without a session keeps in memory; forget that it was away where it is here again."""
        self._weight -= self._absent.pop(account, 0)
        lists = self.known.get(account)
        if lists is not None and not lists.named:
            self.known[account] = None
        if not self._sessions.of(account):
            self._absent[account] = weight = 1 + (lists.size if lists is not None else 0)
            self._weight += weight
