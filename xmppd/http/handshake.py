"""The WebSocket handshake as a server sees it (RFC 6455 4.2, RFC 7692 7.1)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Final

MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SUBPROTOCOL: Final = "xmpp"
VERSION: Final = b"13"
DEFLATE: Final = "permessage-deflate"
AGREED: Final = f"{DEFLATE}; server_no_context_takeover; client_no_context_takeover"
LEAST_WINDOW, MOST_WINDOW = 9, 15  # zlib cannot do 8


class BadHandshake(Exception):
    """A request that opens no WebSocket; `more` are headers of the answer."""

    def __init__(self, status: int, text: str, more: bytes = b"") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.more = more


def accept(method: bytes, headers: Mapping[bytes, bytes], *, upgrade: bool) -> bytes:
    """The value of Sec-WebSocket-Accept. Raises `BadHandshake`."""
    if method != b"GET" or not upgrade:
        raise BadHandshake(426, "here is a WebSocket (RFC 6455)", b"Upgrade: websocket\r\nConnection: Upgrade\r\n")
    if headers.get(b"sec-websocket-version") != VERSION:
        raise BadHandshake(426, "the version of WebSocket is 13", b"Sec-WebSocket-Version: 13\r\n")
    key = headers.get(b"sec-websocket-key", b"")
    try:
        whole = len(b64decode(key, validate=True)) == 16
    except ValueError:
        whole = False
    if not whole:
        raise BadHandshake(400, "Sec-WebSocket-Key must be 16 bytes in base64")
    if SUBPROTOCOL not in words(headers.get(b"sec-websocket-protocol", b"")):
        raise BadHandshake(400, "the subprotocol spoken here is xmpp (RFC 7395)")
    return b64encode(sha1(key + MAGIC, usedforsecurity=False).digest())


def words(header: bytes) -> list[str]:
    """The items of a header that is a list."""
    return [item.strip() for item in header.decode("latin-1").split(",")]


def deflate(offers: bytes) -> str:
    """What to say to an offer of permessage-deflate; "" where there is none that can be taken.

    Without context takeover on either side an idle connection needs no memory for it.
    """
    for offer in words(offers):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name.lower() == DEFLATE and (agreed := _agreed(parameters)) is not None:
            return AGREED + agreed
    return ""


def _agreed(parameters: list[str]) -> str | None:
    """What must be said beside `AGREED`; None where the offer is not to be taken."""
    seen: set[str] = set()
    more = ""
    for parameter in parameters:
        name, given, value = (part.strip() for part in parameter.partition("="))
        value = value.strip('"')
        if name in seen:
            return None
        seen.add(name)
        if name in ("server_no_context_takeover", "client_no_context_takeover") and not given:
            continue
        if name not in ("server_max_window_bits", "client_max_window_bits"):
            return None
        if given and not (value.isdecimal() and 8 <= int(value) <= MOST_WINDOW):
            return None
        if name == "server_max_window_bits":
            if not given or int(value) < LEAST_WINDOW:
                return None
            more = f"; server_max_window_bits={value}"
    return more
