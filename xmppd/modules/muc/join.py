"""Entering a room, changing the nick, changing the presence (XEP-0045 7.2, 7.6, 7.7)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from xmppd.api import Event
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CLIENT
from xmppd.xmpp.stanza import Element, Stanza

from . import crowd, leave, privileges, sizes
from .faces import OWN, X_MUC, occupant_id, x
from .history import Wish, most_kept
from .messages import subject_of
from .occupants import Occupant
from .presence import announce, privacy_codes, rename, show_others, show_self
from .standing import check_account, on_disk
from .words import BROKEN, CREATED, KICKED, LOGGED, NS_MUC, SELF, Affiliation, Role

if TYPE_CHECKING:
    from .room import Room

STATUS: Final = f"{CLIENT} status"
SPARE: Final = 10  # admins and owners who may enter a room that is full (7.2.9)
NOT_HERE: Final = "<item affiliation='none' role='none'><reason>You are not in the room.</reason></item>"


async def come(room: Room, event: Event) -> None:
    """An available presence to an occupant's address: whoever is not here yet enters."""
    stanza, to, sender = event.stanza, event.stanza.to, event.stanza.sender
    assert to is not None
    assert sender is not None
    occupant = room.occupants.by_jid(sender)
    joining = X_MUC in stanza.names
    if occupant is None and not joining:
        await room.send(not_here(stanza), (sender,))
    elif occupant is None:
        await _enter(room, stanza, to, sender)
    elif occupant.nick != to.resource:
        await _rename(room, occupant, stanza, to)
    elif joining:
        await _again(room, occupant, stanza, sender)
    else:
        await _update(room, occupant, stanza, sender)


def not_here(stanza: Stanza) -> Stanza:
    """What somebody learns who thinks to be here and is not (7.2.18); it is no groupchat 1.0."""
    letter = x(NOT_HERE, (SELF, KICKED, BROKEN)).encode()
    return Stanza("presence", stanza.sender, stanza.to, "unavailable", stanza.id, "", letter)


def refused(stanza: Stanza, error: StanzaError) -> Stanza:
    """A join that is refused comes back with its `<x/>`, by which clients know it (7.2.5 to 7.2.9)."""
    reply = stanza.error(error)
    letter = f"<x xmlns='{NS_MUC}'/>".encode() + reply.letter
    return Stanza("presence", reply.to, reply.sender, "error", reply.id, "", letter)


# Entering


async def _enter(room: Room, stanza: Stanza, to: JID, sender: JID) -> None:
    _check_moves(room, sender)
    asked = _extension(stanza)
    wish = Wish.parse(asked, room.muc.clock.time())
    created = not room.affiliations and not room.stored and not len(room.occupants)
    if created:
        check_account(sender)
        room.affiliations[sender.bare] = "owner"
        room.muc.rooms.ledger.note(room, (sender.bare,))
        room.locked = room.muc.options.room_locking
    affiliation = room.affiliation_of(sender)
    _check(room, affiliation, asked, to, sender)
    presence = _presence(room, stanza, room.role_of(sender, affiliation))
    codes = [*privacy_codes(room), *((LOGGED,) if room.settings.logging else ()), *((CREATED,) if created else ())]
    present = room.occupants.by_nick(to.resource)
    if present is None:
        await _appear(room, affiliation, to, sender, presence, codes, stanza.id)
    else:
        await _join(room, present, sender, presence, codes, stanza.id)
    await _brief(room, sender, wish)
    occupant = room.occupants.by_jid(sender)
    assert occupant is not None
    for aspect in room.muc.aspects:
        await aspect.greet(room, occupant, sender)
    if created and not room.locked:
        await _open(room, sender)


async def _open(room: Room, founder: JID) -> None:
    """A new room that is not to be configured first is there for all; who founds one that cannot be stored leaves."""
    room.muc.rooms.enlist(room)
    if room.settings.persistent:
        try:
            await on_disk([await room.configure(room.settings)])
        except StanzaError:
            await leave.remove(room, founder)
            raise


async def _appear(
    room: Room, affiliation: Affiliation, to: JID, sender: JID, presence: Stanza, codes: Iterable[int], id: str
) -> None:
    room.muc.rooms.enter(sender.bare)
    key = occupant_id(room.secret, sender.bare)
    occupant = Occupant(
        room.jid.with_resource(to.resource), sender, room.role_of(sender, affiliation), affiliation, presence, key
    )
    occupant.additions = room.muc.additions(room, occupant)
    room.occupants.add(occupant)
    crowd.count(room)
    await show_others(room, occupant, sender)
    await crowd.entered(room, occupant, codes, id)


async def _join(room: Room, occupant: Occupant, sender: JID, presence: Stanza, codes: Iterable[int], id: str) -> None:
    """One more resource of the account behind a nick (7.2.8)."""
    differs = occupant.presence.letter != presence.letter
    room.occupants.join(occupant, sender, presence)
    await show_others(room, occupant, sender)
    await show_self(room, occupant, own=codes, id=id, to=sender)
    if differs:
        await announce(room, occupant, to_self=False)


async def _brief(room: Room, to: JID, wish: Wish) -> None:
    """History, then the subject (7.2.13, 7.2.15)."""
    for message in room.history.chosen(room, wish, most_kept(room)):
        await room.send(message, (to,))
    await room.send(subject_of(room), (to,))


