"""Which web sites' pages may use a door (the Fetch standard, CORS)."""

from __future__ import annotations

from collections.abc import Sequence

EVERY = "*"


def allowed(origin: bytes, host: bytes, origins: Sequence[str]) -> bool:
    """Whether a request with this Origin may come: from a listed site, a page of this host, or no page at all."""
    if not origin or EVERY in origins:
        return True
    site = origin.decode("latin-1").lower()
    return site in origins or site.partition("://")[2] == host.decode("latin-1").lower()


def cors(origin: bytes, origins: Sequence[str]) -> bytes:
    """The headers that let a page of an allowed origin read the answer; nothing for who is no page."""
    if not origin:
        return b""
    if EVERY in origins:
        return b"Access-Control-Allow-Origin: *\r\n"
    return b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % origin


PREFLIGHT = (
    b"Access-Control-Allow-Methods: %b\r\n"
    b"Access-Control-Allow-Headers: Content-Type\r\nAccess-Control-Max-Age: 7200\r\n"
)
