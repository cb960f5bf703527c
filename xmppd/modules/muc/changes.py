"""What a muc#admin request asks to be changed, read and checked for its form."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from .grants import Grant
from .occupants import Occupant
from .settings import AFFILIATIONS, ROLES
from .standing import check_height, prepared_nick, reason_in
from .words import NS_ADMIN, Role

if TYPE_CHECKING:
    from .room import Room

MOST_ITEMS: Final = 500  # of one request; a list that is longer is sent in parts


@dataclass(frozen=True, slots=True)
class RoleChange:
    """One occupant is to have another role."""

    item: Element
    occupant: Occupant
    role: Role
    reason: str


def read_changes(room: Room, query: Element) -> tuple[list[Grant], list[RoleChange]]:
    """What a request asks for.

    `StanzaError`: bad-request for an item that says too little or too much, item-not-found for a nick that nobody
    has, jid-malformed, not-acceptable past `MOST_ITEMS`.
    """
    items = query.findall(f"{{{NS_ADMIN}}}item")
    if not items:
        raise StanzaError("bad-request", "say what to change: <item/> with an affiliation or a role")
    if len(items) > MOST_ITEMS:
        raise StanzaError("not-acceptable", f"a request has {MOST_ITEMS} items at most; send the rest in another")
    grants, roles = [], []
    for item in items:
        if ("role" in item.attrib) == ("affiliation" in item.attrib):
            raise StanzaError("bad-request", "an item has either a role or an affiliation")
        if "role" in item.attrib:
            roles.append(_role_change(room, item))
        else:
            grants.append(_grant(room, item))
    if _repeats(grant.account for grant in grants) or _repeats(id(change.occupant) for change in roles):
        raise StanzaError("bad-request", "somebody is named twice")
    if _repeats(grant.reserved for grant in grants if grant.reserved):
        raise StanzaError("bad-request", "a nick is reserved for one account only")
    return grants, roles


def _repeats(things: Iterable[Hashable]) -> bool:
    named = list(things)
    return len(set(named)) < len(named)


def _role_change(room: Room, item: Element) -> RoleChange:
    role = item.get("role")
    if role not in ROLES:
        raise StanzaError("bad-request", f"there is no role {str(role)[:32]!r}")
    return RoleChange(item, _occupant(room, item), role, reason_in(item))


def _occupant(room: Room, item: Element) -> Occupant:
    nick = item.get("nick")
    if not nick:
        raise StanzaError("bad-request", "a role is changed by nick")
    occupant = room.occupants.by_nick(prepared_nick(room, nick))
    if occupant is None:
        raise StanzaError("item-not-found", f"nobody in the room is called {nick}")
    return occupant


def _grant(room: Room, item: Element) -> Grant:
    affiliation = item.get("affiliation")
    if affiliation not in AFFILIATIONS:
        raise StanzaError("bad-request", f"there is no affiliation {str(affiliation)[:32]!r}")
    jid, nick = item.get("jid"), item.get("nick")
    by_nick = jid is None  # some clients ban by nick alone
    account = JID.parse(jid).bare if jid is not None else _occupant(room, item).account
    check_height(account, affiliation)
    reserved = None if by_nick else prepared_nick(room, nick) if nick else nick
    return Grant(account, affiliation, reserved, reason_in(item), item)
