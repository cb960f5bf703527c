"""Whether two pieces of XML say the same, whatever prefixes they say it with."""

from __future__ import annotations

from typing import Any

from lxml import etree

from xmppd.xmpp.stanza import Element


def same(one: Element, other: Element | str) -> bool:
    """Names, attributes, texts and children are equal."""
    return plain(one) == plain(etree.fromstring(other) if isinstance(other, str) else other)


def plain(element: Element) -> tuple[Any, ...]:
    """An element as values that compare; what stands behind it is no part of it."""
    inside = [(plain(child), child.tail or "") for child in element]
    return element.tag, dict(element.attrib), element.text or "", inside
