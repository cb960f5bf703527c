"""One expat parser that finds where stanzas begin and end."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn
from xml.parsers import expat

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.envelope import LANG, stanza
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import escape

from .context import Context
from .items import End, Header, Item, Nonza
from .plain import plain_letter

STREAM_TAG: Final = f"{ns.STREAM} stream"
KINDS: Final = ("message", "presence", "iq")
HANDSHAKE: Final = f"{ns.COMPONENT} handshake"  # the one nonza in a namespace of stanzas (XEP-0114 3)
NO_PREFIX: Final = b"\0"  # stands in no letter
LOST: Final = -9  # the depth of a parser that met an error: it reads nothing more
WHITESPACE: Final = b" \t\r\n"
TAG: Final = re.compile(rb"""<(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")


class Bounds:
    """What one stanza may have, beside its bytes: levels of nesting, attributes of one element."""

    __slots__ = ("attributes", "depth")

    def __init__(self, depth: int = 64, attributes: int = 64) -> None:
        self.depth, self.attributes = depth, attributes


class Cutter:
    """An expat parser and its place in the stream it reads just now.

    Offsets are those of the buffer that `cut` is given: `start` is where the stanza begins that `depth` (0: none) is
    inside of, `done` where the last one ended. `age` are the bytes that it read before this buffer. `home` is where it
    waits between two stanzas.
    """

    def __init__(self, content: str, bounds: Bounds) -> None:
        self.content = content
        self.depth = -1
        self.done = self.start = self.age = 0
        self.header: Header | None = None
        self.context: Context = ()
        self.fed = 0
        self.home: list[Cutter] | None = None
        self._bounds = bounds
        self._most = bounds.attributes
        self._declared: dict[str, str] = {}
        # Prefixes of the stream header that a letter may lean on: one, as a rule, and more. A regex for them takes 8 µs
        # for a letter of 5 KB.
        self._prefix = NO_PREFIX
        self._more: tuple[bytes, ...] = ()
        self._buffer = b""
        self._lang = ""
        self._limit = 0
        self._items: list[Item] = []
        self._name = ""
        self._attributes: dict[str, str] = {}
        self._names: list[str] = []
        self._kinds = {f"{content} {kind}": kind for kind in KINDS}
        self._own = f"{content} "
        self._inherited: Callable[[list[str]], tuple[str, ...]] = (
            tuple if content == ns.CLIENT else partial(_inherited, self._own)
        )
        self._parser = self._make()

    def _make(self) -> expat.XMLParserType:
        # No table of names seen: it would be four fifths of what a flood of names costs, and saves no time here.
        parser = expat.ParserCreate("UTF-8", " ", None)
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.StartNamespaceDeclHandler = self._declare
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = self._restricted
        parser.CommentHandler = parser.EntityDeclHandler = self._restricted
        return parser

    def close(self) -> None:
        """It reads nothing more. Its parser calls it and it holds the parser: untied, both go at once."""
        parser = self._parser
        parser.StartElementHandler = parser.EndElementHandler = parser.StartNamespaceDeclHandler = None
        parser.XmlDeclHandler = parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = None
        parser.CommentHandler = parser.EntityDeclHandler = None

    def begin(self) -> None:
        """A stream begins to use this parser; its buffer starts at the next byte fed."""
        self.age = self.fed
        self.done = 0

    def rebase(self, dropped: int) -> None:
        """The first `dropped` bytes of the buffer are dropped."""
        self.age += dropped
        self.start -= dropped
        self.done = 0

    @property
    def torn(self) -> bool:
        """Whether it was fed a part of a tag only."""
        return self._parser.CurrentByteIndex < self.fed

    def cut(self, buffer: bytes, fed: int, whole: int, lang: str, limit: int) -> list[Item]:
        """Read `buffer` from `fed` to `whole`; return what that finishes. `limit` is in bytes, of one item."""
        items: list[Item] = []
        self._items = items
        self._buffer, self._lang, self._limit = buffer, lang, limit
        self.fed += whole - fed
        try:
            self._parser.Parse(buffer if whole - fed == len(buffer) else buffer[fed:whole], False)
        except StreamError as error:
            items.append(error)
            self.depth = LOST
        except expat.ExpatError as error:
            if not (items and isinstance(items[-1], End)):
                items.append(_not_well_formed(error))
            self.depth = LOST
        self._buffer = b""
        return items

    def prime(self, context: Context) -> None:
        """Bring a new parser to where `context`'s stream header has been read."""
        declared = "".join(f" xmlns{':' if prefix else ''}{prefix}='{escape(uri)}'" for prefix, uri in context)
        prefix = context[0][0]
        tag = (f"<{prefix}:stream{declared}>" if prefix else f"<stream{declared}>").encode()
        self.cut(tag, 0, len(tag), "", len(tag))

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        depth = self.depth = self.depth + 1
        if depth == 2:
            self._names.append(name)
        elif depth == 1:
            self._name, self._attributes, self._names = name, attributes, []
            start = self.start = self._parser.CurrentByteIndex - self.age
            if start != self.done:
                self._check_gap(start)
        elif depth == 0:
            self._open_stream(name, attributes)
        elif depth > self._bounds.depth:
            raise StreamError("policy-violation", f"a stanza may nest {self._bounds.depth} levels deep at most")
        if len(attributes) > self._most:
            raise StreamError("policy-violation", f"an element may have {self._bounds.attributes} attributes at most")

    def _check_gap(self, end: int) -> None:
        if self._buffer[self.done : end].strip(WHITESPACE):
            raise StreamError("bad-format", "only white space may stand between stanzas")

    def _ended(self, name: str) -> None:
        depth = self.depth = self.depth - 1
        if depth == 0:
            self._finish()
        elif depth < 0:
            self._check_gap(self._parser.CurrentByteIndex - self.age)
            self._items.append(End())

    def _finish(self) -> None:
        buffer, start, name = self._buffer, self.start, self._name
        opened = _end_of_tag(buffer, start)
        if buffer[opened - 2] == 47:  # "/": an empty-element tag, whose end event expat places behind it
            letter, done = b"", opened
        else:
            close = self._parser.CurrentByteIndex - self.age
            letter, done = buffer[opened:close], buffer.find(b">", close) + 1
        self.done = done
        if done - start > self._limit:
            raise too_long(self._limit)
        if (
            self._prefix in letter
            or (self._more and any(prefix in letter for prefix in self._more))
            or (buffer.find(b":", start, opened) > 0 and _declares(buffer[start:opened]))
        ):
            letter = plain_letter(self.context, buffer[start:done], self.content)
        kind = self._kinds.get(name)
        if kind is not None:
            self._items.append(stanza(kind, self._attributes, letter, self._inherited(self._names), self._lang))
        elif name.startswith(self._own) and name != HANDSHAKE:
            raise StreamError("unsupported-stanza-type", f"<{name.partition(' ')[2]}/> is no stanza")
        else:
            self._items.append(Nonza(name, self._attributes, letter, tuple(self._names)))

    def _open_stream(self, name: str, attributes: dict[str, str]) -> None:
        if name != STREAM_TAG:
            local = name.rpartition(" ")[2]
            condition = "invalid-namespace" if local == "stream" else "bad-format"
            raise StreamError(condition, f"expected a stream header, not <{local}>")
        buffer, start = self._buffer, self._parser.CurrentByteIndex - self.age
        self.done = _end_of_tag(buffer, start)
        if self.done > self._limit:
            raise too_long(self._limit)
        name_in_tag = buffer[start + 1 : self.done].split(None, 1)[0]
        self._learn(name_in_tag.rpartition(b":")[0].decode())
        self._lang = attributes.pop(LANG, "")
        self.header = Header(attributes, self._lang, self._declared.get("", ""))
        self._items.append(self.header)

    def _learn(self, prefix: str) -> None:
        """Remember the header's namespaces; `prefix` is its own."""
        declared = self._declared
        others = sorted(item for item in declared.items() if item[0] != prefix)
        self.context = ((prefix, declared[prefix]), *others)
        prefixes = tuple(f"{prefix}:".encode() for prefix in declared if prefix)
        self._prefix, self._more = (prefixes[0], prefixes[1:]) if prefixes else (NO_PREFIX, ())
        if self.content != ns.CLIENT:  # said inside of a letter, it would be taken along to streams of another one
            self._more = (*self._more, self.content.encode())
        self._parser.StartNamespaceDeclHandler = None

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""
        if len(self._declared) > self._bounds.attributes:
            raise StreamError("policy-violation", "too many namespaces on the stream header")

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise StreamError("unsupported-encoding", "streams are UTF-8")

    def _restricted(self, *_: Any) -> NoReturn:
        raise StreamError("restricted-xml", "no DTD, comment or processing instruction in a stream")


def _inherited(own: str, names: list[str]) -> tuple[str, ...]:
    """What inherits the namespace of the stream is known by one name on the road, whichever stream it came by."""
    return tuple([f"{ns.CLIENT} {name[len(own) :]}" if name.startswith(own) else name for name in names])


def _declares(tag: bytes) -> bool:
    """Whether a stanza's tag is prefixed, or declares a prefix that its letter may lean on."""
    return b"xmlns:" in tag or b":" in tag.split(None, 1)[0]


def too_long(limit: int) -> StreamError:
    """The error for more than `limit` bytes in one stanza."""
    return StreamError("policy-violation", f"a stanza may have {limit} bytes at most")


def _end_of_tag(buffer: bytes, start: int) -> int:
    end = buffer.find(b">", start) + 1
    single, double = buffer.count(b"'", start, end), buffer.count(b'"', start, end)
    if (single | double) & 1 or (single and double):  # that ">" may stand inside of an attribute
        match = TAG.match(buffer, start)
        return match.end() if match else end
    return end


def _not_well_formed(error: expat.ExpatError) -> StreamError:
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return StreamError("restricted-xml", "only the five predefined entities")
    return StreamError("not-well-formed", expat.ErrorString(error.code))
