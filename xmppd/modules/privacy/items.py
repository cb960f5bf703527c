"""One item of a privacy list: whom it is about, what it says, and how that is read and written (XEP-0016 2.1)."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, escape

NS_PRIVACY: Final = "jabber:iq:privacy"

# What an item can be about, as bits. OTHER is what has no element of its own: subscriptions, probes, and messages and
# requests that the account sends. Only an item that names no kind is about it, and then about everything.
MESSAGE: Final = 1
IQ: Final = 2
PRESENCE_IN: Final = 4
PRESENCE_OUT: Final = 8
OTHER: Final = 16
EVERYTHING: Final = 31
KINDS: Final = {"message": MESSAGE, "iq": IQ, "presence-in": PRESENCE_IN, "presence-out": PRESENCE_OUT}

SUBSCRIPTIONS: Final = ("none", "to", "from", "both")
LONGEST_VALUE: Final = 1023  # bytes of a group or of a list's name: what a part of an address may have
HIGHEST_ORDER: Final = 4294967295  # xs:unsignedInt
LAST: Final = -1  # the order of an item that wants the last place of its list

Key = tuple[str, str]


class Item:
    """One rule. `type` is "jid", "group", "subscription", or "" for the fall-through, which has no value.

    Items stand by `order`; where that is equal, by `sequence`, the order of their adding. `next` is the one behind it
    of the same type and value: a list may say one thing of somebody's messages and another of his presence.
    """

    __slots__ = ("allow", "kinds", "next", "order", "sequence", "type", "value")

    def __init__(self, type: str, value: str, allow: bool, kinds: int = EVERYTHING, order: int = LAST) -> None:
        self.type = type
        self.value = value
        self.allow = allow
        self.kinds = kinds
        self.order = order
        self.sequence = 0
        self.next: Item | None = None

    @property
    def key(self) -> Key:
        """What an item is known by."""
        return self.type, self.value

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands; the lower comes first."""
        return self.order, self.sequence

    @property
    def blocks(self) -> bool:
        """Whether it is one of those that XEP-0191 knows: everything from and to an address is denied."""
        return self.type == "jid" and not self.allow and self.kinds == EVERYTHING

    def to_xml(self, order: int | None = None) -> str:
        """As it stands in a list; `order` where it is another than its own."""
        who = f" type='{self.type}' value='{escape(self.value)}'" if self.type else ""
        head = f"<item{who} action='{self.action}' order='{self.order if order is None else order}'"
        return f"{head}>{self.inside}</item>" if self.kinds != EVERYTHING else head + "/>"

    @property
    def action(self) -> str:
        """`allow` or `deny`."""
        return "allow" if self.allow else "deny"

    @property
    def inside(self) -> str:
        """The elements of its kinds; none where it is about everything."""
        if self.kinds == EVERYTHING:
            return ""
        return "".join(f"<{name}/>" for name, bit in KINDS.items() if self.kinds & bit)


def read_item(element: Element, *, increment: bool = False) -> Item:
    """An item from the wire; `bad-request` or `jid-malformed` for what 2.1 does not allow.

    In an `increment` the order may be missing, and a value without a type is an address.
    """
    type, value = read_key(element, increment=increment)
    action = element.get("action")
    if action not in ("allow", "deny"):
        raise StanzaError("bad-request", "an item's action is allow or deny")
    order = element.get("order")
    if order is None and increment:
        return Item(type, value, action == "allow", _kinds(element))
    return Item(type, value, action == "allow", _kinds(element), _order(order or ""))


def read_key(element: Element, *, increment: bool = False) -> Key:
    """The type and the value, prepared so that it can be looked up."""
    value = element.get("value", "")
    type = element.get("type", "jid" if increment and value else "")
    if not type:
        return "", ""
    if not value:
        raise StanzaError("bad-request", f"an item of type {type[:32]!r} needs a value")
    if type == "jid":
        return type, str(JID.parse(value))
    if type == "group":
        return type, short(value, "group")
    if type == "subscription" and value in SUBSCRIPTIONS:
        return type, value
    raise StanzaError("bad-request", "the type is jid, group or subscription; that one is none, to, from or both")


def _order(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= HIGHEST_ORDER):
        raise StanzaError("bad-request", f"an item's order is a number from 0 to {HIGHEST_ORDER}")
    return int(text)


def _kinds(element: Element) -> int:
    kinds = 0
    for child in element.iterchildren("{*}*"):
        bit = KINDS.get(str(child.tag).removeprefix(f"{{{NS_PRIVACY}}}"))
        if bit is None:
            raise StanzaError("bad-request", f"inside an item stand {', '.join(KINDS)}, and nothing else")
        kinds |= bit
    return kinds or EVERYTHING


def short(text: str, what: str) -> str:
    """The text, unless it is too long."""
    if len(text) > LONGEST_VALUE or len(text.encode()) > LONGEST_VALUE:
        raise StanzaError("not-acceptable", f"a {what} has {LONGEST_VALUE} bytes at most")
    return text


def incoming(stanza: Stanza) -> int:
    """What a stanza to the account is, of the kinds above."""
    if stanza.kind == "message":
        return MESSAGE
    if stanza.kind == "iq":
        return IQ
    return PRESENCE_IN if stanza.type in ("", "unavailable") else OTHER


def outgoing(stanza: Stanza) -> int:
    """What a stanza from the account is: its presence, or something that only a deny of everything holds back."""
    return PRESENCE_OUT if stanza.kind == "presence" and stanza.type in ("", "unavailable") else OTHER
