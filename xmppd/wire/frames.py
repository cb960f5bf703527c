"""WebSocket frames as a server sees them (RFC 6455 5, RFC 7692): bytes in, messages out, and back."""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Final

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

FIN: Final = 0x80
COMPRESSED: Final = 0x40
MASKED: Final = 0x80
MOST_CONTROL: Final = 125
RESERVED: Final = (1004, 1005, 1006, 1015)  # codes that no frame carries (RFC 6455 7.4.1)
REGISTERED: Final = range(1000, 1015)  # those that are defined, by RFC 6455 or since
FREE: Final = range(3000, 5000)  # for libraries and applications (RFC 6455 7.4.2)
MOST_FRAGMENTS: Final = 4096  # of one message; a fragment may be empty, so their bytes alone bound nothing
MEDIUM: Final = Struct(">BBH")
LONG: Final = Struct(">BBQ")

# A message shorter than this is a packet either way.
COMPRESS_FROM: Final = 1024
# No history is kept between messages, so a session needs no memory for it; with small windows making a compressor
# takes some microseconds.
WINDOW_BITS: Final = 13
MEMORY_LEVEL: Final = 6
LEVEL: Final = 4
SYNC: Final = b"\0\0\xff\xff"

Message = tuple[int, bytes]  # opcode, and the payload of all its frames


class FrameError(Exception):
    """The peer breaks the protocol; `code` is what a close frame says about it (RFC 6455 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Frames:
    """What one client sends, as whole messages of at most `limit` bytes, after decompression too.

    `deflate` says that permessage-deflate was agreed upon, without context takeover. `broken` is what ended it all:
    nothing is read any more.
    """

    __slots__ = ("_buffer", "_compressed", "_fragments", "_need", "_opcode", "_parts", "broken", "deflate", "limit")

    def __init__(self, limit: int, *, deflate: bool = False) -> None:
        self.limit = limit
        self.deflate = deflate
        self._buffer: bytearray | None = None
        self._need = 0
        self._parts: bytearray | None = None
        self._opcode = self._fragments = 0
        self._compressed = False
        self.broken: FrameError | None = None

    def receive(self, data: bytes) -> list[Message]:
        """Take bytes; return the messages that they finish, control frames among them, up to what is `broken`."""
        messages: list[Message] = []
        if self.broken is None:
            try:
                self._receive(data, messages)
            except FrameError as error:
                self.broken = error
        return messages

    def _receive(self, data: bytes, messages: list[Message]) -> None:
        buffer = self._buffer
        if buffer is not None:
            buffer += data
            if len(buffer) < self._need:
                return
            data, self._buffer = bytes(buffer), None
        at, size = 0, len(data)
        while at < size:
            begin, length = self._head(data, at, size)
            end = begin + length
            if end > size:
                self._buffer, self._need = bytearray(data[at:]), end - at
                break
            message = self._frame(data[at], _unmasked(data[begin - 4 : begin], data[begin:end]))
            if message is not None:
                messages.append(message)
            at = end

    def _head(self, data: bytes, at: int, size: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins, and its length; past the end while the head is not whole."""
        if size - at < 2:
            return at + 2, 0
        second = data[at + 1]
        if not second & MASKED:
            raise FrameError(1002, "a client masks its frames")
        length = second & 0x7F
        begin = at + 6
        if length > MOST_CONTROL:
            wide = 2 if length == 126 else 8
            length = int.from_bytes(data[at + 2 : at + 2 + wide], "big") if size >= begin + wide - 4 else 0
            begin += wide
        self._check(data[at], length)
        return begin, length

    def _check(self, first: int, length: int) -> None:
        if first & 8:
            if length > MOST_CONTROL or not first & FIN:
                raise FrameError(1002, "a control frame has 125 bytes at most, and no fragments")
        elif length > self.limit - (0 if self._parts is None else len(self._parts)):
            raise FrameError(1009, f"a message may have {self.limit} bytes at most")

    def _frame(self, first: int, payload: bytes) -> Message | None:
        opcode = first & 0x0F
        if first & 0x70 and (first & 0x70 != COMPRESSED or not self.deflate or opcode not in (TEXT, BINARY)):
            raise FrameError(1002, "a reserved bit is set")
        if opcode in (CLOSE, PING, PONG):
            if opcode == CLOSE and payload:
                _check_closing(payload)
            return opcode, payload
        if opcode in (TEXT, BINARY):
            if self._parts is not None:
                raise FrameError(1002, "a message began inside of another")
            if first & FIN:
                return self._message(opcode, payload, bool(first & COMPRESSED))
            self._parts, self._opcode, self._compressed = bytearray(payload), opcode, bool(first & COMPRESSED)
            self._fragments = 1
            return None
        if opcode != CONTINUATION or self._parts is None:
            raise FrameError(1002, "there is no such frame, or nothing to continue")
        return self._continue(payload, bool(first & FIN))

    def _continue(self, payload: bytes, last: bool) -> Message | None:
        assert self._parts is not None
        self._parts += payload
        self._fragments += 1
        if self._fragments > MOST_FRAGMENTS:
            raise FrameError(1008, "a message came in too many fragments")
        if not last:
            return None
        whole, self._parts = bytes(self._parts), None
        return self._message(self._opcode, whole, self._compressed)

    def _message(self, opcode: int, payload: bytes, compressed: bool) -> Message:
        if compressed:
            payload = inflate(payload, self.limit)
        if opcode == TEXT:
            _check_text(payload)
        return opcode, payload


def _check_text(text: bytes) -> None:
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise FrameError(1007, "text is UTF-8") from None


def _check_closing(payload: bytes) -> None:
    """A close frame that says something begins with a code that may be sent (RFC 6455 5.5.1, 7.4)."""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or code in RESERVED or not (code in REGISTERED or code in FREE):
        raise FrameError(1002, "a close frame has a code that may be sent, or nothing")
    _check_text(payload[2:])


def _unmasked(key: bytes, payload: bytes) -> bytes:
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")


def inflate(payload: bytes, limit: int) -> bytes:
    """A message that was compressed by itself; `FrameError` where it is broken or longer than `limit`."""
    try:
        text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + SYNC, limit + 1)
    except zlib.error:
        raise FrameError(1007, "the message cannot be decompressed") from None
    if len(text) > limit:
        raise FrameError(1009, f"a message may have {limit} bytes at most")
    return text


def frame(opcode: int, payload: bytes, flags: int = FIN) -> bytes:
    """One whole message, or a control frame, as a server sends it."""
    size = len(payload)
    if size <= MOST_CONTROL:
        return b"%c%c%b" % (flags | opcode, size, payload)
    if size < 1 << 16:
        return MEDIUM.pack(flags | opcode, 126, size) + payload
    return LONG.pack(flags | opcode, 127, size) + payload


def deflated(text: bytes) -> bytes:
    """A text message as one compressed frame (RFC 7692 7.2.1)."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -WINDOW_BITS, MEMORY_LEVEL)
    packed = compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return frame(TEXT, packed[: -len(SYNC)], FIN | COMPRESSED)


def close_frame(code: int, reason: str = "") -> bytes:
    """The frame that closes the connection (RFC 6455 5.5.1)."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[: MOST_CONTROL - 2])
