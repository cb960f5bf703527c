"""Stanzas and nonzas as nearly every client writes nearly all of them, read without a parser."""

from __future__ import annotations

import re
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Stanza

from .cutter import KINDS
from .items import Item, Nonza, addressed

# What is not of this kind, a parser reads: references, CDATA, prefixes, ">" in a text, white space in tags, and so on.
NAME: Final = rb"[A-Za-z][A-Za-z0-9._-]*+"
VALUE: Final = rb"""(?:'[^'"<>&\x00-\x1f]*+'|"[^'"<>&\x00-\x1f]*+")"""
TEXT: Final = rb"[^<>&\x00-\x08\x0b\x0c\x0e-\x1f]*+"
TEXTUAL: Final = rb"<(?P<inner>%b)(?: %b=%b){0,8}+(?: ?/>|>%b</(?P=inner)>)" % (NAME, NAME, VALUE, TEXT)
CHILD: Final = rb"<(?P<tag>(?P<name>%b)(?: %b=%b){0,8}+)(?: ?/>|>%b(?:%b%b)*+</(?P=name)>)" % (
    *(NAME, NAME, VALUE, TEXT, TEXTUAL, TEXT),
)
STANZA: Final = re.compile(
    rb"<(message|presence|iq)((?: (?:to|from|id|type|xml:lang)=%b){0,5}+)(?: ?/>|>((?:%b)*+)</\1>)" % (VALUE, CHILD)
)
NONZA: Final = re.compile(rb"<(%b)((?: %b=%b){1,8}+)(?: ?/>|>(%b)</\1>)" % (NAME, NAME, VALUE, TEXT))
TAGS: Final = re.compile(rb"<([^/<>][^<>]*+)>")  # what opens an element, without what stands around it
CHILDREN: Final = re.compile(CHILD)
TAG: Final = re.compile(rb"(%b)((?: %b=%b)*+)" % (NAME, NAME, VALUE))
ATTRIBUTE: Final = re.compile(rb" (%b)=(%b)" % (NAME, VALUE))
LEANING: Final = b"stream:"  # may need the header's prefix
HALF_SURE: Final = b"\xef\xbf"  # begins U+FFFE and U+FFFF, which UTF-8 can write and XML may not hold
REMEMBERED: Final = 1024  # tags of children; those of one kind of client are a dozen
LONGEST: Final = 200  # bytes of one that is worth it
RESERVED: Final = ("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/")


def plain_items(data: bytes, limit: int, lang: str) -> list[Item] | None:
    """The stanzas and nonzas in `data`, on a stream of `USUAL` namespaces, each as a parser would give it.

    None where there is anything else in it than whole ones of the plainest kind: a parser has to look at it then.
    """
    found: list[Item] = []
    end, whole = 0, len(data)
    if whole > limit or LEANING in data or not (data.isascii() or _is_text(data)):
        return None
    while end < whole:
        made: Item | None
        if (match := STANZA.match(data, end)) is not None:
            made = _stanza(match, lang)
        elif (match := NONZA.match(data, end)) is not None:
            made = _nonza(match)
        else:
            return None
        if made is None:
            return None
        found.append(made)
        end = match.end()
    return found


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return HALF_SURE not in data


def _stanza(match: re.Match[bytes], lang: str) -> Stanza | None:
    kind, inside, letter, inner = match.group(1, 2, 3, "inner")
    said = _said(inside)
    names = tuple(map(_NAMES.__getitem__, TAGS.findall(letter))) if letter else ()
    if said is None or "" in names:
        return None
    if inner is not None:
        names = tuple([_NAMES[child["tag"]] for child in CHILDREN.finditer(letter)])
    say = said.get
    return addressed(
        kind.decode(), say(" to="), say(" from="), say(" type=", ""), say(" id=", ""), say(" xml:lang=", lang),
        letter or b"", names,
    )  # fmt: skip


def _nonza(match: re.Match[bytes]) -> Nonza | None:
    name, said = match[1].decode(), _said(match[2])
    if said is None or name in KINDS:
        return None
    namespace = said.pop(" xmlns=", "")
    if namespace == ns.CLIENT or not _is_namespace(namespace):
        return None
    return Nonza(f"{namespace} {name}", {key[1:-1]: value for key, value in said.items()}, match[3] or b"", ())


def _said(inside: bytes) -> dict[str, str] | None:
    """The attributes of a tag as they are written, ` name=` and the value; None where one stands there twice."""
    pieces = inside.decode().replace('"', "'").split("'")
    each = iter(pieces)
    said = dict(zip(each, each, strict=False))  # the last one is what stands behind all values: nothing
    return said if 2 * len(said) + 1 == len(pieces) else None


def _is_namespace(name: str) -> bool:
    return name != "" and " " not in name and name not in RESERVED


class _Names(dict[bytes, str]):
    """Tags of elements as they are written, and their `"namespace name"`; "" where only a parser can tell."""

    def __missing__(self, tag: bytes) -> str:
        name = _name(tag)
        if len(tag) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[tag] = name
        return name


def _name(tag: bytes) -> str:
    match = TAG.match(tag)
    assert match is not None  # the whole of it has been read once
    found = ATTRIBUTE.findall(match[2])
    said = dict(found)
    if len(said) != len(found):
        return ""
    namespace = said.get(b"xmlns", b"''")[1:-1].decode()
    if b"xmlns" not in said:
        return f"{ns.CLIENT} {match[1].decode()}"
    return f"{namespace} {match[1].decode()}" if _is_namespace(namespace) else ""


_NAMES: Final = _Names()
