"""Rooms (XEP-0045): what is said reaches every occupant, and so does who comes."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from statistics import median

from tests.bench.accounts import Account, crowd
from tests.bench.meter import Meter
from tests.bench.occupants import Gathering, a_room, destroy, found, gather, message, nick
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import CpuRow, Effort, Figure, Goal, PumpRow, Row
from tests.bench.rows.idle import settled
from tests.bench.wire import Wire, close_all

_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."
_JOINS = 500
_QUIET_SECONDS = 2.0  # so that presence that a server put off is counted
_JOIN_WINDOWS = 2
_SIZE, _ROOMS, _MEMORY_WINDOWS = 50, 20, 3


def login(peer: Peer, number: int) -> list[Wire]:
    """So many sessions."""
    return [peer.login(account.name) for account in crowd("user", number)]


class Talk(PumpRow):
    """An operation is one copy delivered to an occupant. Who sends does so again once the last has reached all."""

    def __init__(self, name: str, title: str, place: int, goal: Goal, *, size: int, senders: int = 1) -> None:
        super().__init__(name, title, place, goal)
        self.size = size
        self._senders = senders

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", self.size)

    def enter(self, peer: Peer, effort: Effort) -> None:
        wires, room = login(peer, self.size), a_room()
        gather(wires, room)
        self.begin(Pump(wires, b"</body>", self.saw), message(room, _TEXT))

    def begin(self, pump: Pump, text: bytes) -> None:
        """The senders say this, again and again."""
        self.pump, self._message = pump, text
        self.moved = self._missing = 0
        self._say()

    def saw(self, _index: int, number: int) -> None:
        self.moved += number
        self._missing -= number
        if not self._missing:
            self._say()

    def _say(self) -> None:
        """Each sender says it, and then waits until all have heard all."""
        self._missing = self._senders * self.size
        for wire in self.pump.wires[: self._senders]:
            wire.sock.send(self._message)


class Joins(CpuRow):
    """Many enter an empty room one after another; an operation is one that entered, or one presence delivered."""

    def __init__(self, name: str, title: str, place: int, goal: Goal, *, by_presence: bool) -> None:
        super().__init__(name, title, place, goal)
        self._by_presence = by_presence

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", effort.load(_JOINS))

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        return super().measure(peer, replace(effort, windows=min(effort.windows, _JOIN_WINDOWS)))

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._wires = login(peer, effort.load(_JOINS))

    def window(self, meter: Meter, effort: Effort) -> int:
        room = a_room()
        found(self._wires[0], room, nick(0))
        gathering = Gathering(self._wires, room)
        with meter:
            gathering.grow(len(self._wires))
            gathering.settle(_QUIET_SECONDS)
        gathering.close()
        destroy(self._wires[0], room)
        return gathering.delivered if self._by_presence else gathering.inside - 1

    def leave(self) -> None:
        close_all(self._wires)


class Occupants(Row):
    """KiB of the server's memory for each occupant of a room, all sessions being there before."""

    unit = "KiB"

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", _SIZE)

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        wires, occupants = login(peer, _SIZE), effort.load(_ROOMS) * _SIZE
        levels = []
        # The first rooms fill what logging in left behind.
        for _ in range(_MEMORY_WINDOWS + 1):
            for _ in range(effort.load(_ROOMS)):
                gather(wires, a_room())
            levels.append(settled(peer.pid, effort))
        close_all(wires)
        each = sorted((after - before) / occupants for before, after in pairwise(levels))
        return Figure(median(each), each[0], each[-1], operations=occupants * _MEMORY_WINDOWS)


_COPY = Goal(7, 1 / 4)

ROWS = [
    Talk("room-50", "one sender to a room of 50, per delivered copy", 60, _COPY, size=50),
    Talk("room-200", "one sender to a room of 200, per delivered copy", 61, _COPY, size=200),
    Talk("room-20x20", "20 senders in a room of 20, per delivered copy", 62, _COPY, size=20, senders=20),
    Joins("room-joins", "500 joins into one room, per join", 63, Goal(7 * _JOINS, 1 / 4), by_presence=False),
    Joins("room-presence", "the same, per delivered presence", 64, _COPY, by_presence=True),
    Occupants("room-memory", "an occupant, in rooms of 50", 65),
]
