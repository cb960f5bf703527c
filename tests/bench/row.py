"""What a row of the table is: accounts it needs, and how one server is measured for it."""

import gc
import statistics
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.bench.accounts import Account
from tests.bench.meter import Meter, Window
from tests.bench.peer import Peer
from tests.bench.probe import Probe
from tests.bench.pump import Pump


@dataclass(frozen=True)
class Goal:
    """The bar: a figure to stay under, and the share of the better peer's figure in the same run."""

    figure: float
    share: float


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds of a window, number of windows, and the share of the full load."""

    seconds: float = 2.0
    windows: int = 5
    share: float = 1.0

    def load(self, full: int) -> int:
        """`full` clients or rounds, scaled down for a smoke test."""
        return max(2, int(full * self.share))


FULL = Effort()
QUICK = Effort(seconds=0.3, windows=2, share=0.05)


@dataclass(frozen=True)
class Figure:
    """A server's figure in one row: the median, and the lowest and highest window around it."""

    value: float
    low: float
    high: float
    speed: float = 1.0
    operations: int = 0


class Row(ABC):
    """One line of the table. `name` is typed on the command line, `place` orders the lines."""

    unit = "CPU µs"
    archive = False
    """Whether servers archive all messages meanwhile."""

    def __init__(self, name: str, title: str, place: int, goal: Goal | None = None) -> None:
        self.name = name
        self.title = title
        self.place = place
        self.goal = goal

    def suits(self, peer: type[Peer]) -> bool:
        """Whether the server can do this at all; the floor, for one, only moves chat."""
        return peer.speaks_xmpp

    @abstractmethod
    def accounts(self, effort: Effort) -> Iterable[Account]:
        """The accounts to make before the server starts."""

    @abstractmethod
    def measure(self, peer: Peer, effort: Effort) -> Figure:
        """Measure a running server."""


class CpuRow(Row):
    """A row in CPU µs: log in, warm up, then measure some windows."""

    @abstractmethod
    def enter(self, peer: Peer, effort: Effort) -> None:
        """Connect the clients; not counted."""

    @abstractmethod
    def window(self, meter: Meter, effort: Effort) -> int:
        """Work inside `with meter:`; returns the number of operations done there."""

    @abstractmethod
    def leave(self) -> None:
        """Disconnect the clients; not counted."""

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        self.enter(peer, effort)
        gc.collect()
        gc.disable()
        try:
            with Probe() as probe:
                meter = Meter(peer.pid, probe)
                windows = [meter.take(self.window(meter, effort)) for _ in range(effort.windows + 1)]
        finally:
            gc.enable()
            self.leave()
        return _median(windows[1:])


class PumpRow(CpuRow):
    """A row whose clients a pump drives from their entrance on. What it makes happen counts itself in `moved`."""

    pump: Pump
    moved: int

    def window(self, meter: Meter, effort: Effort) -> int:
        self.moved = 0
        with meter:
            self.pump.run(effort.seconds)
        return self.moved

    def leave(self) -> None:
        self.pump.close()
        for wire in self.pump.wires:
            wire.sock.close()


def _median(windows: Sequence[Window]) -> Figure:
    figures = [window.figure for window in windows]
    speed = statistics.median(window.speed for window in windows)
    operations = sum(window.operations for window in windows)
    return Figure(statistics.median(figures), min(figures), max(figures), speed, operations)
