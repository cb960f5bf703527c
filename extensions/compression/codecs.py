"""The methods: an encoder that never holds anything back, and a decoder that cannot be made to explode."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard

from xmppd.xmpp.errors import StreamError

FREE: Final = 65536  # bytes out before the ratio is asked: a burst of small stanzas after a quiet hour is no bomb
# The decoder of zstd cannot be told how much to give at once. A frame whose window is at most WINDOW makes at most
# WINDOW bytes of 4, so pieces this small stay under 1 MiB each. It is also what a decoder may keep of each session.
WINDOW: Final = 1 << 17
PIECE: Final = 32


class Tally(Protocol):
    """Something that counts."""

    def inc(self, by: float = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted: bytes before and after, both ways, and streams refused."""

    sent_before: Tally
    sent_after: Tally
    received_before: Tally
    received_after: Tally
    refused: Tally


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may come out: `ratio` for each byte in over the stream, `read` bytes of one read."""

    ratio: int
    read: int


class Codec(ABC):
    """A layer of the stream (`xmppd.api.Layer`). A subclass compresses and expands."""

    __slots__ = ("_bounds", "_figures", "_forgets", "_in", "_out")

    def __init__(self, level: int, window_bits: int, forgets: bool, bounds: Bounds, figures: Figures) -> None:
        self._forgets = forgets
        self._bounds = bounds
        self._figures = figures
        self._in = self._out = 0
        self._begin(level, window_bits)

    @abstractmethod
    def _begin(self, level: int, window_bits: int) -> None:
        """Make an encoder and a decoder."""

    @abstractmethod
    def _compress(self, data: bytes) -> bytes:
        """Flushed; where the encoder forgets, nothing of it is in what comes next."""

    @abstractmethod
    def _expand(self, data: bytes, most: int) -> bytes:
        """At most about `most` bytes; `_Bomb` where there would be more."""

    def encode(self, pieces: Sequence[bytes]) -> bytes:
        """One burst, flushed, so that the peer can read all of it; each piece by itself where the encoder forgets."""
        burst = b"".join(pieces)
        self._figures.sent_before.inc(len(burst))
        data = b"".join(map(self._compress, pieces)) if self._forgets else self._compress(burst)
        self._figures.sent_after.inc(len(data))
        return data

    def decode(self, data: bytes) -> bytes:
        """The peer's bytes. `policy-violation` past the bounds, `undefined-condition` where they cannot be read."""
        self._in += len(data)
        self._figures.received_before.inc(len(data))
        allowed = min(self._bounds.read, self._in * self._bounds.ratio + FREE - self._out)
        try:
            plain = self._expand(data, allowed)
        except (zlib.error, zstandard.ZstdError) as error:
            large = f"; a zstd window has {WINDOW} bytes at most" if "too much memory" in str(error) else ""
            raise StreamError("undefined-condition", f"the compressed stream cannot be read{large}") from None
        except OverflowError:
            self._figures.refused.inc()
            raise StreamError("policy-violation", "the compressed stream expands too far") from None
        self._out += len(plain)
        self._figures.received_after.inc(len(plain))
        return plain


class Zlib(Codec):
    """RFC 1950, as XEP-0138 asks of everybody."""

    __slots__ = ("_deflate", "_flush", "_inflate")

    def _begin(self, level: int, window_bits: int) -> None:
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, window_bits, max(1, window_bits - 8))
        self._inflate = zlib.decompressobj()
        # A partial flush ends in ten bits, a sync flush in four or five bytes: much, beside a small update's nine.
        self._flush = zlib.Z_FULL_FLUSH if self._forgets else zlib.Z_PARTIAL_FLUSH

    def _compress(self, data: bytes) -> bytes:
        return self._deflate.compress(data) + self._deflate.flush(self._flush)

    def _expand(self, data: bytes, most: int) -> bytes:
        plain = self._inflate.decompress(data, most + 1)
        if len(plain) > most:
            raise OverflowError
        if self._inflate.unused_data:  # after the end all input goes there
            raise zlib.error("the stream is over")
        return plain


class Zstd(Codec):
    """RFC 8878. Where the encoder forgets, each piece is a frame of its own."""

    __slots__ = ("_compressor", "_decoder", "_encoder")

    def _begin(self, level: int, window_bits: int) -> None:
        # Half: the middle of zlib's scale, 6, is where zstd has 3. Smaller tables than its own lose nothing here.
        tables = window_bits - 2
        parameters = zstandard.ZstdCompressionParameters.from_level(
            (level + 1) // 2, window_log=window_bits, hash_log=tables, chain_log=tables, write_content_size=False
        )
        self._compressor = zstandard.ZstdCompressor(compression_params=parameters)
        self._encoder = self._compressor.compressobj()
        self._decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj(read_across_frames=True)

    def _compress(self, data: bytes) -> bytes:
        if not self._forgets:
            return self._encoder.compress(data) + self._encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        whole = self._encoder.compress(data) + self._encoder.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)
        self._encoder = self._compressor.compressobj()
        return whole

    def _expand(self, data: bytes, most: int) -> bytes:
        pieces: list[bytes] = []
        for at in range(0, len(data), PIECE):
            piece = self._decoder.decompress(data[at : at + PIECE])
            most -= len(piece)
            if most < 0:
                raise OverflowError
            pieces.append(piece)
        return b"".join(pieces)
