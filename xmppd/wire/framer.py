"""Cuts a stream of bytes into stanzas (RFC 6120 4 and 11).

Expat says whether the bytes are well-formed and where things begin and end; the letters are then cut out of the
receive buffer unchanged. A parser between two stanzas remembers nothing but the header's namespaces, so between
stanzas it goes back to a pool that all streams share: an idle stream owns none.

Expat is fed up to the last ">" only, for nothing else can finish a tag. Where that one stood inside of an attribute,
the parser holds part of a tag; it is given up, and another reads the stanza from its start when more has come. So it
does not matter that newer expats put off what they hold (some without a switch, as in Debian's security updates).
"""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .acks import at_the_end
from .context import USUAL, Context
from .cutter import WHITESPACE, Cutter, too_long
from .headers import plain_header
from .items import End, Header, Item, Nonza
from .parsers import Parsers
from .stanzas import plain_items

__all__ = ["End", "Framer", "Header", "Item", "Nonza", "Parsers", "Stanza"]

# An unfinished stanza is copied with each piece of it that comes in, and one torn inside of a tag is read anew. So many
# bytes of reading, some 30 ms of work, are enough for any honest sender and end a malicious one (CVE-2023-52425 is the
# same attack on others). Copying is that much cheaper than reading.
RESCAN_LIMIT: Final = 16 << 20
COPY_SHIFT: Final = 5
PREFIX: Final = "stream"
CLOSE: Final = b"</stream:stream>"
EMPTY: Final = b"/>"
OTHER_ENCODINGS: Final = (b"\xfe\xff", b"\xff\xfe", b"\x00<", b"<\x00")
HALF_MARKS: Final = tuple(mark[:1] for mark in OTHER_ENCODINGS)


