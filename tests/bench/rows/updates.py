"""Bytes of a small update on the wire; `python -m tests.bench.updates` has the whole table."""

from collections.abc import Iterable

from tests.bench.accounts import Account
from tests.bench.peer import Peer
from tests.bench.row import Effort, Figure, Goal, Row
from tests.bench.table import OURS
from tests.bench.updates import WAYS, Way, accounts, measure


class Bytes(Row):
    """Bytes of the stream to the reader for each update, beneath TLS; exact, so one window will do."""

    unit = "bytes"

    def __init__(self, name: str, title: str, place: int, goal: Goal, way: Way, method: str) -> None:
        super().__init__(name, title, place, goal)
        self._way = way
        self._method = method

    def suits(self, peer: type[Peer]) -> bool:
        return peer.name == OURS

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return accounts()

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        figure = measure(peer, self._way, self._method, windows=1).stream
        return Figure(figure, figure, figure)


_JSON, _SINGLE, _, _TENS = WAYS
_UPDATE = '`{"s":"x","x":5}`'

ROWS = [
    Bytes("updates", f"{_UPDATE} as JSON in a message", 80, Goal(133, 1), _JSON, ""),
    Bytes("updates-zlib", "the same, zlib", 81, Goal(13, 1), _JSON, "zlib"),
    Bytes("updates-channel", "the same as a record of a data channel, zlib", 82, Goal(17, 1), _SINGLE, "zlib"),
    Bytes("updates-tens", "the same, ten records to a block, zlib", 83, Goal(3, 1), _TENS, "zlib"),
]
