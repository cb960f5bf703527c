"""Registration with a room: membership, and the nick that goes with it (XEP-0045 7.10, 9.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from xmppd.api import IQ, Commit
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import find
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import REGISTER
from xmppd.xmpp.stanza import Element, Stanza, serialise

from .aspect import Aspect, Request
from .forms import APPROVAL, REGISTRATION
from .grants import Grant, grant
from .privileges import at_least, may_register
from .recent import Recent
from .standing import actor, check_account, check_free, named, nick_of, on_disk, prepared_nick, reserve

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room

QUERY: Final = f"{{{REGISTER}}}"
MOST_ASKED: Final = 20  # admins and owners who are not in the room and are asked all the same
INTERVAL: Final = 60  # seconds between two requests of one account that have to be approved


class Registration(Aspect):
    """What users do with jabber:iq:register towards a room, and admins with their requests."""

    def __init__(self, muc: Muc) -> None:
        super().__init__(muc)
        self._recent = Recent(muc.clock)

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """The form is got, and set; <remove/> is set."""
        return {("get", f"{REGISTER} query"): self.form, ("set", f"{REGISTER} query"): self.submit}

    async def form(self, room: Room, iq: IQ) -> Element:
        """What has to be filled in; for who has a nick already, that one."""
        self._check_allowed(room, iq.sender)
        query = etree.Element(f"{QUERY}query", nsmap={None: REGISTER})  # type: ignore[dict-item]
        nick = nick_of(room, iq.sender.bare)
        if nick:
            etree.SubElement(query, f"{QUERY}registered")
            etree.SubElement(query, f"{QUERY}username").text = nick
        else:
            query.append(REGISTRATION.ask())
        return query

    async def submit(self, room: Room, iq: IQ) -> None:
        """Register, or end it (XEP-0077 3.2)."""
        if iq.payload.find(f"{QUERY}remove") is not None:
            await on_disk([await self._remove(room, iq.sender.bare)])
            return
        self._check_allowed(room, iq.sender)
        form = find(iq.payload)
        if form is None:
            raise StanzaError("bad-request", "registration needs the form that the room sends for it")
        values = _valid(form)
        nick = prepared_nick(room, values["nick"])
        check_free(room, iq.sender.bare, nick)
        affiliation = room.affiliation_of(iq.sender)
        if at_least(affiliation, "member") or room.settings.registration == "open":
            await on_disk([await self._register(room, iq.sender.bare, nick)])
        else:
            self._recent.check((room.jid, iq.sender.bare), INTERVAL)
            await self._ask(room, iq.sender, values)

    def _check_allowed(self, room: Room, jid: JID) -> None:
        check_account(jid)
        affiliation = room.affiliation_of(jid)
        if at_least(affiliation, "member"):
            return
        if not may_register(affiliation) or room.settings.registration == "closed":
            raise StanzaError("not-allowed", "this room makes its members itself")

    async def _register(self, room: Room, account: JID, nick: str, by: str = "") -> Commit | None:
        """Reserve the nick; who has no affiliation becomes a member."""
        if room.affiliation_of(account) == "none":
            return await grant(room, [Grant(account, "member", nick)], by)
        return reserve(room, account, nick)

    async def _remove(self, room: Room, account: JID) -> Commit | None:
        """Give the nick back; a member is one no longer."""
        affiliation = room.affiliation_of(account)
        if affiliation != "member" and not nick_of(room, account):
            raise StanzaError("registration-required", "you are not registered with this room")
        if affiliation == "member":
            return await grant(room, [Grant(account, "none")])
        return reserve(room, account, "")

    # Approval (9.9)

    async def _ask(self, room: Room, sender: JID, values: dict[str, Any]) -> None:
        """Put the request before the admins who are here, and where none is, before those who are not."""
        question = Stanza("message", None, room.jid, letter=serialise(APPROVAL.ask({"jid": sender.bare} | values)))
        here = [jid for jid, other in room.occupants.sessions.items() if at_least(other.affiliation, "admin")]
        if here:
            await room.send(question, here)
            return
        for account in [*named(room, "owner"), *named(room, "admin")][:MOST_ASKED]:
            await self.muc.send(question.replace(to=account))

    async def take(self, room: Room, sender: JID, form: Element) -> None:
        """An admin's word on a request."""
        if not at_least(room.affiliation_of(sender), "admin"):
            raise StanzaError("forbidden", "only admins and owners approve registrations")
        values = APPROVAL.read(form)
        if values is None or not values.get("allow"):
            return
        account, nick = values["jid"].bare, prepared_nick(room, values["nick"])
        check_account(account)
        if room.affiliation_of(account) == "outcast":
            raise StanzaError("not-allowed", f"{account} is banned; lift the ban first")
        await on_disk([await self._register(room, account, nick, actor(room, sender))])


def _valid(form: Element) -> dict[str, Any]:
    """The values of a submission; `bad-request` where it is no valid one (7.10)."""
    try:
        values = REGISTRATION.read(form)
    except StanzaError as error:
        raise StanzaError("bad-request", error.text) from None
    if values is None:
        raise StanzaError("bad-request", "the form was cancelled")
    return values
