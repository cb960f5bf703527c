"""What is asked of a room itself, of its archive, or of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.api import IQ, Event, Replied
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS, PING
from xmppd.xmpp.stanza import Payload

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room


async def for_room(room: Room, event: Event) -> None:
    """A request to the bare room: of its aspects, of what it is, or whether it is there."""
    stanza = event.stanza
    if stanza.type in ("result", "error"):
        return
    if room.locked and (stanza.sender is None or room.affiliation_of(stanza.sender) != "owner"):
        raise StanzaError("item-not-found", "this room is not configured yet")
    given = await _of_room(room, IQ(event))
    if not isinstance(given, Replied):
        await room.muc.answer(event, stanza.result(given))


async def _of_room(room: Room, iq: IQ) -> Payload | Replied | None:
    key = iq.stanza.type, iq.stanza.names[0]
    if key == ("get", f"{DISCO_INFO} query"):
        return room.muc.discovery.room_info(room, iq)
    if key == ("get", f"{DISCO_ITEMS} query"):
        return room.muc.discovery.room_items(room, iq)
    if key == ("get", f"{PING} ping"):
        return None
    request = room.muc.requests.get(key)
    if request is None:
        raise StanzaError("feature-not-implemented", "a room knows no such request")
    return await request(room, iq)


async def from_archive(room: Room, event: Event) -> None:
    """What was said in a room long ago (XEP-0313), for those whom it concerns."""
    stanza, archive = event.stanza, room.archive
    assert stanza.sender is not None
    if archive is None or stanza.type not in ("get", "set"):
        raise StanzaError("feature-not-implemented", "this room keeps no archive")
    affiliation = room.affiliation_of(stanza.sender)
    closed = room.settings.members_only or room.locked or bool(room.settings.secret)
    stranger = affiliation == "none" and not (room.occupants.of(stanza.sender.bare) and not room.locked)
    if affiliation == "outcast" or (closed and stranger):
        raise StanzaError("forbidden", "you may not read what was said here")
    await room.muc.answer(event, stanza.result(await archive.answer_for(room.jid, stanza)))


async def for_service(muc: Muc, event: Event) -> None:
    """What is sent to the service itself."""
    stanza = event.stanza
    if stanza.kind == "presence" or stanza.type in ("result", "error"):
        return
    if stanza.kind == "message":
        raise StanzaError("service-unavailable", "nobody reads messages to this service")
    await muc.answer(event, stanza.result(await _of_service(muc, IQ(event))))


async def _of_service(muc: Muc, iq: IQ) -> Payload | None:
    key = iq.stanza.type, iq.stanza.names[0]
    if key == ("get", f"{DISCO_INFO} query"):
        return muc.discovery.service_info(iq)
    if key == ("get", f"{DISCO_ITEMS} query"):
        return await muc.discovery.service_items(iq)
    if key == ("get", f"{PING} ping"):
        return None
    raise StanzaError("service-unavailable")
