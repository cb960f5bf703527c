"""Stanza-ids on messages to an account (XEP-0359)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import SID
from xmppd.xmpp.stanza import Element, Stanza, escape, join

from .ids import key_of

STAMPED: Final = f"{SID} stanza-id"
TAG: Final = f"{{{SID}}}stanza-id"
# As `stamp` writes it, at the very end: nothing that is quoted inside a message looks like that.
_STAMP: Final = re.compile(rb"<stanza-id xmlns='%b' by='([^']*)' id='([0-9a-f]{26})'/>\Z" % SID.encode())
# The same of anybody, such as a room that keeps no archive.
_ANY_STAMP: Final = re.compile(rb"<stanza-id xmlns='%b' by='([^'&]*)' id='[^'&<]*'/>\Z" % SID.encode())
_LONGEST: Final = 4096  # bytes of a stamp; an address has 3071 at most, and escapes are rare


def stamp(stanza: Stanza, by: JID, id: str) -> Stanza:
    """The message with its id in an archive as its last element."""
    by_text = by if by.plain else escape(by)
    return stanza.with_child(f"<stanza-id xmlns='{SID}' by='{by_text}' id='{id}'/>", STAMPED)


def forged(stanza: Stanza, by: JID) -> Stanza:
    """The message without stanza-ids that claim to be by this address; all others stay."""
    names = stanza.names
    children = list(stanza.element.iterchildren("{*}*"))
    kept = [index for index, child in enumerate(children) if child.tag != TAG or not _claims(child, by)]
    if len(kept) == len(children):
        return stanza
    return stanza.with_letter(join(children[index] for index in kept), tuple(names[index] for index in kept))


def claimants(stanza: Stanza) -> frozenset[JID]:
    """Whom the stanza-ids in a message claim to be by."""
    found: set[JID] = set()
    last = _ANY_STAMP.search(stanza.letter, max(0, len(stanza.letter) - _LONGEST))
    if last is not None and stanza.names.count(STAMPED) == 1:  # known without opening it
        with suppress(StanzaError):
            found.add(JID.parse(last[1].decode()))
        return frozenset(found)
    if STAMPED not in stanza.names:
        return frozenset()
    for name, attributes in stanza.outline.children:
        if name == STAMPED:
            with suppress(StanzaError):
                found.add(JID.parse(attributes.get("by", "")))
    return frozenset(found)


def read_id(letter: bytes, by: JID) -> int:
    """The key of the stamp of an account at the end of a letter, 0 where it has none."""
    found = _STAMP.search(letter, max(0, len(letter) - _LONGEST))
    if found is None or found[1].decode() != escape(by):
        return 0
    return key_of(found[2].decode())


def _claims(child: Element, by: JID) -> bool:
    try:
        return JID.parse(child.get("by", "")) == by
    except StanzaError:
        return False
