"""Gathers records into blocks of at most the size that was agreed; order is kept."""

from __future__ import annotations

from .records import framed


class Blocks:
    """What waits to be sent in one channel. A record longer than a block goes on in the next one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting = bytearray()

    def __len__(self) -> int:
        """Bytes that wait."""
        return len(self._waiting)

    def add(self, record: bytes) -> list[bytes]:
        """Take a record; returns the blocks that are full now."""
        self._waiting += framed(record)
        full = []
        while len(self._waiting) >= self.size:
            full.append(self._cut())
        return full

    def rest(self) -> list[bytes]:
        """What waits, as one last block, or none."""
        return [self._cut()] if self._waiting else []

    def _cut(self) -> bytes:
        block = bytes(self._waiting[: self.size])
        del self._waiting[: self.size]
        return block
