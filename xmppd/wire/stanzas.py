"""Stanzas and nonzas as nearly every client writes nearly all of them, read without a parser."""

from __future__ import annotations

import re
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.envelope import addressed
from xmppd.xmpp.stanza import Stanza

from .cutter import KINDS
from .items import Item, Nonza

# What is not of this kind, a parser reads: references, CDATA, prefixes, ">" in a text, white space in tags, and so on.
NAME: Final = r"[A-Za-z][A-Za-z0-9._-]*+"
SAID: Final = r"""[^'"<>&\x00-\x1f]*+"""
VALUE: Final = rf"""(?:'{SAID}'|"{SAID}")"""
TEXT: Final = r"[^<>&\x00-\x08\x0b\x0c\x0e-\x1f]*+"
TEXTUAL: Final = rf"<(?P<inner>{NAME})(?: {NAME}={VALUE}){{0,8}}+(?: ?/>|>{TEXT}</(?P=inner)>)"
CHILD: Final = (
    rf"<(?P<tag>(?P<name>{NAME})(?: {NAME}={VALUE}){{0,8}}+)(?: ?/>|>{TEXT}(?:{TEXTUAL}{TEXT})*+</(?P=name)>)"
)
# The groups from 2 on: the quote and the value of each attribute. What stands there twice matches nothing.
ATTRIBUTES: Final = "|".join(
    rf"""{name}=(?({quote})(?!))(['"])({SAID})\{quote}"""
    for name, quote in (("to", 2), ("from", 4), ("type", 6), ("id", 8), ("xml:lang", 10))
)
STANZA: Final = re.compile(
    rf"<(message|presence|iq)(?: (?:{ATTRIBUTES})){{0,5}}+(?: ?/>|>(?P<letter>(?:{CHILD})*+)</\1>)"
)
NONZA: Final = re.compile(rf"<({NAME})((?: {NAME}={VALUE}){{1,8}}+)(?: ?/>|>({TEXT})</\1>)")
TAGS: Final = re.compile(r"<([^/<>][^<>]*+)>")  # what opens an element, without what stands around it
CHILDREN: Final = re.compile(CHILD)
TAG: Final = re.compile(rf"({NAME})((?: {NAME}={VALUE})*+)")
ATTRIBUTE: Final = re.compile(rf" ({NAME})=({VALUE})")
LEANING: Final = "stream:"  # may need the header's prefix
HALF_SURE: Final = b"\xef\xbf"  # begins U+FFFE and U+FFFF, which UTF-8 can write and XML may not hold
REMEMBERED: Final = 1024  # tags of children; those of one kind of client are a dozen
LONGEST: Final = 200  # characters of one that is worth it
RESERVED: Final = ("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/")


def plain_items(data: bytes, limit: int, lang: str) -> list[Item] | None:
    """The stanzas and nonzas in `data`, on a stream of `USUAL` namespaces, each as a parser would give it.

    None where there is anything else in it than whole ones of the plainest kind: a parser has to look at it then.
    """
    if len(data) > limit:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if LEANING in text or (not text.isascii() and HALF_SURE in data):
        return None
    found: list[Item] = []
    end, whole = 0, len(text)
    while end < whole:
        made: Item | None
        if (match := STANZA.match(text, end)) is not None:
            made = _stanza(match, lang)
        elif (match := NONZA.match(text, end)) is not None:
            made = _nonza(match)
        else:
            return None
        if made is None:
            return None
        found.append(made)
        end = match.end()
    return found


def _stanza(match: re.Match[str], lang: str) -> Stanza | None:
    kind, to, sender, type, id, own_lang, letter = match.group(1, 3, 5, 7, 9, 11, "letter")
    names = _names(match, letter) if letter else ()
    if "" in names:
        return None
    if own_lang is not None:
        lang = own_lang
    return addressed(kind, to, sender, type or "", id or "", lang, (letter or "").encode(), names)


def _names(match: re.Match[str], letter: str) -> tuple[str, ...]:
    """Those of the letter's elements; one of them is "" where a parser has to look at it."""
    tag, inner = match.group("tag", "inner")
    if inner is None and match.start("tag") == match.start("letter") + 1:  # the last one is the first one
        return (_NAMES[tag],)
    names = tuple(map(_NAMES.__getitem__, TAGS.findall(letter)))
    if inner is None or "" in names:
        return names
    return tuple([_NAMES[child["tag"]] for child in CHILDREN.finditer(letter)])


def _nonza(match: re.Match[str]) -> Nonza | None:
    name, said = match[1], _said(match[2])
    if said is None or name in KINDS:
        return None
    namespace = said.pop("xmlns", "")
    if namespace == ns.CLIENT or not _is_namespace(namespace):
        return None
    return Nonza(f"{namespace} {name}", said, (match[3] or "").encode(), ())


def _said(inside: str) -> dict[str, str] | None:
    """The attributes of a tag; None where one stands there twice."""
    found = ATTRIBUTE.findall(inside)
    said = {name: value[1:-1] for name, value in found}
    return said if len(said) == len(found) else None


def _is_namespace(name: str) -> bool:
    return name != "" and " " not in name and name not in RESERVED


class _Names(dict[str, str]):
    """Tags of elements as they are written, and their `"namespace name"`; "" where only a parser can tell."""

    def __missing__(self, tag: str) -> str:
        name = _name(tag)
        if len(tag) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[tag] = name
        return name


def _name(tag: str) -> str:
    match = TAG.match(tag)
    assert match is not None  # the whole of it has been read once
    said = _said(match[2])
    if said is None:
        return ""
    if "xmlns" not in said:
        return f"{ns.CLIENT} {match[1]}"
    namespace = said["xmlns"]
    return f"{namespace} {match[1]}" if _is_namespace(namespace) else ""


_NAMES: Final = _Names()
