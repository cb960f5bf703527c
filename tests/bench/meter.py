"""Counts a server's CPU time over stretches of work and turns it into a figure."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.bench.cpu import cpu_seconds, family
from tests.bench.probe import Probe


@dataclass(frozen=True)
class Window:
    """One measured stretch: `cost` in CPU µs per operation as counted, `speed` of the core meanwhile."""

    operations: int
    cost: float
    speed: float

    @property
    def figure(self) -> float:
        """CPU µs per operation on a core of nominal speed."""
        return self.cost * self.speed


class Meter:
    """`with meter:` counts what happens inside; `take` closes a window."""

    def __init__(self, pid: int, probe: Probe) -> None:
        self._pids = family(pid)
        self._probe = probe
        self._counted = 0.0
        self._before = 0.0

    def __enter__(self) -> Self:
        self._before = cpu_seconds(self._pids)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._counted += cpu_seconds(self._pids) - self._before

    def take(self, operations: int) -> Window:
        """The window since the last call, spread over `operations`; RuntimeError when there were none."""
        if not operations:
            raise RuntimeError("nothing was done in a window: the server lost stanzas, or the load stands still")
        cost, self._counted = self._counted * 1e6 / operations, 0.0
        return Window(operations, cost, self._probe.speed() or 1.0)
