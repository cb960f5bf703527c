"""The `<body/>` around what a BOSH request carries: its attributes, and the bytes inside (XEP-0124 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from xml.parsers import expat

from xmppd.xmpp import namespaces as ns

from .context import USUAL, Context
from .cutter import TAG

HTTPBIND: Final = "http://jabber.org/protocol/httpbind"
XBOSH: Final = "urn:xmpp:xbosh"
RESTART: Final = f"{XBOSH} restart"
VERSION: Final = f"{XBOSH} version"
XML_LANG: Final = "xml:lang"
MOST_RID: Final = 2**53 - 1  # XEP-0124 14.1
MOST_NUMBER: Final = 10**9
MOST_TAG: Final = 8192  # bytes of the tag; with keys it has some 400

# The tag as nearly all write it: ASCII, no references, nothing that a parser would turn into something else.
OPENING: Final = re.compile(
    rb"""[ \t\r\n]*+(<\?xml[ \t\r\n][^?>]*+\?>[ \t\r\n]*+)?<(?:([A-Za-z_][\w.-]*+):)?body"""
    rb"""((?:[ ]++[A-Za-z_][\w.:-]*+=(?:'[^'<&\x00-\x1f\x7f-\xff]*+'|"[^"<&\x00-\x1f\x7f-\xff]*+"))*+)[ ]*+(/?)>"""
)
ATTRIBUTE: Final = re.compile(rb"""([\w.:-]+)=(?:'([^']*)'|"([^"]*)")""")
DECLARATION: Final = re.compile(rb"[ \t\r\n]*+(<\?xml[ \t\r\n][^?>]*+\?>[ \t\r\n]*+)?")
CLOSING: Final = re.compile(rb"</(?:([A-Za-z_][\w.-]*+):)?body[ \t\r\n]*+>[ \t\r\n]*+\Z")
UTF_8: Final = re.compile(rb"encoding[ \t\r\n]*=[ \t\r\n]*['\"](?!utf-?8['\"])", re.IGNORECASE)
CLOSE: Final = b"</body>"


class BadBody(Exception):
    """It is no `<body/>` of a client (`bad-request`)."""


class Body:
    """One request: attributes by their names, those with a prefix as `"namespace name"`, and what stands inside.

    `context` are the namespaces that the elements inside may lean on.
    """

    __slots__ = ("attributes", "context", "inner")

    def __init__(self, attributes: dict[str, str], inner: bytes, context: Context = USUAL) -> None:
        self.attributes = attributes
        self.inner = inner
        self.context = context

    @property
    def rid(self) -> int:
        """The id of the request. Raises `BadBody`."""
        rid = self.attributes.get("rid", "")
        if not (rid.isdecimal() and rid.isascii() and len(rid) <= 16 and 0 < int(rid) <= MOST_RID):
            raise BadBody("rid must be a positive integer of at most 2^53 - 1")
        return int(rid)

    def number(self, name: str, default: int) -> int:
        """An attribute that is a number from 0 on. Raises `BadBody`."""
        text = self.attributes.get(name)
        if text is None:
            return default
        if not (text.isdecimal() and text.isascii() and len(text) <= 10):
            raise BadBody(f"{name} must be a number")
        return min(int(text), MOST_NUMBER)

    @property
    def restart(self) -> bool:
        """Whether it asks for a new stream (XEP-0206 4)."""
        return self.attributes.get(RESTART) in ("true", "1")

    @property
    def terminate(self) -> bool:
        """Whether it ends the session."""
        return self.attributes.get("type") == "terminate"


def parse(xml: bytes) -> Body:
    """The body in `xml`, all of it. Raises `BadBody`. What is inside is not looked at: see `whole.elements`."""
    match = OPENING.match(xml)
    if match is None:
        return _parse_slowly(xml)
    declaration, prefix, attributes, empty = match.groups()
    found = [(name.decode(), (single or double).decode()) for name, single, double in ATTRIBUTE.findall(attributes)]
    return _body(xml, declaration, prefix, found, match.end(), bool(empty))


def _parse_slowly(xml: bytes) -> Body:
    """The same for a tag that only a parser can read."""
    begin = DECLARATION.match(xml)
    assert begin is not None
    at = begin.end()
    tag = TAG.match(xml, at, at + MOST_TAG)
    if tag is None:
        raise BadBody("a request holds one <body/>")
    text = tag.group()
    name, attributes = _read(text if text.endswith(b"/>") else text[:-1] + b"/>")
    prefix, _, local = name.rpartition(":")
    if local != "body":
        raise BadBody(f"a request holds one <body/>, not <{local[:100]}/>")
    return _body(xml, begin.group(1), prefix.encode() or None, attributes, tag.end(), text.endswith(b"/>"))


def _read(tag: bytes) -> tuple[str, list[tuple[str, str]]]:
    found: list[tuple[str, list[str]]] = []
    parser = expat.ParserCreate("UTF-8")
    parser.ordered_attributes = True
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    try:
        parser.Parse(tag, True)
    except expat.ExpatError as error:
        raise BadBody(f"the tag of <body/> is not well-formed: {error}") from None
    name, flat = found[0]
    return name, list(zip(flat[::2], flat[1::2], strict=True))


def _body(
    xml: bytes, declaration: bytes | None, prefix: bytes | None, found: list[tuple[str, str]], end: int, empty: bool
) -> Body:
    if declaration and UTF_8.search(declaration):
        raise BadBody("requests are UTF-8")
    attributes, declared = _resolve(found)
    if declared.get(prefix.decode() if prefix else "") != HTTPBIND:
        raise BadBody(f"<body/> is in the namespace {HTTPBIND}")
    inner = b"" if empty else _inner(xml, prefix, end)
    if empty and xml[end:].strip():
        raise BadBody("nothing stands behind <body/>")
    return Body(attributes, inner, _context(declared) if inner and len(declared) > 1 else USUAL)


def _resolve(found: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """The attributes, and the namespaces that are declared among them by prefix."""
    attributes: dict[str, str] = {}
    declared: dict[str, str] = {}
    prefixed: list[tuple[str, str]] = []
    for name, value in found:
        if name in attributes or (name.startswith("xmlns:") and name[6:] in declared):
            raise BadBody(f"{name} stands twice")
        if name == "xmlns":
            _declare(declared, "", value)
        elif name.startswith("xmlns:"):
            _declare(declared, name[6:], value)
        elif ":" in name and name != XML_LANG:
            prefixed.append((name, value))
        else:
            attributes[name] = value
    for name, value in prefixed:
        prefix, _, local = name.partition(":")
        if prefix not in declared or prefix == "":
            raise BadBody(f"the prefix of {name} is not declared")
        whole = f"{declared[prefix]} {local}"
        if whole in attributes:
            raise BadBody(f"{name} stands twice")
        attributes[whole] = value
    return attributes, declared


def _declare(declared: dict[str, str], prefix: str, namespace: str) -> None:
    if prefix in declared:
        raise BadBody("a namespace is declared twice")
    declared[prefix] = namespace


def _inner(xml: bytes, prefix: bytes | None, begin: int) -> bytes:
    if prefix is None and xml.endswith(CLOSE):
        return xml[begin : -len(CLOSE)]
    match = CLOSING.search(xml, max(begin, xml.rfind(b"</")))
    if match is None or match[1] != prefix:
        raise BadBody("<body/> is not closed, or something stands behind it")
    return xml[begin : match.start()]


def _context(declared: dict[str, str]) -> Context:
    """What the elements inside inherit: the stream's namespace where they say none, and the prefixes of `<body/>`."""
    others: dict[str, Any] = {prefix: namespace for prefix, namespace in declared.items() if prefix}
    if others.pop("stream", ns.STREAM) != ns.STREAM or "xml" in others or "xmlns" in others:
        raise BadBody("a prefix is declared for another namespace than its own")
    if not all(others.values()) or declared.get("", HTTPBIND) not in (HTTPBIND, ns.CLIENT):
        raise BadBody("what inherits from <body/> is in its namespace, or in jabber:client")
    return (USUAL[0], *sorted({"": ns.CLIENT, **others}.items()))
