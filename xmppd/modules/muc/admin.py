"""muc#admin: the lists of roles and affiliations, and every change of them (XEP-0045 8, 9, 10.3 to 10.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lxml import etree

from xmppd.api import IQ, Commit, Replied
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, escape

from . import privileges
from .aspect import Aspect, Request
from .changes import RoleChange, read_changes
from .grants import Grant, grant
from .invitations import invitation
from .room import Why
from .settings import AFFILIATIONS, ROLES
from .standing import actor, check_free, extension, named, on_disk, standing
from .words import NS_ADMIN, Affiliation, Role

if TYPE_CHECKING:
    from .room import Room

QUERY: Final = f"{{{NS_ADMIN}}}"
_AFFILIATION: Final[Mapping[str, Affiliation]] = {name: name for name in AFFILIATIONS}
_ROLE: Final[Mapping[str, Role]] = {name: name for name in ROLES}


class Admin(Aspect):
    """What moderators, admins and owners do with muc#admin."""

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """Lists are got, changes set."""
        return {("get", f"{NS_ADMIN} query"): self.listed, ("set", f"{NS_ADMIN} query"): self.change}

    async def listed(self, room: Room, iq: IQ) -> Element:
        """Everybody of one role or one affiliation (8.5, 9.2, 9.5, 9.8, 10.5, 10.8)."""
        items = iq.payload.findall(f"{QUERY}item")
        if len(items) != 1 or not {"role", "affiliation"} & set(items[0].attrib):
            raise StanzaError("bad-request", "ask for one list: <item affiliation='...'/> or <item role='...'/>")
        query = etree.Element(f"{QUERY}query", nsmap={None: NS_ADMIN})  # type: ignore[dict-item]
        asked = standing(room, iq.sender)
        if "role" in items[0].attrib:
            self._roles(room, asked, items[0].get("role", ""), query)
        else:
            self._affiliations(room, asked, items[0].get("affiliation", ""), query)
        return query

    def _roles(self, room: Room, asked: tuple[Role, Affiliation], text: str, query: Element) -> None:
        role = _ROLE.get(text, "none")
        if role == "none":
            raise StanzaError("bad-request", f"there is no list of the role {text[:32]!r}")
        if not privileges.may_see_roles(role, *asked):
            raise StanzaError("forbidden", f"you may not see who is {role}")
        for occupant in room.occupants:
            if occupant.role == role:
                _append(query, occupant.affiliation, occupant.jids[-1], occupant.nick, role)

    def _affiliations(self, room: Room, asked: tuple[Role, Affiliation], text: str, query: Element) -> None:
        affiliation = _AFFILIATION.get(text, "none")
        if affiliation == "none":
            raise StanzaError("bad-request", f"there is no list of the affiliation {text[:32]!r}")
        if not privileges.may_see_affiliations(affiliation, *asked, room.settings):
            raise StanzaError("forbidden", f"you may not see who is {affiliation}")
        nicks = {account: nick for nick, account in room.nicks.items()}
        for account in named(room, affiliation):
            there = next(iter(room.occupants.of(account)), None)
            nick = there.nick if there else nicks.get(account, "")
            # The schema allows a role in any item, and the examples of 9.5 and 10.5 show none. With it who manages
            # people sees in one answer who is there; who is away has none.
            item = _append(query, affiliation, account, nick, there.role if there else None)
            if account in room.reasons:
                etree.SubElement(item, f"{QUERY}reason").text = room.reasons[account]

    async def change(self, room: Room, iq: IQ) -> Replied:
        """Change roles and affiliations: all that the request asks for, or nothing.

        Who asked for other roles hears of success before anybody sees them (8.2 to 8.5).
        """
        grants, roles = read_changes(room, iq.payload)
        who = standing(room, iq.sender)
        for change in roles:
            with _offending(change.item):
                target = change.occupant.role, change.occupant.affiliation
                privileges.check_role_change(who, target, change.role)
        for each in grants:
            with _offending(each.item):
                self._check_grant(room, iq.sender, who[1], each)
        check_owner_left(room, {each.account: each.affiliation for each in grants})
        nick = actor(room, iq.sender)
        await on_disk([await self._grant(room, iq.sender, nick, grants)])
        await self.muc.answer(iq.event, iq.stanza.result())
        await self._set_roles(room, roles, nick)
        return Replied.REPLIED

    async def _set_roles(self, room: Room, changes: Iterable[RoleChange], nick: str) -> None:
        for change in changes:
            if change.occupant.role != change.role and room.occupants.by_nick(change.occupant.nick) is change.occupant:
                await room.set_role(change.occupant, change.role, Why(reason=change.reason, actor=nick))

    def _check_grant(self, room: Room, sender: JID, actor_is: Affiliation, grant: Grant) -> None:
        old = room.affiliation_of(grant.account)
        oneself = sender.bare == grant.account
        privileges.check_affiliation_change(actor_is, old, grant.affiliation, oneself=oneself)
        if grant.reserved:
            check_free(room, grant.account, grant.reserved)

    async def _grant(self, room: Room, sender: JID, nick: str, grants: Sequence[Grant]) -> Commit | None:
        before = [(each, room.affiliation_of(each.account)) for each in grants]
        commit = await grant(room, grants, nick)
        for each, old in before:
            if not room.occupants.of(each.account) and old != each.affiliation:
                await self._tell_absent(room, sender, old, each)
        return commit

    async def _tell_absent(self, room: Room, sender: JID, old: Affiliation, grant: Grant) -> None:
        """Who is not there gets an invitation (9.5); where addresses are no secret, the occupants hear of it (10.3)."""
        if not room.settings.anonymous:
            item = f"<item affiliation='{grant.affiliation}' jid='{escape(grant.account)}' role='none'/>"
            await room.broadcast(Stanza("message", None, room.jid, "groupchat", letter=extension(item)))
        joined = old == "none" and grant.affiliation != "outcast"
        if room.settings.members_only and joined and grant.account.local:
            await room.muc.send(invitation(room, sender.bare, grant.account, grant.reason))


def check_owner_left(room: Room, changes: Mapping[JID, Affiliation]) -> None:
    """`conflict` where a room that has owners would have none (10.2, 10.4)."""
    owners = set(named(room, "owner"))
    left = {owner for owner in owners if changes.get(owner, "owner") == "owner"}
    if owners and not left and "owner" not in changes.values():
        raise StanzaError("conflict", "a room needs an owner; make another one first")


@contextmanager
def _offending(item: Element | None) -> Iterator[None]:
    """An error of what happens inside carries the item that caused it (8.4)."""
    try:
        yield
    except StanzaError as error:
        if item is None:
            raise
        attributes = "".join(
            f" {name}='{escape(item.get(name, ''))}'"
            for name in ("jid", "nick", "affiliation", "role")
            if name in item.attrib
        )
        offending = f"<item xmlns='{NS_ADMIN}'{attributes}/>"
        raise StanzaError(error.condition, error.text, application=offending) from None


def _append(query: Element, affiliation: Affiliation, jid: JID, nick: str, role: Role | None) -> Element:
    item = etree.SubElement(query, f"{QUERY}item", {"affiliation": str(affiliation), "jid": str(jid)})
    if nick:
        item.set("nick", nick)
    if role:
        item.set("role", role)
    return item
