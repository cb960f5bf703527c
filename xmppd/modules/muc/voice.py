"""Voice requests and their approval (XEP-0045 7.13, 8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, serialise

from .forms import VOICE
from .occupants import Occupant
from .privileges import check_role_change
from .recent import Recent
from .room import Why
from .standing import actor, prepared_nick, standing

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room


class Voice:
    """Carries requests to the moderators, and grants what one of them approves."""

    def __init__(self, muc: Muc) -> None:
        self._muc = muc
        self._recent = Recent(muc.clock)

    async def take(self, room: Room, sender: JID, form: Element) -> None:
        """A form muc#request: a visitor's request, or a moderator's word on one."""
        values = VOICE.read(form)
        if values is None:
            return  # a moderator passes it over
        if "allow" in values:
            await self._decide(room, sender, values)
        else:
            await self._ask(room, sender, values)

    async def _ask(self, room: Room, sender: JID, values: dict[str, Any]) -> None:
        occupant = room.occupants.by_jid(sender)
        if occupant is None:
            raise StanzaError("not-acceptable", "only who is in the room asks for voice")
        if values.get("role", "participant") != "participant":
            raise StanzaError("bad-request", "ask for the role participant")
        if occupant.role != "visitor":
            raise StanzaError("unexpected-request", "you have voice already", kind="cancel")
        if not room.settings.allow_voice_requests:
            raise StanzaError("forbidden", "this room takes no requests for voice")
        moderators = [jid for jid, other in room.occupants.sessions.items() if other.moderates]
        if not moderators:
            raise StanzaError("recipient-unavailable", "no moderator is here; ask again later")
        self._recent.check((room.jid, sender.bare), room.settings.voice_request_min_interval)
        await room.send(_question(room, occupant, sender), moderators)

    async def _decide(self, room: Room, sender: JID, values: dict[str, Any]) -> None:
        who = standing(room, sender)
        if who[0] != "moderator":
            raise StanzaError("forbidden", "only moderators grant voice")
        if not values["allow"]:
            return
        occupant = room.occupants.by_nick(prepared_nick(room, values.get("nick", "")))
        if occupant is None or values.get("jid", occupant.jids[-1]) not in (*occupant.jids, occupant.account):
            raise StanzaError("item-not-found", "who asked for voice has left")
        check_role_change(who, (occupant.role, occupant.affiliation), "participant")
        if occupant.role == "visitor":
            await room.set_role(occupant, "participant", Why(actor=actor(room, sender)))


def _question(room: Room, occupant: Occupant, real: JID) -> Stanza:
    form = VOICE.ask({"role": "participant", "jid": real, "nick": occupant.nick})
    return Stanza("message", None, room.jid, letter=serialise(form))
