"""Large rooms: newcomers are told of at a rate, and past a size plain occupants are not shown at all.

An occupant whose presence has to wait stands in `room.pending`, with True where it has entered and those who were here
before have not been told. Whoever leaves again before it is told has never been there for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .occupants import Occupant
from .presence import announce, show_entered, show_self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xmppd.xmpp.jid import JID

    from .room import Room

SECONDS_AT_ONCE: Final = 20  # of `user_presence_rate`, so that people who have just come are not kept waiting
CALM: Final = 0.75  # of `crowd_size`: where a crowded room is none any more, so that it does not change at each step


def count(room: Room) -> None:
    """Somebody has come or gone: the room may be a crowd now, or no longer. Who was hidden appears at the rate."""
    size, limit = len(room.occupants), room.muc.options.crowd_size
    if not limit or room.warden is not None:
        room.crowded = False
    elif not room.crowded:
        room.crowded = size > limit
    elif size <= limit * CALM:
        room.crowded = False
        for occupant in room.occupants:
            if not occupant.visible:
                delay(room, occupant, entered=False)


async def entered(room: Room, occupant: Occupant, own: Iterable[int], id: str) -> None:
    """Tell of a newcomer: oneself at once, the others when it is their turn."""
    if _may_speak(room):
        await announce(room, occupant, own=own, id=id)
    else:
        delay(room, occupant, entered=True)
        await show_self(room, occupant, own=own, id=id)


async def updated(room: Room, occupant: Occupant, id: str = "") -> None:
    """Tell of another presence of somebody who is here, as often as the options allow; else later, and once."""
    now = room.muc.clock.monotonic()
    if now < occupant.told or not may_move(room, occupant.account) or not _may_speak(room):
        delay(room, occupant, entered=False)
        return
    occupant.told = now + room.muc.options.min_presence_interval
    await announce(room, occupant, id=id)


def may_move(room: Room, account: JID) -> bool:
    """Whether an account may enter, or change how it is seen, once more (`user_presence_rate`)."""
    if room.warden is not None:
        return True
    rate = room.muc.options.user_presence_rate
    return room.moves.take(account, rate, room.muc.clock.monotonic(), rate * SECONDS_AT_ONCE)


def delay(room: Room, occupant: Occupant, *, entered: bool) -> None:
    """Tell of it when there is time."""
    room.pending[occupant] = entered
    room.muc.rooms.waiting.add(room)


async def flush(room: Room) -> None:
    """Tell of as many as the rate allows."""
    now = room.muc.clock.monotonic()
    for occupant, entered in list(room.pending.items()):
        if now < occupant.told:
            continue
        if not room.presences.take(room.muc.options.room_presence_rate, now):
            break
        occupant.told = now + room.muc.options.min_presence_interval
        await (show_entered(room, occupant) if entered else announce(room, occupant))


def _may_speak(room: Room) -> bool:
    if room.warden is not None:
        return True
    return not room.pending and room.presences.take(room.muc.options.room_presence_rate, room.muc.clock.monotonic())
