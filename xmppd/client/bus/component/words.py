"""Stanzas that the component writes. What is common to many copies is written once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from slixmpp.xmlstream.tostring import tostring

from xmppd.client.bus.wire import MUC, MUC_USER, SID

ACCEPT: Final = "jabber:component:accept"
STANZAS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
_KINDS: Final = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "cancel",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
}


def letter(stanza: Element, room: str) -> str:
    """What is inside a stanza, to be passed on: without what only the room may say."""
    return "".join(_written(child) for child in stanza if not _of_the_room(child, room))


def _of_the_room(child: Element, room: str) -> bool:
    if child.tag == f"{{{SID}}}stanza-id":
        return child.get("by") == room
    return child.tag in (f"{{{MUC}}}x", f"{{{MUC_USER}}}x")


def _written(child: Element) -> str:
    return tostring(child, xmlns=ACCEPT)


def stanza(kind: str, sender: str, to: str, inside: str, **attributes: str | None) -> str:
    """A whole one."""
    others = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items() if value)
    return f"<{kind} from={quoteattr(sender)} to={quoteattr(to)}{others}>{inside}</{kind}>"


def presence(sender: str, to: str, inside: str, *codes: str, kind: str = "") -> str:
    """Somebody is in the room, or not."""
    role = "none" if kind else "participant"
    statuses = "".join(f"<status code='{code}'/>" for code in codes)
    user = f"<x xmlns='{MUC_USER}'><item affiliation='none' role='{role}'/>{statuses}</x>"
    return stanza("presence", sender, to, user + inside, type=kind)


def error(stanza_: Element, condition: str, text: str = "") -> str:
    """The answer to what cannot be done."""
    why = f"<text xmlns='{STANZAS}'>{text}</text>" if text else ""
    inside = f"<error type='{_KINDS[condition]}'><{condition} xmlns='{STANZAS}'/>{why}</error>"
    kind = stanza_.tag.rpartition("}")[2]
    sender, to = stanza_.get("to", ""), stanza_.get("from", "")
    return stanza(kind, sender, to, inside, type="error", id=stanza_.get("id"))


def result(iq: Element, inside: str = "") -> str:
    """The answer to a request."""
    return stanza("iq", iq.get("to", ""), iq.get("from", ""), inside, type="result", id=iq.get("id"))


def features(identity: str, names: Iterable[str]) -> str:
    """disco#info."""
    listed = "".join(f"<feature var={quoteattr(name)}/>" for name in names)
    return f"<query xmlns='http://jabber.org/protocol/disco#info'>{identity}{listed}</query>"
