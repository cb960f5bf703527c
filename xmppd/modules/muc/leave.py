"""Leaving a room, and being taken for gone (XEP-0045 7.14, 11.1, 17.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from xmppd.api import Event
from xmppd.xmpp.errors import NS_STANZAS, StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CLIENT
from xmppd.xmpp.stanza import Stanza

from . import crowd, sizes
from .faces import OWN
from .presence import NOTHING, Why, part_self
from .words import BROKEN

if TYPE_CHECKING:
    from .room import Room

# Errors that say that nobody is there any more (17.4.2).
DEADLY: Final = frozenset(
    {
        "gone",
        "item-not-found",
        "recipient-unavailable",
        "redirect",
        "remote-server-not-found",
        "remote-server-timeout",
    }
)


async def go(room: Room, event: Event) -> None:
    """An unavailable presence: whoever sent it leaves; strangers are not heard (15.3)."""
    stanza, sender = event.stanza, event.stanza.sender
    assert sender is not None
    await remove(room, sender, said=_farewell(room, stanza))


def _farewell(room: Room, stanza: Stanza) -> Stanza:
    """What somebody says in leaving; nothing, where it is too much or cannot be read: who wants to go goes."""
    try:
        said = stanza.without(*OWN)
    except StanzaError:
        return Stanza("presence")
    return said if sizes.is_presence_small(room, said) else Stanza("presence")


async def remove(room: Room, real: JID, why: Why = NOTHING, said: Stanza | None = None) -> None:
    """One real address leaves; the occupant with it where it was the last one."""
    occupant = room.occupants.by_jid(real)
    if occupant is None:
        return
    room.used = int(room.muc.clock.time())
    spoke_last = occupant.jids[-1] == real
    if room.occupants.part(occupant, real):
        await part_self(room, occupant, (real,), why, said)
        if spoke_last:
            await crowd.updated(room, occupant)
    else:
        await room.expel(occupant, why, said=said)


async def bounced(room: Room, event: Event) -> bool:
    """An error that came back; True where it has told that its sender is gone, and been acted upon."""
    stanza = event.stanza
    if stanza.sender is None or room.occupants.by_jid(stanza.sender) is None or condition(stanza) not in DEADLY:
        return False
    await remove(room, stanza.sender, Why((BROKEN,)))
    return True


async def bury(room: Room) -> None:
    """Who was found to have no session leaves, and whoever is found to have none while that is told."""
    while room.lost:
        await remove(room, room.lost.pop(), Why((BROKEN,)))


def condition(stanza: Stanza) -> str:
    """The condition of an error, "" where it has none."""
    error = stanza.child("error", CLIENT)
    if error is None:
        return ""
    found = next((child for child in error.iterchildren(f"{{{NS_STANZAS}}}*") if not child.tag.endswith("}text")), None)
    return etree.QName(found).localname if found is not None else ""
