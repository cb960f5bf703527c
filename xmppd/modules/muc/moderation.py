"""Moderators take back what somebody said: moderated retraction (XEP-0425)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from xmppd.api import IQ, Commit, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import RETRACT, SID
from xmppd.xmpp.stanza import Stanza, escape

from . import store
from .aspect import Aspect, Request
from .faces import OCCUPANT_ID, id_element
from .standing import on_disk, reason_in, standing

if TYPE_CHECKING:
    from .room import Room

NS_MODERATE: Final = "urn:xmpp:message-moderate:1"
KEPT: Final = (OCCUPANT_ID, f"{SID} stanza-id")  # of a message that was taken back


class Moderation(Aspect):
    """Takes messages out of the history, puts tombstones into the archive, and tells the occupants."""

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """Moderation is set."""
        return {("set", f"{NS_MODERATE} moderate"): self.moderate}

    def features(self, room: Room) -> Iterable[str]:
        """What clients look for (XEP-0425 2)."""
        return NS_MODERATE, RETRACT

    async def moderate(self, room: Room, iq: IQ) -> None:
        """Retract one message, named by the room's stanza-id; `item-not-found` where nothing is kept of it."""
        if standing(room, iq.sender)[0] != "moderator":
            raise StanzaError("forbidden", "only moderators moderate what others say")
        id, reason = iq.payload.get("id", ""), reason_in(iq.payload)
        if not id or iq.payload.find(f"{{{RETRACT}}}retract") is None:
            raise StanzaError("bad-request", "say which message, by its stanza-id, and <retract/>")
        own = token_urlsafe(12)
        inside = _moderated(room, iq.sender, reason)
        forgotten, written = _forget(room, id)
        await on_disk([written])
        archive = self.muc.archive
        redacted = archive is not None and await archive.redact(room.jid, id, retraction=own, inside=inside, keep=KEPT)
        if not (forgotten or redacted):
            raise StanzaError("item-not-found", "the room keeps no message of this id")
        letter = f"<retract xmlns='{RETRACT}' id='{escape(id)}'>{inside}</retract>"
        await self._tell(room, Stanza("message", None, room.jid, "groupchat", own, "", letter.encode()))

    async def _tell(self, room: Room, message: Stanza) -> None:
        """To everybody; who is not here finds it in the archive."""
        archive = room.archive
        if archive is not None:
            id = archive.new_id()
            message = message.with_child(f"<stanza-id xmlns='{SID}' by='{escape(room.jid)}' id='{id}'/>")
            try:
                await archive.keep(room.jid, message, with_=room.jid, id=id, rooms=True)
            except StorageError as error:
                raise StanzaError("internal-server-error", "the retraction could not be archived") from error
        await room.broadcast(message)


def _moderated(room: Room, sender: JID, reason: str) -> str:
    """Who did it, under the nick that everybody knows, and why."""
    occupant = room.occupants.by_jid(sender)
    by = occupant.jid if occupant is not None else room.jid
    inside = id_element(occupant.id).decode() if occupant is not None else ""
    said = f"<reason>{escape(reason)}</reason>" if reason else ""
    return f"<moderated xmlns='{NS_MODERATE}' by='{escape(by)}'>{inside}</moderated>{said}"


def _forget(room: Room, id: str) -> tuple[bool, Commit | None]:
    """Take a message out of the history; whether it was there, and the write that is owed."""
    # The room's own stanza-id stands last, and no other of it is let through.
    end = f"<stanza-id xmlns='{SID}' by='{escape(room.jid)}' id='{escape(id)}'/>".encode()
    line = next((line for line in room.history if line.letter.endswith(end)), None)
    if line is None:
        return False, None
    commit = room.write(store.drop_line(room.jid, line.seq))
    room.history.remove(line.seq)
    return True, commit
