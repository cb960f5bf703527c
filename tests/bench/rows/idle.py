"""What a session costs in memory while nothing happens on it."""

import time
from collections.abc import Iterable

from tests.bench.accounts import Account, crowd
from tests.bench.cpu import family, pss_kib
from tests.bench.peer import Peer
from tests.bench.row import Effort, Figure, Goal, Row

_WARM = 20
_SETTLE_SECONDS = 40


class Idle(Row):
    """KiB of the server's memory for each session that is logged in, available and silent."""

    unit = "KiB"

    def __init__(self, name: str, title: str, place: int, goal: Goal, sessions: int, *, tls: bool) -> None:
        super().__init__(name, title, place, goal)
        self._sessions = sessions
        self._tls = tls

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [*crowd("user", effort.load(self._sessions)), *crowd("early", _WARM)]

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        for account in crowd("early", _WARM):
            peer.login(account.name, tls=self._tls).close()
        number = effort.load(self._sessions)
        before = settled(peer.pid, effort)
        wires = [peer.login(account.name, tls=self._tls) for account in crowd("user", number)]
        each = (settled(peer.pid, effort) - before) / number
        for wire in wires:
            wire.sock.close()
        return Figure(each, each, each, operations=number)


def settled(pid: int, effort: Effort) -> int:
    """Memory once it has stopped changing, or after the longest wait."""
    before = pss_kib(family(pid))
    for _ in range(int(_SETTLE_SECONDS * effort.share / 2)):
        time.sleep(2)
        now = pss_kib(family(pid))
        if abs(now - before) < before * 0.001:
            return now
        before = now
    return before


ROWS = [
    Idle("idle", "idle session, plain", 50, Goal(12, 1 / 4), 2000, tls=False),
    Idle("idle-tls", "idle session, TLS", 51, Goal(36, 6 / 7), 500, tls=True),
]
