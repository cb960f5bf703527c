"""Measures how fast the server's core is while the server works, so that figures of different minutes compare."""

import os
import statistics
import subprocess
import sys
import time
import zlib
from types import TracebackType
from typing import Self

from tests.bench.cpu import SERVER_CORE

# What one lap took on the machine of docs/benchmarks.md while the load ran beside it. The bars came from a machine
# whose lap nobody measured: shares of a peer compare with them, absolute figures only roughly.
NOMINAL_LAP = 545e-6
_PAUSE = 0.05
_MOST = 65536
_TEXT = b"".join(
    b"<message to='user%d@localhost' id='%x'><body>line %d</body></message>" % (n, n * n, n) for n in range(1100)
)


def lap() -> float:
    """CPU seconds of one lap of fixed work, compression: branches and tables, and no part of the interpreter."""
    started = time.thread_time()
    zlib.compress(_TEXT, 6)
    return time.thread_time() - started


class Probe:
    """A process on the server's core that runs a lap twenty times a second, for one hundredth of the core."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.bench.probe"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdout is not None
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def speed(self) -> float | None:
        """Speed of the core since the last call, 1.0 being nominal; None when no lap was run since."""
        try:
            laps = [float(line) for line in os.read(self._out, _MOST).split()]
        except BlockingIOError:
            return None
        return NOMINAL_LAP / statistics.median(laps)


def _run() -> None:
    if SERVER_CORE in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {SERVER_CORE})
    while True:
        time.sleep(_PAUSE)
        lap()  # warms the caches that the server has filled meanwhile
        print(lap(), flush=True)


if __name__ == "__main__":
    _run()
