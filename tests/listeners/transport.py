"""A transport without a socket: it remembers what was done to it."""

from __future__ import annotations

import asyncio


class FakeTransport(asyncio.Transport):
    """Bytes written are in `written`, or wait in `buffer` while `stuck`."""

    def __init__(self, protocol: asyncio.Protocol, stuck: bool = False) -> None:
        super().__init__({"peername": ("192.0.2.1", 1)})
        self.protocol = protocol
        self.stuck = stuck
        self.written = b""
        self.buffer = b""
        self.reading = True
        self.closed = self.aborted = False
        self.high = 65536

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def write(self, data: bytes) -> None:  # type: ignore[override]
        assert not self.closed, "written after the end"
        if not self.stuck:
            self.written += data
            return
        self.buffer += data
        if len(self.buffer) > self.high:
            self.protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True