class Framer:
    """One stream's bytes in, its header, stanzas, nonzas and end out.

    `limit` is the most bytes that one stanza may have; it may be raised once the peer is authenticated.
    """

    __slots__ = (
        "_buffer",
        "_context",
        "_cutter",
        "_fed",
        "_home",
        "_over",
        "_parsers",
        "_plain",
        "_rescanned",
        "content",
        "lang",
        "limit",
    )

    def __init__(self, parsers: Parsers, content: str = ns.CLIENT, limit: int = 262144) -> None:
        self._parsers = parsers
        self.content = content
        self.limit = limit
        self._cutter: Cutter | None = None
        self.restart()

    def restart(self) -> None:
        """Expect a new stream header (RFC 6120 4.3.3); what came in behind the old stream's last element is dropped."""
        self._drop()
        self._over = False
        self.lang = ""

    def stop(self) -> None:
        """Take nothing more of this stream."""
        self._drop()
        self._over = True

    def _drop(self) -> None:
        if self._cutter is not None:
            self._cutter.close()
        self._context: Context | None = None
        self._home: list[Cutter] | None = None
        self._plain = False
        self._cutter = None
        self._buffer, self._fed, self._rescanned = b"", 0, 0

    def feed(self, data: bytes) -> list[Item]:
        """Take bytes; return what they finish, in order. After a `StreamError` or `End` nothing comes any more."""
        if data == CLOSE and not self._buffer and self._context is not None and self._context[0][0] == PREFIX:
            return self._ending([End()])  # as nearly every stream does; a parser that reads it is lost to the others
        home = self._home
        if home is not None and data[-2:] == EMPTY and not self._buffer:
            end, acks = at_the_end(data)
            if acks:
                return self._feed_acks(data, end, acks)
        if self._plain and not self._buffer and (plain := plain_items(data, self.limit, self.lang)):
            return plain
        if home and not self._buffer and data.endswith(b">"):  # as a rule: whole stanzas, and a parser that waits
            cutter = home.pop()
            cutter.age, cutter.done = cutter.fed, 0
            whole = len(data)
            items = cutter.cut(data, 0, whole, self.lang, self.limit)
            if cutter.depth == 0 and cutter.done == whole:
                self._parsers.give(cutter)
                return items
            return self._settle(cutter, data, whole, items)
        return self._feed(data)

    def _feed_acks(self, data: bytes, end: int, acks: list[Nonza]) -> list[Item]:
        """The same for what ends with acknowledgements; inside of an open stanza they are part of it."""
        items = self.feed(data[:end]) if end else []
        if self._buffer or self._cutter is not None or self._context is None:
            return items + self._feed(data[end:])
        return [*items, *acks]

    def _feed(self, data: bytes) -> list[Item]:
        """The same for all that comes in pieces."""
        buffer = self._buffer + data if self._buffer else data
        if self._context is None and not self._fed:
            if self._over:
                return []
            buffer = buffer.lstrip(WHITESPACE)
            if wrong := _not_a_header(buffer):
                return self._ending([wrong])
        fed, whole = self._fed, buffer.rfind(b">") + 1
        if whole <= fed:
            return self._hold(buffer, [])
        cutter = self._cutter
        if cutter is None:
            if self._context is None and (items := self._plain_header(buffer)):
                return items
            cutter = self._parsers.take(self._context, self.content)
            cutter.begin()
        items = cutter.cut(buffer, fed, whole, self.lang, self.limit)
        return self._settle(cutter, buffer, whole, items)

    def _plain_header(self, buffer: bytes) -> list[Item]:
        """What a stream says that begins with a header of the plainest kind; a parser takes ten times as long."""
        found = plain_header(buffer, self.content)
        if found is None or found[2] > self.limit:
            return []
        header, context, end = found
        self._begin(header, context)
        self._buffer, self._rescanned = b"", 0
        return [header, *self.feed(buffer[end:])] if end < len(buffer) else [header]

    def _begin(self, header: Header, context: Context) -> None:
        self._context, self.lang = self._parsers.share(context), header.lang
        self._home = self._parsers.home(self._context, self.content)
        self._plain = self._context == USUAL and self.content == ns.CLIENT

    def _settle(self, cutter: Cutter, buffer: bytes, whole: int, items: list[Item]) -> list[Item]:
        if items:
            self._rescanned = 0
            if isinstance(items[-1], StreamError | End):
                cutter.close()
                return self._ending(items)
        if self._context is None and cutter.header is not None:
            self._begin(cutter.header, cutter.context)
        if cutter.depth == 0 and (cutter.done == whole or not buffer[cutter.done : whole].strip(WHITESPACE)):
            self._cutter, self._fed = None, 0
            self._parsers.give(cutter)
            if whole == len(buffer):
                self._buffer = b""
                return items
            return self._hold(buffer[whole:], items)
        return self._keep(cutter, buffer, whole, items)

    def _keep(self, cutter: Cutter, buffer: bytes, whole: int, items: list[Item]) -> list[Item]:
        """A stanza, or the header, is in the middle."""
        begin = cutter.start if cutter.depth > 0 else cutter.done
        cutter.rebase(begin)
        if cutter.depth == 0 or cutter.torn or cutter.age > self._parsers.WORN:
            cutter.close()
            self._cutter, self._fed = None, 0
            self._rescanned += whole - begin
        else:
            self._cutter, self._fed = cutter, whole - begin
        return self._hold(buffer[begin:] if begin else buffer, items)

    def _hold(self, buffer: bytes, items: list[Item]) -> list[Item]:
        """Keep what is unfinished, within bounds."""
        if not self._fed:
            buffer = buffer.lstrip(WHITESPACE)
        self._buffer = buffer
        if not buffer:
            self._rescanned = 0
            return items
        self._rescanned += len(buffer) >> COPY_SHIFT
        if self._context is not None and buffer[:1] != b"<":
            return self._ending([*items, StreamError("bad-format", "only white space may stand between stanzas")])
        if len(buffer) > self.limit:
            return self._ending([*items, too_long(self.limit)])
        if self._rescanned > RESCAN_LIMIT:
            return self._ending([*items, StreamError("policy-violation", "a stanza came in too many pieces")])
        return items

    def _ending(self, items: list[Item]) -> list[Item]:
        self.stop()
        return items


def _not_a_header(buffer: bytes) -> StreamError | None:
    """What is wrong with the first bytes of a stream, where no parser is needed to see it."""
    if buffer.startswith(OTHER_ENCODINGS):
        return StreamError("unsupported-encoding", "streams are UTF-8")
    if buffer and buffer[0] not in b"<\xef" and buffer not in HALF_MARKS:  # \xef begins the byte order mark of UTF-8
        return StreamError("not-well-formed", "this port speaks XMPP: a stream begins with <stream:stream>")
    return None
