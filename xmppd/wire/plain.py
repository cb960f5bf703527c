"""The slow road of framing: a letter that leans on prefixes declared outside of it, written in plain form."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import escape

from .context import Context

LEANING: Final = re.compile(r"""(?<=[\s'">])([^\s<>/'"=:&]+):""")  # a prefix that is not that of an element
MOST_GROWTH: Final = 4  # declarations written again and again may make a letter this much longer


def plain_letter(context: Context, stanza: bytes, content: str = ns.CLIENT) -> bytes:
    """The letter of `stanza`, which stood in a stream with the header namespaces `context`, in plain form.

    No element has a prefix, and every prefix that text or attributes may use is declared inside of the letter.
    Elements in `content`, the namespace of that stream's stanzas, are in `jabber:client` then, or inherit.
    Expat must have found the stanza well-formed in that context. `policy-violation` where the plain form is far longer.
    """
    declared = "".join(f" xmlns{':' if prefix else ''}{prefix}='{escape(uri)}'" for prefix, uri in context)
    writer = _Writer(stanza, content)
    writer.read(b"<x%b>%b</x>" % (declared.encode(), stanza))
    return "".join(writer.written).encode()


class _Writer:
    """Writes what is inside of the one element inside of `<x>`."""

    def __init__(self, stanza: bytes, content: str) -> None:
        self.written: list[str] = []
        self._content = content
        self._leaning = set(LEANING.findall(stanza.decode()))
        self._room = MOST_GROWTH * len(stanza)
        self._outside: dict[str, str] = {}
        self._inside: dict[str, str] = {}
        self._elements: list[tuple[str, str]] = []  # the namespace and the name of each that is open

    def read(self, xml: bytes) -> None:
        parser = expat.ParserCreate("UTF-8", " ", None)
        parser.namespace_prefixes = True
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(xml, True)

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if not prefix:
            return
        if len(self._elements) > 1:
            self._inside[prefix] = uri or ""
        elif prefix in self._leaning:
            self._outside[prefix] = uri or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, local = _split(name)
        if namespace == self._content:
            namespace = ns.CLIENT
        depth = len(self._elements)
        if depth > 1:
            declared = self._outside | self._inside if depth == 2 else self._inside
            self._write_tag(namespace, local, attributes, declared)
            self._inside = {}
        self._elements.append((namespace, local))

    def _write_tag(self, namespace: str, local: str, attributes: dict[str, str], declared: dict[str, str]) -> None:
        tag = f"<{local}" if namespace == self._elements[-1][0] else f"<{local} xmlns='{escape(namespace)}'"
        tag += "".join([f" xmlns:{prefix}='{escape(uri)}'" for prefix, uri in declared.items()])
        tag += "".join([f" {_attribute(name)}='{escape(value)}'" for name, value in attributes.items()])
        self.written.append(f"{tag}>")
        self._room -= len(tag)
        if self._room < 0:
            raise StreamError("policy-violation", "too many prefixes are declared on one tag")

    def _end(self, name: str) -> None:
        _, local = self._elements.pop()
        if len(self._elements) > 1:
            self.written.append(f"</{local}>")

    def _text(self, text: str) -> None:
        if len(self._elements) > 1:
            self.written.append(escape(text))


def _split(name: str) -> tuple[str, str]:
    """The namespace and the local part of `"namespace local prefix"`; the prefix, and the namespace, may be missing."""
    parts = name.split(" ")
    return (parts[0], parts[1]) if len(parts) > 1 else ("", name)


def _attribute(name: str) -> str:
    """The name of an attribute as it was written."""
    parts = name.split(" ")
    if parts[0] == ns.XML:
        return f"xml:{parts[1]}"
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else name
