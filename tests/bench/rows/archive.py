"""The archive: what it adds to a message, and what a page of it costs where it is short and where it is long."""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice

from tests.bench.accounts import HOST, Account
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.row import CpuRow, Effort, Figure, Goal
from tests.bench.rows.chat import Chat
from tests.bench.rows.privacy import Growth
from tests.bench.table import OURS

_SHORT, _LONG = 1000, 1_000_000
_PAGE = 50
_PAGES = 200
_CONTACTS = 20
_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."
_RSM = f"<set xmlns='http://jabber.org/protocol/rsm'><max>{_PAGE}</max><before>{{}}</before></set>"
_QUERY = f"<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'>{_RSM}</query></iq>"
_FIRST = re.compile(rb"<first[^>]*>([^<]+)</first>")
_KEY = 1 << 10  # between two messages: a microsecond; see modules/mam/ids.py


class ArchivedChat(Chat):
    """The same conversation, each message archived for both sides; what is acknowledged is on our disk."""

    archive = True

    def suits(self, peer: type[Peer]) -> bool:
        return peer.speaks_xmpp


class ArchivedRate(ArchivedChat):
    """How many of these messages one core takes a second, each on disk for both sides."""

    unit = "messages/s"

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        operations = super().measure(peer, effort).operations
        rate = operations / (effort.seconds * effort.windows)
        return Figure(rate, rate, rate, 1.0, operations)


class Pages(CpuRow):
    """An operation is a page of 50 messages of an archive of `size`, from its end backwards."""

    archive = True

    def __init__(self, name: str, title: str, place: int, size: int) -> None:
        super().__init__(name, title, place)
        self._size = size
        self._filled = False

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [Account(f"archivist{self._size}")]

    def enter(self, peer: Peer, effort: Effort) -> None:
        name = f"archivist{self._size}"
        if not self._filled:
            _fill(peer, f"{name}@{HOST}", max(_SHORT, effort.load(self._size)))
            self._filled = True
        self._wire = peer.login(name)

    def window(self, meter: Meter, effort: Effort) -> int:
        pages, before = effort.load(_PAGES), ""
        with meter:
            for number in range(pages):
                if number % (_SHORT // _PAGE) == 0:
                    before = ""
                self._wire.send(_QUERY.format(before).encode())
                found = _FIRST.search(self._wire.expect(b"</fin>"))
                assert found is not None, "the archive is empty"
                before = found[1].decode()
        return pages

    def leave(self) -> None:
        self._wire.close()


def _fill(peer: Peer, account: str, size: int) -> None:
    """Write an archive as the server would have, in the order of time, up to yesterday."""
    rows = _rows(account, size, (int(time.time() - 86_400) * 1_000_000 - size) * _KEY)
    with closing(sqlite3.connect(peer.folder / "data" / "xmppd.sqlite", timeout=60)) as database:
        while batch := list(islice(rows, 50_000)):
            database.executemany("INSERT INTO mam VALUES (?, 1, ?, ?, ?, 'phone', ?)", batch)
            database.executemany("INSERT INTO mam_order VALUES (?, ?)", [(row[2], row[0]) for row in batch])
            peers = sorted((row[2], row[3], row[0]) for row in batch)
            database.executemany("INSERT INTO mam_peers VALUES (?, ?, ?)", peers)
            database.execute("UPDATE mam_mark SET id = ? WHERE id < ?", (batch[-1][0], batch[-1][0]))
            database.commit()


def _rows(account: str, size: int, first: int) -> Iterator[tuple[int, str, str, str, bytes]]:
    for number in range(size):
        contact = f"contact{number % _CONTACTS}@{HOST}"
        message = (
            f"<message from='{contact}/phone' to='{account}' id='m{number}' type='chat'><body>{_TEXT}</body></message>"
        )
        yield first + number * _KEY, HOST, account, contact, message.encode()


_SHORT_ARCHIVE = Pages("page-1k", "page of 50 out of an archive of 1,000", 46, _SHORT)
_LONG_ARCHIVE = Pages("page-1m", "the same out of 1,000,000", 47, _LONG)


class PageGrowth(Growth):
    """How many times as much a page costs in the long archive as in the short one."""

    archive = True


ROWS = [
    ArchivedChat("chat-archive", "one-to-one chat message, archived for both", 45, Goal(60, 1 / 2), tls=False),
    ArchivedRate("rate-archive", "the same, messages a second on disk", 45, None, tls=False),
    _SHORT_ARCHIVE,
    _LONG_ARCHIVE,
    PageGrowth("page-growth", "the second by the first, times", 48, Goal(1.5, 1), (_SHORT_ARCHIVE, _LONG_ARCHIVE)),
]
