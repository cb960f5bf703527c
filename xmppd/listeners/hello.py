"""The host that a TLS client names (SNI, RFC 6066 3), read from its first bytes.

Python's own way, a callback, prints a traceback for a name that is not ASCII, so a stranger could fill the log.
"""

from __future__ import annotations

# The largest ClientHello of today's clients, with post-quantum key shares, is under 2 KiB.
MAX_HELLO = 16384
HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 22, 1, 0


def server_name(received: bytes) -> str | None:
    """The name from all that a client has sent so far; None while its ClientHello is not complete.

    "" where it names none, and where this is no ClientHello: what is wrong with it the TLS library will say.
    """
    if len(received) > MAX_HELLO:
        return ""
    message = _message(received)
    if message is None:
        return None
    try:
        return _name(message).decode("ascii", "replace") if message[0] == CLIENT_HELLO else ""
    except IndexError:
        return ""


def _message(received: bytes) -> bytes | None:
    """The first handshake message, joined from its records; one zero byte where there is none."""
    message = b""
    at = 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        if received[at : at + 1] not in (b"", bytes([HANDSHAKE])):
            return b"\0"
        begin = at + 5
        at = begin + _number(received, at + 3)
        if len(received) < max(at, begin):
            return None
        message += received[begin:at]
    return message


def _name(hello: bytes) -> bytes:
    at = 4 + 2 + 32
    at += 1 + hello[at]  # session id
    at += 2 + _number(hello, at)  # cipher suites
    at += 1 + hello[at]  # compression methods
    at += 2
    while at < len(hello):
        if _number(hello, at) == SERVER_NAME:
            begin = at + 9  # kind, size, size of the list, kind of name, size of the name
            return hello[begin : begin + _number(hello, at + 7)]
        at += 4 + _number(hello, at + 2)
    return b""


def _number(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "big")
