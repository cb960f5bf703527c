"""Rosters in memory while the database is slow."""

import asyncio
from typing import Any

from xmppd.api import Commit, Statement
from xmppd.modules.roster import tables
from xmppd.modules.roster.book import MOST_ABSENT, Book, Roster
from xmppd.modules.roster.states import BOTH, LISTED
from xmppd.xmpp.jid import JID

ALICE = JID.parse("alice@localhost")
MARK = BOTH | LISTED


class SlowStorage:
    """Keeps one roster; a read shows what was on disk when it began and returns when it is told to."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, str, int, int]] = {}
        self.go = asyncio.Event()
        self.go.set()
        self.reads = 0
        self.queued: list[tuple[Commit, tuple[Statement, ...]]] = []

    async def fetch(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self.reads += 1
        rows = list(self.rows.values())
        await self.go.wait()
        return rows

    async def fetch_one(self, sql: str, account: str, contact: str) -> tuple[Any, ...] | None:
        return self.rows.get(contact)

    def write(self, *statements: Statement) -> Commit:
        commit = Commit()
        self.queued.append((commit, statements))
        return commit

    def flush(self) -> None:
        for commit, statements in self.queued:
            for sql, (_, *row) in statements:
                if sql == tables.PUT and row[0]:
                    self.rows[row[0]] = (row[0], row[1], row[2], row[3], row[4])
            commit.resolve([])
        self.queued.clear()


def a_book(storage: SlowStorage) -> Book:
    return Book(storage, lambda: 1.0, lambda _: False)  # type: ignore[arg-type]


async def test_one_read_serves_all_who_ask_meanwhile() -> None:
    storage = SlowStorage()
    storage.go.clear()
    book = a_book(storage)
    asked = [asyncio.create_task(book.get(ALICE)) for _ in range(3)]
    await asyncio.sleep(0)
    storage.go.set()
    first, *others = await asyncio.gather(*asked)
    assert all(roster is first for roster in others)


async def test_a_read_that_a_change_overtook_is_made_again() -> None:
    storage = SlowStorage()
    book = a_book(storage)
    roster = await book.get(ALICE)
    storage.go.clear()
    reading = asyncio.create_task(book.read(ALICE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    book.put(ALICE, roster, ("bob@localhost", "Bob", "", MARK))
    storage.flush()
    storage.go.set()
    known, shown = await reading
    assert known is roster
    assert shown == [("bob@localhost", "Bob", "", MARK)]


async def test_a_row_is_read_behind_the_write_before() -> None:
    storage = SlowStorage()
    book = a_book(storage)
    roster = await book.get(ALICE)
    book.put(ALICE, roster, ("bob@localhost", "Bob", "", MARK))
    reading = asyncio.create_task(book.row(ALICE, "bob@localhost"))
    await asyncio.sleep(0)
    storage.flush()
    assert await reading == (("bob@localhost", "Bob", "", MARK), 1000)


async def test_rosters_of_the_absent_are_bounded_but_not_while_they_are_written() -> None:
    storage = SlowStorage()
    book = a_book(storage)
    roster = await book.get(ALICE)
    book.put(ALICE, roster, ("bob@localhost", "Bob", "", MARK))
    others = [JID.parse(f"user{number}@localhost") for number in range(MOST_ABSENT + 1)]
    for account in others:
        await book.get(account)
    assert book.known(ALICE) is roster
    assert book.known(others[0]) is None
    assert book.known(others[-1]) is not None


def test_a_roster_shows_who_may_see_whom() -> None:
    roster = Roster()
    roster.take([("a@x", "", "", 33, 7), ("b@x", "", "", 34, 9), ("c@x", "", "", 8, 0), ("", "", "", 0, 5)])
    assert (roster.watched, roster.watchers, roster.listed, roster.requests) == (["a@x"], ["b@x"], 2, 1)
    assert (roster.version, roster.floor) == (9, 5)
