"""Requests from one occupant to another, and to oneself (XEP-0045 15.4, XEP-0410).

The room passes a request on under an id of its own, so that the answer finds its way back and neither side learns the
other's real address. What is not answered in time is answered by the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from xmppd.api import Event
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS, PING
from xmppd.xmpp.stanza import Stanza

from .faces import OWN

if TYPE_CHECKING:
    from .room import Room

PATIENCE: Final = 120.0  # seconds until the room answers in place of who does not
MOST_ASKED: Final = 500  # requests of one room that wait for an answer; past it `resource-constraint`
MOST_OF_ONE: Final = 50  # of them by one account, so that nobody takes the others' room
SELF_PING: Final = f"{PING} ping"
DISCO: Final = frozenset({f"{DISCO_INFO} query", f"{DISCO_ITEMS} query"})
# What an account answers for all of its resources: the server knows it, the client does not.
ACCOUNTS: Final = frozenset({"vcard-temp vCard", "urn:ietf:params:xml:ns:vcard-4.0 vcard"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for its answer: who asked, under which id, whom (nick and real address), until when."""

    asker: JID
    id: str
    occupant: JID
    answerer: JID
    until: float


async def passed(room: Room, event: Event) -> None:
    """An iq to an occupant's address."""
    if event.stanza.type in ("result", "error"):
        await _answered(room, event.stanza)
    else:
        await _ask(room, event)


async def _ask(room: Room, event: Event) -> None:
    stanza = event.stanza
    sender, to = stanza.sender, stanza.to
    assert sender is not None
    assert to is not None
    asker = room.occupants.by_jid(sender)
    name = stanza.names[0]
    if asker is None:
        condition = "bad-request" if name in DISCO else "not-acceptable"  # 6.6, XEP-0410 3.2
        raise StanzaError(condition, "enter the room first", kind="cancel" if name == SELF_PING else None)
    other = room.occupants.by_nick(to.resource)
    if other is asker and name == SELF_PING:
        await room.muc.answer(event, stanza.result())
        return
    if other is None:
        raise StanzaError("item-not-found", "nobody is here under this nick")
    if not room.settings.allow_query_users and other is not asker:
        raise StanzaError("not-allowed", "this room passes no requests on")
    _check_number(room, sender.bare)
    real = other.jids[-1]
    answerer = real.bare if name in ACCOUNTS else real
    id = token_urlsafe(12)
    room.asked[id] = Asked(sender, stanza.id, to, answerer, room.muc.clock.monotonic() + PATIENCE)
    passing = Stanza("iq", answerer, asker.jid, stanza.type, id, stanza.lang, stanza.letter, stanza.names)
    room.muc.rooms.asking.add(room)
    try:
        await room.muc.road.hand_over(passing)
    except StanzaError:
        room.asked.pop(id, None)
        raise


def _check_number(room: Room, account: JID) -> None:
    if len(room.asked) >= MOST_ASKED:
        raise StanzaError("resource-constraint", "too many requests in this room wait for an answer", kind="wait")
    if sum(asked.asker.bare == account for asked in room.asked.values()) >= MOST_OF_ONE:
        raise StanzaError("resource-constraint", "too many requests of yours wait for an answer", kind="wait")


async def _answered(room: Room, stanza: Stanza) -> None:
    """An answer: back to who asked, if it comes from who was asked."""
    asked = room.asked.get(stanza.id)
    if asked is None or stanza.sender != asked.answerer:
        return
    del room.asked[stanza.id]
    cleaned = stanza.without(*OWN)
    await room.send(
        Stanza("iq", None, asked.occupant, stanza.type, asked.id, stanza.lang, cleaned.letter, cleaned.names),
        (asked.asker,),
    )


async def expire(room: Room) -> None:
    """Answer for those who did not in time."""
    now = room.muc.clock.monotonic()
    for id, asked in list(room.asked.items()):
        if asked.until > now:
            return  # the oldest stand first
        del room.asked[id]
        request = Stanza("iq", asked.occupant, asked.asker, "get", asked.id)
        error = StanzaError("remote-server-timeout", "the occupant has not answered")
        await room.send(request.error(error), (asked.asker,))
    room.muc.rooms.asking.discard(room)
