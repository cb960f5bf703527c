"""Streams for tests of `wire`, and what a framer makes of them as plain values."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from xmppd.wire.framer import End, Framer, Header, Item, Nonza, Parsers, Stanza
from xmppd.xmpp.errors import StreamError

CLIENT, STREAM = "jabber:client", "http://etherx.jabber.org/streams"
HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to='localhost' version='1.0' xml:lang='de'>"
)
MESSAGE = b"<message to='bob@localhost' id='1'><body>hi</body></message>"


def framer(limit: int = 65536, parsers: Parsers | None = None, header: bytes = HEADER) -> Framer:
    """A framer whose stream has begun."""
    made = Framer(parsers or Parsers())
    if header:
        (item,) = made.feed(header)
        assert isinstance(item, Header)
    made.limit = limit
    return made


def fed(pieces: Iterable[bytes], into: Framer | None = None) -> list[Item]:
    """What comes of these pieces."""
    into = into or Framer(Parsers(), limit=65536)
    return [item for piece in pieces for item in into.feed(piece)]


def told(items: Iterable[Item]) -> list[object]:
    """Items as values that can be compared."""
    return [_told(item) for item in items]


def _told(item: Item) -> object:
    match item:
        case Stanza():
            envelope = item.kind, item.to, item.sender, item.type, item.id, item.lang
            return *envelope, item.letter, item.names, item.extra, item.flaw and item.flaw.condition
        case Nonza():
            return item.name, item.attributes, item.letter, item.names
        case StreamError():
            return item.condition
        case Header() | End():
            return item


def error(items: list[Item]) -> str:
    """The condition of the error that ends these items; empty where none does."""
    return items[-1].condition if items and isinstance(items[-1], StreamError) else ""


def stanza(xml: str | bytes, header: bytes = HEADER) -> Stanza:
    """The one stanza that comes of `xml`."""
    (item,) = framer(header=header).feed(xml if isinstance(xml, bytes) else xml.encode())
    assert isinstance(item, Stanza), item
    return item


def nonza(xml: str, header: bytes = HEADER) -> Nonza:
    """The one nonza that comes of `xml`."""
    (item,) = framer(header=header).feed(xml.encode())
    assert isinstance(item, Nonza), item
    return item


def infoset(xml: bytes) -> bytes:
    """What an XML text says, whichever way it is written: prefixes and declarations are replaced by names."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, huge_tree=True))
    return repr(_infoset(root)).encode()


def _infoset(element: etree._Element) -> tuple[object, ...]:
    children = [(_infoset(child), child.tail or "") for child in element]
    return element.tag, sorted(element.attrib.items()), element.text or "", children
