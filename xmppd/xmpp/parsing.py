"""Parses XML into elements, so that the names an attacker invents do not stay in memory.

libxml2 keeps each name and namespace that it has met in a table of the thread, for good: some 60 bytes each, and past
some millions it refuses all that are new. So when the table has grown far beyond what honest letters need, a letter
with names unknown so far is parsed in a thread of its own, whose table goes when the letter goes. That takes a tenth
of a millisecond more, and nothing else is slower.
"""

from __future__ import annotations

import re
import threading
from typing import Final

from lxml import etree

from .errors import StanzaError

Element = etree._Element

FULL: Final = 50_000  # names; all XEPs together have some thousands
# What libxml2 would keep: the names of elements and attributes, and the namespaces.
TOKENS: Final = re.compile(
    rb"""<[^\s/>]++|(?<=\s)xmlns[^\s=]*+\s*+=\s*+(?:'[^']*+'|"[^"]*+")|(?<=\s)[^\s=<>'"/]++(?=\s*+=)"""
)
_size: Final = etree.memory_debugger.dict_size


def _make_parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_blank_text=False)


class _Table(threading.local):
    """What is known of this thread's table."""

    def __init__(self) -> None:
        self.size = 0
        self.known: set[bytes] = set()
        self.parser = _make_parser()

    def parse(self, xml: bytes) -> Element:
        if self.size >= FULL and (self.size >= 2 * FULL or not self.known.issuperset(TOKENS.findall(xml))):
            return _parse_apart(xml)
        element = etree.fromstring(xml, self.parser)
        if _size() != self.size:
            self.size = _size()
            self.known.update(TOKENS.findall(xml))
        return element


_TABLE: Final = _Table()  # one for the process and each thread, as libxml2's own


def parse(xml: bytes) -> Element:
    """The element in `xml`, which is known to be well-formed; `StanzaError` where it is past a limit of libxml2."""
    try:
        return _TABLE.parse(xml)
    except etree.XMLSyntaxError as error:
        raise StanzaError("policy-violation", f"the stanza cannot be read: {error.msg}") from None


def _parse_apart(xml: bytes) -> Element:
    found: list[Element | etree.XMLSyntaxError] = []

    def run() -> None:
        try:
            found.append(etree.fromstring(xml, _make_parser()))  # with one of another thread its table would be used
        except etree.XMLSyntaxError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], etree.XMLSyntaxError):
        raise found[0]
    return found[0]
