"""Cuts a stream of bytes into stanzas (RFC 6120 4 and 11).

Expat says whether the bytes are well-formed and where things begin and end; the letters are then cut out of the
receive buffer unchanged. A parser between two stanzas remembers nothing but the header's namespaces, so between
stanzas it goes back to a pool that all streams share: an idle stream owns none.
"""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .cutter import Cutter, End, Header, Item, Nonza, Parsers

__all__ = ["End", "Framer", "Header", "Item", "Nonza", "Parsers", "Stanza"]

WHITESPACE: Final = b" \t\r\n"
# An unfinished tag is scanned anew with each piece of it that comes in. This many bytes of scanning, some 30 ms of
# work, are enough for any honest sender and end a malicious one (CVE-2023-52425 is the same attack on others).
RESCAN_LIMIT: Final = 32 << 20


class Framer:
    """One stream's bytes in, its header, stanzas, nonzas and end out.

    `limit` is the most bytes that one stanza may have; it may be raised once the peer is authenticated.
    """

    __slots__ = ("_buffer", "_context", "_cutter", "_fed", "_parsers", "_rescanned", "content", "lang", "limit")

    def __init__(self, parsers: Parsers, content: str = ns.CLIENT, limit: int = 262144) -> None:
        self._parsers = parsers
        self._context: tuple[tuple[str, str], ...] | None = None
        self._cutter: Cutter | None = None
        self._buffer = b""
        self._fed = 0
        self._rescanned = 0
        self.content = content
        self.limit = limit
        self.lang = ""

    @property
    def idle(self) -> bool:
        """Whether nothing of an unfinished stanza is held."""
        return not self._buffer

    def restart(self) -> None:
        """Expect a new stream header (RFC 6120 4.3.3); what came in behind the old stream's last element is dropped."""
        self._context = self._cutter = None
        self._buffer, self._fed = b"", 0

    def feed(self, data: bytes) -> list[Item]:
        """Take bytes; return what they finish, in order. A `StreamError` in the list is the last item of the stream."""
        buffer = self._buffer + data if self._buffer else data
        whole = buffer.rfind(b">") + 1  # an unfinished tag is no work for expat yet; only ">" can finish one
        if whole <= self._fed:
            return self._hold(buffer if self._cutter else buffer.lstrip(WHITESPACE), [])
        cutter = self._cutter or self._take()
        piece = buffer[self._fed : whole] if self._fed or whole < len(buffer) else buffer
        items = cutter.cut(buffer, piece, self.lang)
        self._settle(cutter, buffer, whole, items)
        return items

    def _take(self) -> Cutter:
        cutter = self._parsers.take(self._context, self.content)
        cutter.begin()
        return cutter

    def _settle(self, cutter: Cutter, buffer: bytes, whole: int, items: list[Item]) -> None:
        if items and isinstance(items[-1], StreamError | End):
            self._cutter, self._buffer = None, b""
            return
        if self._context is None and cutter.header is not None:
            self._context, self.lang = cutter.context, cutter.header.lang
        done = cutter.done
        if cutter.depth == 0 and not buffer[done:whole].strip(WHITESPACE):
            self._cutter, self._fed = None, 0
            self._parsers.give(cutter)
            buffer = buffer[whole:] if whole < len(buffer) else b""
        else:
            self._cutter, self._fed = cutter, whole - done
            buffer = buffer[done:] if done else buffer
            cutter.rebase(done)
        self._hold(buffer.lstrip(WHITESPACE) if not self._fed else buffer, items)

    def _hold(self, buffer: bytes, items: list[Item]) -> list[Item]:
        """Keep what is unfinished, within bounds."""
        self._buffer = buffer
        if not buffer:
            self._rescanned = 0
            return items
        if items:
            self._rescanned = 0
        self._rescanned += self._fed
        if not self._fed and self._cutter is None and self._context is not None and buffer[:1] != b"<":
            items.append(StreamError("bad-format", "only white space may stand between stanzas"))
        elif len(buffer) > self.limit:
            items.append(StreamError("policy-violation", f"a stanza may have {self.limit} bytes at most"))
        elif self._rescanned > RESCAN_LIMIT:
            items.append(StreamError("policy-violation", "a stanza came in too many pieces"))
        return items
