"""Logging in: from connecting to the roster."""

from collections.abc import Iterable
from itertools import chain

from tests.bench.accounts import Account, friends
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.row import CpuRow, Effort, Goal
from tests.bench.wire import close_all

_USERS = 100
_CONTACTS = 50


class Login(CpuRow):
    """An operation is one login with SCRAM-SHA-1, bind, presence and a roster of fifty who are not there.

    Users log in one after another and stay, then leave together. Leaving is counted too, so that work put off
    until then is.
    """

    def __init__(self, name: str, title: str, place: int, goal: Goal, *, tls: bool) -> None:
        super().__init__(name, title, place, goal)
        self._tls = tls

    def accounts(self, effort: Effort) -> Iterable[Account]:
        contacts = [f"absent{number}" for number in range(_CONTACTS)]
        return chain.from_iterable(friends(f"guest{number}", contacts) for number in range(effort.load(_USERS)))

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._peer = peer

    def window(self, meter: Meter, effort: Effort) -> int:
        users = effort.load(_USERS)
        with meter:
            wires = [self._peer.login(f"guest{number}", tls=self._tls) for number in range(users)]
            close_all(wires)
        return users

    def leave(self) -> None:
        """Nobody is left."""


ROWS = [
    Login("login", "login SCRAM-SHA-1, bind, presence, roster of 50", 30, Goal(1000, 2 / 5), tls=False),
    Login("login-tls", "the same over TLS (full handshake)", 31, Goal(2000, 1 / 2), tls=True),
]
