"""Moving in from another server: how long it takes until all its users are here."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.bench.accounts import Account, crowd, write_portable
from tests.bench.peer import Peer
from tests.bench.peers.xmppd import take_over
from tests.bench.row import Effort, Figure, Goal, Row
from tests.bench.table import OURS

_USERS = 10_000
_CONTACTS = 10


class Import(Row):
    """Seconds of `xmppctl import` into a new folder, on all cores: passwords become SCRAM keys, rosters come along."""

    unit = "seconds"

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return ()

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        home = peer.folder / "moving"
        home.mkdir()
        empty = type(peer)(home, peer.certificate, peer.key)
        empty.provision(())
        users, portable = circle(effort.load(_USERS)), home / "users.xml"
        write_portable(users, portable)
        with _all_cores():
            before = time.monotonic()
            take_over(empty, portable)
            taken = time.monotonic() - before
        return Figure(taken, taken, taken, operations=len(users))


def circle(size: int) -> list[Account]:
    """Users who know their neighbours on both sides."""
    names = [user.name for user in crowd("moving", size)]
    steps = [step for step in range(-_CONTACTS // 2, _CONTACTS // 2 + 1) if step]
    return [Account(name, tuple(names[(place + step) % size] for step in steps)) for place, name in enumerate(names)]


@contextmanager
def _all_cores() -> Iterator[None]:
    """Who starts here is not held to the load's core."""
    held = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, held)


ROWS = [Import("import", "import of 10,000 accounts with 10 contacts each", 38, Goal(30, 1))]
