"""Privacy lists: one item of a short and of a long list, and what a long list costs each message."""

from collections.abc import Iterable, Sequence

from tests.bench.accounts import Account
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.row import CpuRow, Effort, Figure, Goal, Row
from tests.bench.table import OURS
from tests.bench.wire import Wire, close_all

_LONG = 10_000
_AT_ONCE = 500  # items of one request while the list is made
_PAIRS = 5
_EACH = 50  # messages or increments under way on one connection, so that a wake-up of the server is shared
_QUERY = "<iq type='set' id='%s'><query xmlns='jabber:iq:privacy'>{}</query></iq>"
_ACTIVE = _QUERY.format("<active name='LOL'/>").encode()
_ADD = _QUERY.format(
    "<add name='LOL'><item value='one@pvp.example' action='deny' order='1' type='jid'/></add>"
).encode()
_REMOVE = _QUERY.format("<remove name='LOL'><item value='one@pvp.example'/></remove>").encode()
_MESSAGE = "<message type='chat' to='{}' id='m1'><body>The quick brown fox jumps over the lazy dog.</body></message>"


class Increments(CpuRow):
    """An operation is one item added or removed, on disk and answered; the list has `size` others."""

    def __init__(self, name: str, title: str, place: int, size: int) -> None:
        super().__init__(name, title, place)
        self._size = size

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [Account(f"lister{self._size}")]

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._wire = peer.login(f"lister{self._size}")
        _fill(self._wire, self._size)

    def window(self, meter: Meter, effort: Effort) -> int:
        rounds = effort.load(_EACH) * 4
        with meter:
            for _ in range(rounds):
                self._wire.ask(_ADD)
                self._wire.ask(_REMOVE)
        return 2 * rounds

    def leave(self) -> None:
        self._wire.close()


class Growth(Row):
    """How many times as much an increment costs in a list of ten thousand as in one of ten."""

    unit = "times"

    def __init__(self, name: str, title: str, place: int, goal: Goal, of: Sequence[Increments]) -> None:
        super().__init__(name, title, place, goal)
        self._short, self._long = of

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [*self._short.accounts(effort), *self._long.accounts(effort)]

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        short, long = self._short.measure(peer, effort), self._long.measure(peer, effort)
        return Figure(long.value / short.value, long.low / short.high, long.high / short.low, 1.0, long.operations)


class Messages(CpuRow):
    """An operation is one message to somebody whose active list has `size` denials; without any, no list."""

    def __init__(self, size: int) -> None:
        super().__init__("", "", 0)
        self._size = size

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [Account(f"{kind}{number}") for kind in ("writer", "reader") for number in range(_PAIRS)]

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._writers = [peer.login(f"writer{number}") for number in range(_PAIRS)]
        self._readers = [peer.login(f"reader{number}") for number in range(_PAIRS)]
        for reader in self._readers if self._size else ():
            _fill(reader, self._size)
            reader.ask(_ACTIVE)

    def window(self, meter: Meter, effort: Effort) -> int:
        rounds = effort.load(_EACH) * 8
        batches = [_MESSAGE.format(reader.jid.partition("/")[0]).encode() * _EACH for reader in self._readers]
        with meter:
            for _ in range(rounds):
                for writer, batch in zip(self._writers, batches, strict=True):
                    writer.send(batch)
                for reader in self._readers:
                    for _ in range(_EACH):
                        reader.expect(b"</message>")
        return rounds * _EACH * _PAIRS

    def leave(self) -> None:
        close_all(self._writers + self._readers)


class Check(Row):
    """What a message costs more where ten thousand addresses are denied than where there is no list."""

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return Messages(0).accounts(effort)

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        without = Messages(0).measure(peer, effort)
        listed = Messages(effort.load(_LONG)).measure(peer, effort)
        more = listed.value - without.value
        return Figure(more, listed.low - without.high, listed.high - without.low, 1.0, listed.operations)


def _fill(wire: Wire, size: int) -> None:
    """Make the list LOL, of so many items."""
    for start in range(0, size, _AT_ONCE):
        items = "".join(
            f"<item value='sum{number}@elsewhere.example' action='deny'/>"
            for number in range(start, min(size, start + _AT_ONCE))
        )
        wire.ask(_QUERY.format(f"<add name='LOL'>{items}</add>").encode())


_SHORT_LIST = Increments("privacy-10", "one item added to or removed from a privacy list of 10", 71, 10)
_LONG_LIST = Increments("privacy-10k", "the same of a list of 10,000", 72, _LONG)

# The messages come first: as long as nobody has a list, the filters do not stand on the road.
ROWS = [
    Check("privacy-check", "a message against 10,000 denials, more than against none", 70, Goal(2, 1)),
    _SHORT_LIST,
    _LONG_LIST,
    Growth("privacy-growth", "the second by the first, times", 73, Goal(2, 1), (_SHORT_LIST, _LONG_LIST)),
]
