"""Invitations through the room and their refusal (XEP-0045 7.8.2); direct ones (XEP-0249) pass without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from xmppd.api import Event
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, escape

from .aspect import Aspect, Take
from .grants import Grant, grant
from .privileges import at_least, may_invite
from .recent import Budget
from .standing import actor, extension, on_disk, reason_in, standing
from .words import NS_USER

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room

USER: Final = f"{{{NS_USER}}}"
MOST_INVITED: Final = 20  # in one message
LONGEST_THREAD: Final = 256
REFILL: Final = 1 / 3  # invitations a second of one account, beyond the first MOST_INVITED: rooms carry no advertising


class Invitations(Aspect):
    """Carries invitations out and refusals back."""

    def __init__(self, muc: Muc) -> None:
        super().__init__(muc)
        self._budget = Budget(muc.clock, MOST_INVITED, REFILL)

    def messages(self) -> Mapping[str, Take]:
        """An <x/> of muc#user with <invite/> or <decline/> in it."""
        return {f"{NS_USER} x": self.take}

    async def take(self, room: Room, event: Event) -> bool:
        """Carry what there is to carry; False where there is neither."""
        x = event.stanza.child("x", NS_USER)
        sender = event.stanza.sender
        assert x is not None
        assert sender is not None
        invites, declines = x.findall(f"{USER}invite"), x.findall(f"{USER}decline")
        if len(invites) > MOST_INVITED or len(declines) > 1:
            raise StanzaError("not-acceptable", f"invite {MOST_INVITED} at most with one message, decline once")
        if invites:
            await self._invite(room, event, sender, invites)
        elif declines:
            await self._decline(room, sender, declines[0])
        return bool(invites or declines)

    async def _invite(self, room: Room, event: Event, sender: JID, invites: list[Element]) -> None:
        role, affiliation = standing(room, sender)
        if role == "none":
            raise StanzaError("not-acceptable", "only who is in the room invites others")
        if not may_invite(role, affiliation, room.settings):
            raise StanzaError("forbidden", "only admins invite others to this room")
        self._budget.spend(sender.bare, len(invites))
        invited = [(await self._invitee(room, invite), invite) for invite in invites]
        await self._admit(room, sender, [invitee for invitee, _ in invited])
        for invitee, invite in invited:
            stanza = invitation(room, sender.bare, invitee, reason_in(invite), _thread(invite))
            stanza.id = event.stanza.id
            await self.muc.send(stanza)

    async def _invitee(self, room: Room, invite: Element) -> JID:
        to = invite.get("to")
        if not to:
            raise StanzaError("bad-request", "say whom to invite: <invite to='...'/>")
        invitee = JID.parse(to)
        if not invitee.local:  # in a members-only room all of the domain would become members
            raise StanzaError("not-acceptable", f"{invitee} is no account; invite people")
        host = self.muc.host.house.hosts.get(invitee.domain)
        if host is not None and not await host.exists(invitee.bare):
            raise StanzaError("item-not-found", f"there is no {invitee.bare}")
        if room.affiliation_of(invitee) == "outcast":
            raise StanzaError("not-allowed", f"{invitee.bare} is banned from the room")
        return invitee

    async def _admit(self, room: Room, sender: JID, invited: Iterable[JID]) -> None:
        """Who is invited to a members-only room becomes a member (9.5)."""
        if room.settings.members_only:
            new = {invitee.bare for invitee in invited if not at_least(room.affiliation_of(invitee), "member")}
            await on_disk([await grant(room, [Grant(account, "member") for account in new], actor(room, sender))])

    async def _decline(self, room: Room, sender: JID, decline: Element) -> None:
        to = decline.get("to")
        if not to:
            raise StanzaError("bad-request", "say whose invitation you decline: <decline to='...'/>")
        if room.affiliation_of(sender) == "outcast":
            raise StanzaError("forbidden", "you are banned from this room")
        inviter = JID.parse(to)
        # Only to who could have invited, so that nobody writes to strangers in the room's name.
        if not room.occupants.of(inviter.bare) and not at_least(room.affiliation_of(inviter), "member"):
            raise StanzaError("item-not-found", f"{inviter.bare} is not in the room")
        inside = f"<decline from='{escape(sender.bare)}'>{_reason(reason_in(decline))}</decline>"
        await self.muc.send(Stanza("message", inviter, room.jid, letter=extension(inside)))


def invitation(room: Room, inviter: JID, invitee: JID, reason: str, thread: str | None = None) -> Stanza:
    """The invitation as the room sends it, with the password that is needed to follow it."""
    goes_on = "" if thread is None else f"<continue thread='{escape(thread)}'/>" if thread else "<continue/>"
    password = f"<password>{escape(room.settings.secret)}</password>" if room.settings.secret else ""
    inside = f"<invite from='{escape(inviter)}'>{_reason(reason)}{goes_on}</invite>{password}"
    return Stanza("message", invitee, room.jid, letter=extension(inside))


def _reason(text: str) -> str:
    return f"<reason>{escape(text)}</reason>" if text else ""


def _thread(invite: Element) -> str | None:
    """The conversation that goes on in the room (7.9): its thread, "" for one without, None for no such."""
    goes_on = invite.find(f"{USER}continue")
    return None if goes_on is None else goes_on.get("thread", "")[:LONGEST_THREAD]
