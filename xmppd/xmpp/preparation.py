"""Preparing the three parts of an address, as RFC 7622 asks, whatever the library underneath was built with.

Plain ASCII takes the short road. For the rest:

- A localpart is mapped by slixmpp's Nodeprep (RFC 6122), as all servers and most clients in use do, so that `straße`
  and `strasse` stay one account for everybody; RFC 7622 would keep them apart. What comes out must be of the
  IdentifierClass of RFC 8264.
- A domainpart goes through UTS 46 and IDNA 2008 and is written in U-labels, without a final dot. Underscores are taken,
  since names of containers have them.
- A resourcepart is an OpaqueString (RFC 8265 4.2) of today's Unicode, so emoji pass and right-to-left names may end in
  a digit. Two steps are added for the sake of servers that know RFC 6122 only: invisible characters are dropped where
  RFC 8264 refuses them, and the normal form is NFKC.

Each function raises `ValueError` with a reason for people.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final
from unicodedata import category, normalize

import idna
from slixmpp.jid import JID as Nodeprepared

LONGEST: Final = 1023  # bytes of each prepared part (RFC 7622 3.2 to 3.4)

_LOCAL: Final = re.compile(r"[!#-%(-.0-9;=?A-Z\[-~]+")  # ASCII7 less the eight of RFC 7622 3.3.1
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOSTNAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_IDENTIFIER: Final = frozenset({"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"})  # RFC 8264 4.2.1 beyond ASCII
_OPAQUE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})  # refused by RFC 8264 4.3
_OLD_JAMO: Final = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")  # RFC 8264 9.9
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u17b4\u17b5\u1806\u180b-\u180d\u180f\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


def localpart(text: str) -> str:
    """The prepared localpart (RFC 7622 3.3)."""
    if _LOCAL.fullmatch(text):
        return _bounded(text.lower(), "localpart")
    if text.isascii() or len(text) > LONGEST:
        raise ValueError("the localpart is empty, too long or has a space or one of \"&'/:<>@")
    prepared = _nodeprep(text)
    if _nodeprep(prepared) != prepared:  # a letter that Nodeprep turns into a capital would make a second "admin"
        raise ValueError("the localpart has a letter that has no lasting form")
    for character in prepared:
        if not character.isascii() and category(character) not in _IDENTIFIER:
            raise ValueError(f"a localpart has letters and digits, not U+{ord(character):04X} (RFC 8264 4.2)")
    return _bounded(prepared, "localpart")


def domainpart(text: str) -> str:
    """The prepared domainpart (RFC 7622 3.2)."""
    lowered = text.lower()
    if not (lowered.isascii() and _HOSTNAME.fullmatch(lowered)) or "xn--" in lowered:
        lowered = _address(text) if text.startswith("[") else _internationalised(text)
    return _bounded(lowered, "domainpart")


def resourcepart(text: str) -> str:
    """The prepared resourcepart (RFC 7622 3.4)."""
    if not (text.isascii() and text.isprintable()):
        text = _opaque(text)
    if text.startswith(" "):
        raise ValueError("a resourcepart does not start with a space (RFC 7622 3.5)")
    return _bounded(text, "resourcepart")


def _nodeprep(text: str) -> str:
    return str(Nodeprepared(f"{text}@invalid").node)


def _address(text: str) -> str:
    """An IPv6 address in brackets, in the one form of RFC 5952."""
    inner = text[1:-1]
    if not text.endswith("]") or "%" in inner:
        raise ValueError("a domainpart in brackets is an IPv6 address without a zone")
    return f"[{IPv6Address(inner)}]"


def _internationalised(text: str) -> str:
    _bounded(text, "domainpart")  # before the tables: what they do is not linear in the length
    mapped = idna.uts46_remap(text, std3_rules=False, transitional=False).removesuffix(".")
    return ".".join(map(_label, mapped.split(".")))


def _label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        if not _HOSTNAME.fullmatch(label):
            raise ValueError(f"{label[:70]!r} is no label of a domain name")
        return label
    unicode = idna.ulabel(label)
    idna.alabel(unicode)  # its ASCII form must fit 63 bytes
    return unicode


def _opaque(text: str) -> str:
    kept = normalize("NFKC", _INVISIBLE.sub("", text))
    spaced = "".join(" " if category(character) == "Zs" else character for character in kept)
    for character in spaced:
        if category(character) in _OPAQUE or _OLD_JAMO.match(character):
            raise ValueError(f"a resourcepart cannot have U+{ord(character):04X} (RFC 8264 4.3)")
    return spaced


def _bounded(part: str, name: str) -> str:
    if not part:
        raise ValueError(f"the {name} is empty")
    if len(part) > LONGEST or len(part.encode()) > LONGEST:
        raise ValueError(f"the {name} is longer than {LONGEST} bytes")
    return part
