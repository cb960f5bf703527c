"""One expat parser that finds where stanzas begin and end, and the pool in which such parsers wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from xml.parsers import expat

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, escape, parse

from .plain import plain_letter

LANG: Final = f"{ns.XML} lang"
STREAM_TAG: Final = f"{ns.STREAM} stream"
KINDS: Final = ("message", "presence", "iq")
WHITESPACE: Final = b" \t\r\n"
TAG: Final = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")

Context = tuple[tuple[str, str], ...]  # the namespace declarations of a stream header: (prefix, namespace)


@dataclass(frozen=True, slots=True)
class Header:
    """A stream header: its plain attributes, its language and the namespace of its stanzas."""

    attributes: dict[str, str]
    lang: str
    content: str


@dataclass(frozen=True, slots=True)
class End:
    """The peer closed its stream (RFC 6120 4.4)."""


class Nonza:
    """A top element that is no stanza (XEP-0360): its `"namespace name"`, its attributes, its bytes inside."""

    __slots__ = ("attributes", "letter", "name", "names")

    def __init__(self, name: str, attributes: dict[str, str], letter: bytes, names: tuple[str, ...]) -> None:
        self.name, self.attributes, self.letter, self.names = name, attributes, letter, names

    @property
    def element(self) -> Element:
        """The whole of it, parsed; nonzas are rare and small."""
        namespace, _, local = self.name.rpartition(" ")
        tag = f"<{local} xmlns='{escape(namespace)}'>".encode()
        return parse(b"%b%b</%b>" % (tag, self.letter, local.encode()))


Item = Header | Stanza | Nonza | End | StreamError


class Bounds:
    """What one stanza may have, beside its bytes: levels of nesting, attributes of one element."""

    __slots__ = ("attributes", "depth")

    def __init__(self, depth: int = 64, attributes: int = 64) -> None:
        self.depth, self.attributes = depth, attributes


class Cutter:
    """An expat parser and its place in the stream it reads just now."""

    def __init__(self, content: str, bounds: Bounds) -> None:
        self.content = content
        self.depth = -1
        self.done = 0
        self.header: Header | None = None
        self.context: Context = ()
        self.fed = 0
        self._bounds = bounds
        self._declared: list[tuple[str, str]] = []
        self._base = self._open = self._start = 0
        self._buffer = b""
        self._lang = ""
        self._items: list[Item] = []
        self._name = ""
        self._attributes: dict[str, str] = {}
        self._names: list[str] = []
        self._kinds = {f"{content} {kind}": kind for kind in KINDS}
        self._parser = self._make()

    def _make(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("UTF-8", " ")
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.StartNamespaceDeclHandler = self._declare
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = self._restricted
        parser.CommentHandler = parser.EntityDeclHandler = self._restricted
        return parser

    def begin(self) -> None:
        """A stream begins to use this parser; its buffer starts at the next byte fed."""
        self._base = self.fed
        self.done = 0

    def rebase(self, done: int) -> None:
        """The first `done` bytes of the buffer are dropped."""
        self._base += done
        self._open -= done
        self._start -= done
        self.done = 0

    def cut(self, buffer: bytes, piece: bytes, lang: str) -> list[Item]:
        """Feed `piece`, the new bytes within `buffer`; return what they finish."""
        items: list[Item] = []
        self._items = items
        self._buffer, self._lang = buffer, lang
        try:
            self._parser.Parse(piece, False)
        except StreamError as error:
            items.append(error)
        except expat.ExpatError as error:
            items.append(_not_well_formed(error))
        self.fed += len(piece)
        self._buffer = b""
        return items

    def prime(self, context: Context) -> None:
        """Bring a new parser to where `context`'s stream header has been read."""
        declared = "".join(f" xmlns{':' if prefix else ''}{prefix}='{escape(uri)}'" for prefix, uri in context)
        prefix = next(prefix for prefix, uri in context if uri == ns.STREAM)
        tag = f"<{prefix}:stream{declared}>" if prefix else f"<stream{declared}>"
        self.cut(tag.encode(), tag.encode(), "")

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        depth = self.depth = self.depth + 1
        if depth == 2:
            self._names.append(name)
        elif depth == 1:
            self._name, self._attributes, self._names = name, attributes, []
            self._open_stanza()
        elif depth == 0:
            self._open_stream(name, attributes)
        elif depth > self._bounds.depth:
            raise StreamError("policy-violation", f"a stanza may nest {self._bounds.depth} levels deep at most")
        if len(attributes) > self._bounds.attributes:
            raise StreamError("policy-violation", f"an element may have {self._bounds.attributes} attributes at most")

    def _open_stanza(self) -> None:
        buffer = self._buffer
        start = self._start = self._parser.CurrentByteIndex - self._base
        if start != self.done and buffer[self.done : start].strip(WHITESPACE):
            raise StreamError("bad-format", "only white space may stand between stanzas")
        end = buffer.find(b">", start) + 1
        if ">" in "".join(self._attributes.values()):
            match = TAG.match(buffer, start)
            end = match.end() if match else end
        self._open = end

    def _ended(self, name: str) -> None:
        depth = self.depth = self.depth - 1
        if depth > 0:
            return
        if depth < 0:
            self._items.append(End())
            return
        buffer, opened = self._buffer, self._open
        if buffer[opened - 2] == 47:  # "/": an empty-element tag, whose end event expat places behind it
            letter, self.done = b"", opened
        else:
            close = self._parser.CurrentByteIndex - self._base
            letter, self.done = buffer[opened:close], buffer.find(b">", close) + 1
        self._finish(letter)

    def _finish(self, letter: bytes) -> None:
        name, attributes = self._name, self._attributes
        kind = self._kinds.get(name)
        tag = self._buffer[self._start : self._open]
        if (len(self.context) > 2 or b":" in tag) and self._is_prefixed(tag, letter):
            letter = plain_letter(self.context, self._buffer[self._start : self.done])
        if kind is not None:
            self._items.append(_stanza(kind, attributes, letter, tuple(self._names), self._lang))
        elif name.startswith(self.content + " "):
            raise StreamError("unsupported-stanza-type", f"<{name.partition(' ')[2]}/> is no stanza")
        else:
            self._items.append(Nonza(name, attributes, letter, tuple(self._names)))

    def _is_prefixed(self, tag: bytes, letter: bytes) -> bool:
        """Whether the letter may lean on a prefix that is declared outside of it."""
        if b"xmlns:" in tag or b":" in tag.split(None, 1)[0]:
            return True
        return any(prefix and uri != ns.STREAM and f"{prefix}:".encode() in letter for prefix, uri in self.context)

    def _open_stream(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if name != STREAM_TAG:
            known = local == "stream"
            raise StreamError(
                "invalid-namespace" if known else "bad-format", f"expected a stream header, not <{local}>"
            )
        self.context = tuple(sorted(self._declared))
        self._parser.StartNamespaceDeclHandler = None
        self.header = Header(attributes, attributes.pop(LANG, ""), dict(self._declared).get("", ""))
        self.done = self._buffer.find(b">", self._parser.CurrentByteIndex - self._base) + 1
        if ">" in "".join(attributes.values()):
            match = TAG.search(self._buffer, self._parser.CurrentByteIndex - self._base)
            self.done = match.end() if match else self.done
        self._items.append(self.header)

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared.append((prefix or "", uri or ""))
        if len(self._declared) > self._bounds.attributes:
            raise StreamError("policy-violation", "too many namespaces on the stream header")

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise StreamError("unsupported-encoding", "streams are UTF-8")

    def _restricted(self, *_: Any) -> NoReturn:
        raise StreamError("restricted-xml", "no DTD, comment or processing instruction in a stream")


def _not_well_formed(error: expat.ExpatError) -> StreamError:
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return StreamError("restricted-xml", "only the five predefined entities")
    return StreamError("not-well-formed", expat.ErrorString(error.code))


def _stanza(kind: str, attributes: dict[str, str], letter: bytes, names: tuple[str, ...], lang: str) -> Stanza:
    take = attributes.pop
    to, sender = take("to", None), take("from", None)
    type, id = take("type", ""), take("id", "")
    lang = take(LANG, lang)
    flaw = None
    try:
        to_jid = None if to is None else JID.parse(to)
        from_jid = None if sender is None else JID.parse(sender)
    except StanzaError as error:
        flaw, to_jid, from_jid = error, None, None
    extra = {name: value for name, value in attributes.items() if " " not in name} if attributes else None
    stanza = Stanza(kind, to_jid, from_jid, type, id, lang, letter, names, extra)
    stanza.flaw = flaw
    return stanza


class Parsers:
    """Parsers that stand between two stanzas, ready for any stream with the same namespaces; one pool a server."""

    # Expat remembers every element and attribute name it has met. A parser is dropped after this many bytes, so that
    # a peer who invents names costs at most about as much memory; making one anew costs some 10 µs.
    WORN: Final = 1 << 20
    KEPT: Final = 4  # per context: as many as streams are ever in the middle of a call at once, and a few
    CONTEXTS: Final = 64  # clients of one make share one

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._idle: dict[tuple[str, Context], list[Cutter]] = {}

    def take(self, context: Context | None, content: str) -> Cutter:
        """A parser for a stream with these header namespaces, or one that expects a header."""
        if context is None:
            return Cutter(content, self._bounds)
        idle = self._idle.get((content, context))
        if idle:
            return idle.pop()
        cutter = Cutter(content, self._bounds)
        cutter.prime(context)
        return cutter

    def give(self, cutter: Cutter) -> None:
        """Take back a parser that stands between two stanzas."""
        if cutter.fed > self.WORN:
            return
        key = (cutter.content, cutter.context)
        idle = self._idle.get(key)
        if idle is None:
            if len(self._idle) >= self.CONTEXTS:
                return
            idle = self._idle[key] = []
        if len(idle) < self.KEPT:
            idle.append(cutter)
