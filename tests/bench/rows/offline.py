"""Messages for absent users: stored, and delivered when they come."""

from collections.abc import Iterable

from tests.bench.accounts import HOST, Account, crowd
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import CpuRow, Effort, Goal
from tests.bench.wire import Wire, close_all

_SENDERS = 50
_ABSENT = 50
_EACH = 40
_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."


class Offline(CpuRow):
    """An operation is one message. Counted are storing it, until a ping after it is answered, and its delivery.

    Not counted is the login between the two, up to the initial presence that asks for the messages.
    """

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [*crowd("sender", effort.load(_SENDERS)), *crowd("away", effort.load(_ABSENT))]

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._peer = peer
        self._senders = [peer.login(account.name) for account in crowd("sender", effort.load(_SENDERS))]

    def window(self, meter: Meter, effort: Effort) -> int:
        absent = crowd("away", effort.load(_ABSENT))
        with meter:
            self._store(absent)
        wires = [self._peer.login(account.name, available=False) for account in absent]
        with meter:
            _collect(wires)
        close_all(wires)
        return _EACH * len(absent)

    def leave(self) -> None:
        close_all(self._senders)

    def _store(self, absent: list[Account]) -> None:
        """All senders at once, each to one user, waiting for a ping's answer after every message."""
        messages = [_message(account) for account in absent]
        for _ in range(_EACH):
            marks = [wire.send_with_ping(message) for wire, message in zip(self._senders, messages, strict=True)]
            for wire, mark in zip(self._senders, marks, strict=True):
                wire.expect(mark)


def _collect(wires: list[Wire]) -> None:
    missing = [_EACH * len(wires)]

    def arrived(index: int, number: int) -> None:
        missing[0] -= number

    pump = Pump(wires, b"</message>", arrived)
    for wire in wires:
        wire.sock.send(b"<presence/>")
    pump.until(lambda: missing[0] <= 0)
    pump.close()
    for wire in wires:
        wire.ping()


def _message(to: Account) -> bytes:
    return f"<message type='chat' to='{to.name}@{HOST}' id='m1'><body>{_TEXT}</body></message>".encode()


ROWS = [
    Offline("offline", "message stored for an absent user and later delivered, durable", 40, Goal(60, 1 / 4)),
]
