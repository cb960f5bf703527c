"""What is answered to HTTP requests, as bytes (RFC 9112)."""

from __future__ import annotations

import zlib
from email.utils import formatdate
from typing import Final

import zstandard

from xmppd.clock import Clock

REASONS: Final = {
    101: "Switching Protocols", 200: "OK", 204: "No Content", 304: "Not Modified", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type", 426: "Upgrade Required",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported",
}  # fmt: skip
PLAIN_TEXT: Final = "text/plain; charset=utf-8"
# Below this a body is one packet either way, and compressing it only costs.
COMPRESS_FROM: Final = 1400
GZIP_LEVEL: Final = 4
ZSTD_LEVEL: Final = 3


class Dates:
    """The Date header of answers, made once a second (RFC 9110 6.6.1)."""

    __slots__ = ("_clock", "_second", "_text")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._text = b""

    def now(self) -> bytes:
        """As `Date: ...`, with the end of its line."""
        second = int(self._clock.time())
        if second != self._second:
            self._second, self._text = second, f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._text


def status_line(status: int) -> bytes:
    """The first line of an answer."""
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n".encode()


def encoding(accepted: bytes) -> str:
    """The encoding to compress with, of those that an Accept-Encoding header takes; "" for none (RFC 9110 12.5.3)."""
    if not accepted:
        return ""
    weights = {}
    for offer in accepted.decode("latin-1").lower().split(","):
        name, _, weight = offer.partition(";")
        weights[name.strip()] = weight.strip().removeprefix("q=").strip("0.") != "" or not weight.strip()
    return next((name for name in ("zstd", "gzip") if weights.get(name, weights.get("*", False))), "")


def compressed(body: bytes, how: str) -> bytes:
    """The body in an encoding that `encoding` named."""
    if how == "zstd":
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()
