"""Drives many clients from one loop and counts the stanzas they receive."""

import select
import ssl
import time
from collections.abc import Callable, Iterable

from tests.bench.wire import Wire

_CHUNK = 65536
_PATIENCE = 30.0


class Pump:
    """Reads `wires` and tells `arrived(index, number)` how often `closing` was seen on which of them.

    While a pump lives, its wires do not block.
    """

    def __init__(self, wires: Iterable[Wire], closing: bytes, arrived: Callable[[int, int], None]) -> None:
        self.wires = list(wires)
        self._closing = closing
        self._arrived = arrived
        self._rest: dict[int, bytes] = {}
        self._index = {wire.sock.fileno(): index for index, wire in enumerate(self.wires)}
        self._poll = select.epoll(max(1, len(self.wires)))
        for wire in self.wires:
            wire.sock.setblocking(False)
            self._poll.register(wire.sock.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> None:
        """Serve the wires for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn(seconds)

    def until(self, done: Callable[[], bool]) -> None:
        """Serve the wires until `done()`; raises TimeoutError when nothing arrives for half a minute."""
        while not done():
            if not self.turn(_PATIENCE):
                raise TimeoutError(f"no {self._closing!r} within {_PATIENCE:g} s")

    def close(self) -> None:
        """Give the wires back, blocking again."""
        self._poll.close()
        for wire in self.wires:
            wire.sock.settimeout(_PATIENCE)

    def turn(self, patience: float) -> int:
        """Serve whatever comes within `patience` seconds, once; returns how many wires had something."""
        events = self._poll.poll(patience)
        for fileno, _ in events:
            index = self._index[fileno]
            try:
                chunk = self.wires[index].sock.recv(_CHUNK)
            except ssl.SSLWantReadError:
                continue
            if not chunk:
                raise ConnectionError(f"the server closed the stream of {self.wires[index].jid}")
            if number := self._count(index, chunk):
                self._arrived(index, number)
        return len(events)

    def _count(self, index: int, chunk: bytes) -> int:
        if self._rest:
            chunk = self._rest.pop(index, b"") + chunk
        if not chunk.endswith(b">"):
            self._rest[index] = chunk[1 - len(self._closing) :]
        return chunk.count(self._closing)
