"""The host that a TLS client names (SNI, RFC 6066 3), read from its first bytes.

Python's own way, a callback, prints a traceback for a name that is not ASCII, so a stranger could fill the log.
"""

from __future__ import annotations

# The largest ClientHello of today's clients, with post-quantum key shares, is under 2 KiB.
MAX_HELLO = 16384
HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 22, 1, 0


class Hello:
    """The first bytes of a client. Each is looked at once, however small the pieces and the records they come in."""

    __slots__ = ("_message", "_rest", "_size")

    def __init__(self) -> None:
        self._message = bytearray()
        self._rest = b""  # of a record that is not complete
        self._size = 0

    def feed(self, received: bytes) -> str | None:
        """The name; None while the ClientHello is not complete.

        "" where it names none, and where this is no ClientHello: what is wrong with it the TLS library will say.
        """
        self._size += len(received)
        if self._size > MAX_HELLO:
            return ""
        whole = self._take(self._rest + received)
        if not whole:
            return None if whole is None else ""
        try:
            return _name(bytes(self._message)).decode("ascii", "replace")
        except IndexError:
            return ""

    def _take(self, received: bytes) -> bool | None:
        """Join the message from its records: True once it is whole, None before, False where it is no ClientHello."""
        message, at = self._message, 0
        while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
            if received[at : at + 1] not in (b"", bytes([HANDSHAKE])):
                return False
            begin = at + 5
            end = begin + _number(received, at + 3)
            if len(received) < max(end, begin):
                self._rest = received[at:]
                return None
            message += received[begin:end]
            at = end
        return message[0] == CLIENT_HELLO


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
