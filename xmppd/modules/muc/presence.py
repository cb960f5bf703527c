"""Who is shown what of an occupant: presence to everybody, to oneself, and to who enters (XEP-0045 7.2.3, 7.14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .faces import face, farewell, item, portrait, x
from .occupants import Occupant
from .words import NON_ANONYMOUS_ROOM, RENAMED, SELF

if TYPE_CHECKING:
    from .room import Room


@dataclass(frozen=True, slots=True)
class Why:
    """What goes with a change of an occupant: status codes that everybody sees, a reason, and who did it (a nick)."""

    codes: tuple[int, ...] = ()
    reason: str = ""
    actor: str = ""


NOTHING = Why()


def shows(room: Room, occupant: Occupant) -> bool:
    """Whether others are sent the occupant's presence.

    The room's owner says for which roles they are (`presence_broadcast`). In a crowd, only for moderators.
    """
    role = occupant.role
    return role in room.settings.presence_broadcast and (role == "moderator" or not room.crowded)


async def announce(
    room: Room, occupant: Occupant, why: Why = NOTHING, own: Iterable[int] = (), id: str = "", *, to_self: bool = True
) -> None:
    """The occupant's presence as it is now: to all others who may see it, then to the occupant, with status 110.

    `own` are further codes, and `id` that of the stanza that caused it, for the occupant alone. Who may not be seen any
    longer disappears for the others.
    """
    room.pending.pop(occupant, None)
    if shows(room, occupant):
        occupant.visible = True
        await _show(room, occupant, why, _others(room, occupant))
    elif occupant.visible:
        occupant.visible = False
        await _hide(room, occupant, why, _others(room, occupant))
    if to_self:
        await show_self(room, occupant, why, own, id)


async def show_self(
    room: Room, occupant: Occupant, why: Why = NOTHING, own: Iterable[int] = (), id: str = "", to: JID | None = None
) -> None:
    """The occupant's own presence, to all its addresses or one of them."""
    real = sees_real(room, occupant)
    inside = item(occupant, real, reason=why.reason, actor=why.actor)
    stanza = portrait(occupant, x(inside, (*why.codes, *own, SELF)), id)
    await room.send(stanza, occupant.jids if to is None else (to,))


async def show_entered(room: Room, occupant: Occupant) -> None:
    """A newcomer's presence, told late: to those who were here before; who came later has seen it already."""
    room.pending.pop(occupant, None)
    if not shows(room, occupant):
        return
    occupant.visible = True
    readers = []
    for jid, reader in room.occupants.sessions.items():
        if reader is occupant:
            break
        readers.append((jid, reader))
    await _show(room, occupant, NOTHING, readers)


async def show_others(room: Room, occupant: Occupant, to: JID) -> None:
    """Everybody who is here, to a newcomer (7.2.3)."""
    real = sees_real(room, occupant)
    for other in list(room.occupants.moderators) if room.crowded else room.occupants:
        if other is not occupant and shows(room, other):
            other.visible = True
            await room.send(face(other, real), (to,))


async def part(
    room: Room, occupant: Occupant, why: Why = NOTHING, said: Stanza | None = None, extra: str = "", nick: str = ""
) -> None:
    """The occupant's unavailable presence, to everybody: it has left, or changes its nick.

    The occupant is still or no longer among the room's; it is sent its copy either way. `extra` goes into the <x/>.
    """
    room.pending.pop(occupant, None)
    if occupant.visible:
        await _hide(room, occupant, why, _others(room, occupant), said, extra, nick)
    await part_self(room, occupant, occupant.jids, why, said, extra, nick)


async def part_self(
    room: Room,
    occupant: Occupant,
    readers: Iterable[JID],
    why: Why = NOTHING,
    said: Stanza | None = None,
    extra: str = "",
    nick: str = "",
) -> None:
    """The occupant's unavailable presence to addresses of its own, with status 110."""
    inside = _gone(occupant, sees_real(room, occupant), why, nick) + extra
    await room.send(farewell(occupant, x(inside, (*why.codes, SELF)), said), readers)


async def rename(room: Room, occupant: Occupant, jid: JID, own: Iterable[int] = (), id: str = "") -> None:
    """The occupant takes another nick: unavailable under the old one, available under the new one (7.6)."""
    await part(room, occupant, Why((RENAMED,)), nick=jid.resource)
    room.occupants.rename(occupant, jid)
    await announce(room, occupant, NOTHING, own, id)


def sees_real(room: Room, reader: Occupant) -> bool:
    """Whether a reader is shown real addresses."""
    return not room.settings.anonymous or reader.role == "moderator"


def privacy_codes(room: Room) -> tuple[int, ...]:
    """What a newcomer is warned of (7.2.4)."""
    return (NON_ANONYMOUS_ROOM,) if not room.settings.anonymous else ()


def _others(room: Room, occupant: Occupant) -> list[tuple[JID, Occupant]]:
    """All real addresses but the occupant's own, and who stands before them."""
    return [(jid, reader) for jid, reader in room.occupants.sessions.items() if reader is not occupant]


def _classes(room: Room, readers: Iterable[tuple[JID, Occupant]]) -> tuple[list[JID], list[JID]]:
    """The readers who see real addresses, and those who do not."""
    if not room.settings.anonymous:
        return [jid for jid, _ in readers], []
    known: list[JID] = []
    others: list[JID] = []
    for jid, reader in readers:
        (known if reader.role == "moderator" else others).append(jid)
    return known, others


async def _show(room: Room, occupant: Occupant, why: Why, readers: Iterable[tuple[JID, Occupant]]) -> None:
    for real, chosen in zip((True, False), _classes(room, readers), strict=True):
        if chosen:
            await room.send(_faced(occupant, real, why), chosen)


def _faced(occupant: Occupant, real: bool, why: Why) -> Stanza:
    if why is NOTHING:
        return face(occupant, real)
    return portrait(occupant, x(item(occupant, real, reason=why.reason, actor=why.actor), why.codes))


async def _hide(
    room: Room,
    occupant: Occupant,
    why: Why,
    readers: Iterable[tuple[JID, Occupant]],
    said: Stanza | None = None,
    extra: str = "",
    nick: str = "",
) -> None:
    for real, chosen in zip((True, False), _classes(room, readers), strict=True):
        if chosen:
            extension = x(_gone(occupant, real, why, nick) + extra, why.codes)
            await room.send(farewell(occupant, extension, said), chosen)


def _gone(occupant: Occupant, real: bool, why: Why, nick: str) -> str:
    role = occupant.role if nick else "none"  # who only changes the nick is still there
    return item(occupant, real, role=role, nick=nick, reason=why.reason, actor=why.actor)