def _extension(stanza: Stanza) -> Element | None:
    """The <x/> of a join; an empty one is not opened."""
    return None if len(stanza.names) == 1 and stanza.letter.endswith(b"/>") else stanza.child("x", NS_MUC)


# Whether one may (7.2.6 to 7.2.11)


def _check(room: Room, affiliation: Affiliation, asked: Element | None, to: JID, sender: JID) -> None:
    if affiliation == "outcast":
        raise StanzaError("forbidden", "you are banned from this room")
    if room.locked and affiliation != "owner":
        raise StanzaError("item-not-found", "this room is not configured yet")
    if room.role_for(affiliation) == "none":
        raise StanzaError("registration-required", "only members may enter")
    _check_password(room, asked)
    _check_nick(room, to.resource, sender)
    _check_places(room, affiliation, to, sender)


def _check_password(room: Room, asked: Element | None) -> None:
    secret = room.settings.secret
    given = (asked.findtext(f"{{{NS_MUC}}}password") or "") if asked is not None else ""
    if secret and not hmac.compare_digest(secret.encode(), given.encode()):
        raise StanzaError("not-authorized", "this room has a password, and it is another one")


def _check_nick(room: Room, nick: str, sender: JID) -> None:
    if not nick.strip():
        raise StanzaError("jid-malformed", "a nick needs something to see")
    if len(nick) > room.muc.options.max_nick:
        raise StanzaError("not-acceptable", f"a nick has {room.muc.options.max_nick} characters at most")
    present = room.occupants.by_nick(nick)
    if present is not None and present.account != sender.bare:
        raise StanzaError("conflict", "somebody else is here under this nick")
    if room.nicks.get(nick, sender.bare) != sender.bare:
        raise StanzaError("conflict", "somebody else has reserved this nick")


def _check_places(room: Room, affiliation: Affiliation, to: JID, sender: JID) -> None:
    options, own = room.muc.options, room.occupants.of(sender.bare)
    if own and sum(len(occupant.jids) for occupant in own) >= options.max_user_sessions:
        raise StanzaError("resource-constraint", f"you are here {options.max_user_sessions} times already", kind="wait")
    if room.occupants.by_nick(to.resource) is not None:
        return
    most = min(room.settings.max_users or options.max_users, options.max_users)
    if len(room.occupants) >= most + (SPARE if privileges.at_least(affiliation, "admin") else 0):
        raise StanzaError("service-unavailable", f"this room takes {most} occupants at most", kind="wait")


def _check_moves(room: Room, who: JID) -> None:
    """Each entrance is told to everybody, and everybody to who enters: nobody does that in a loop."""
    if not crowd.may_move(room, who.bare):
        raise StanzaError("resource-constraint", "you come, go and change too often; wait a moment", kind="wait")


# Those who are here


async def _rename(room: Room, occupant: Occupant, stanza: Stanza, to: JID) -> None:
    """Another nick (7.6). The resources behind a nick change it together."""
    if not privileges.may_change_nick(occupant.role, room.settings):
        raise StanzaError("not-acceptable", "visitors may not change their nick here")
    _check_nick(room, to.resource, occupant.account)
    if room.occupants.by_nick(to.resource) is not None:
        raise StanzaError("conflict", "you are here under this nick already")
    _check_moves(room, occupant.account)
    _check_interval(room, occupant)
    assert stanza.sender is not None
    room.occupants.join(occupant, stanza.sender, _presence(room, stanza, occupant.role))
    await rename(room, occupant, room.jid.with_resource(to.resource), id=stanza.id)


def _check_interval(room: Room, occupant: Occupant) -> None:
    now = room.muc.clock.monotonic()
    if now < occupant.told:
        raise StanzaError("resource-constraint", "you change your presence too often; wait a moment", kind="wait")
    occupant.told = now + room.muc.options.min_presence_interval


async def _again(room: Room, occupant: Occupant, stanza: Stanza, sender: JID) -> None:
    """Somebody who is here enters again: everything is sent once more (15.3)."""
    _check_moves(room, sender)
    wish = Wish.parse(_extension(stanza), room.muc.clock.time())
    presence = _presence(room, stanza, occupant.role)
    differs = occupant.presence.letter != presence.letter
    room.occupants.join(occupant, sender, presence)
    await show_others(room, occupant, sender)
    await show_self(room, occupant, own=privacy_codes(room), id=stanza.id, to=sender)
    await _brief(room, sender, wish)
    if differs:
        await crowd.updated(room, occupant)


async def _update(room: Room, occupant: Occupant, stanza: Stanza, sender: JID) -> None:
    """Another availability (7.7)."""
    room.occupants.join(occupant, sender, _presence(room, stanza, occupant.role))
    await crowd.updated(room, occupant, stanza.id)


def _presence(room: Room, stanza: Stanza, role: Role) -> Stanza:
    """What is kept and reflected of a presence: all that is its sender's to say; `policy-violation` for too much."""
    dropped: tuple[str, ...] = OWN
    if not privileges.may_show_status(role, room.settings):
        dropped = (*OWN, STATUS)
    if len(stanza.names) == 1 and stanza.names[0] in dropped:
        kept = Stanza("presence", lang=stanza.lang, names=())
        sizes.check_presence(room, kept)
        return kept
    cleaned = stanza.without(*dropped)
    kept = Stanza("presence", lang=stanza.lang, letter=cleaned.letter, names=cleaned.names)
    sizes.check_presence(room, kept)
    return kept
