"""muc#owner: a new room is unlocked, configured and destroyed (XEP-0045 10.1, 10.2, 10.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lxml import etree

from xmppd.api import IQ
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import find
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, escape

from .admin import check_owner_left
from .aspect import Aspect, Request
from .forms import CONFIG, LONGEST_PASSWORD, Configuration, Configured
from .grants import Grant
from .standing import actor, named, on_disk, reason_in, require_owner
from .words import NS_OWNER, Affiliation

if TYPE_CHECKING:
    from .room import Room

QUERY: Final = f"{{{NS_OWNER}}}"


class Owner(Aspect):
    """What owners do with muc#owner."""

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """The form is got, and set; <destroy/> is set."""
        return {("get", f"{NS_OWNER} query"): self.form, ("set", f"{NS_OWNER} query"): self.submit}

    @property
    def configuration(self) -> Configuration:
        """The form, with the service's limits."""
        return Configuration(self.muc.options.max_users, self.muc.options.history_size)

    async def form(self, room: Room, iq: IQ) -> Element:
        """The configuration, to be filled in (10.1.3, 10.2)."""
        require_owner(room, iq.sender)
        query = etree.Element(f"{QUERY}query", nsmap={None: NS_OWNER})  # type: ignore[dict-item]
        query.append(self.configuration.ask(room.jid, room.settings, named(room, "admin"), named(room, "owner")))
        return query

    async def submit(self, room: Room, iq: IQ) -> None:
        """A filled form, a cancelled one, an empty one, or the end of the room."""
        require_owner(room, iq.sender)
        destroy = iq.payload.find(f"{QUERY}destroy")
        if destroy is not None:
            await on_disk([await room.destroy(destruction(destroy))])
            return
        form = find(iq.payload)
        if form is None:
            raise StanzaError("bad-request", "send a filled form, or <destroy/>")
        configured = self.configuration.read(form, room.settings)
        if configured is not None:
            await self._configure(room, iq.sender, configured)
        elif room.locked:
            await on_disk([await room.destroy("<destroy/>")])

    async def _configure(self, room: Room, sender: JID, configured: Configured) -> None:
        changes = _changes(room, configured)
        check_owner_left(room, changes)
        self._check(room, sender, configured)
        grants = [Grant(account, affiliation) for account, affiliation in changes.items()]
        await on_disk([await room.configure(configured.settings, grants, actor(room, sender))])

    def _check(self, room: Room, sender: JID, configured: Configured) -> None:
        for account in (*(configured.owners or ()), *(configured.admins or ())):
            if not account.local:
                raise StanzaError("not-acceptable", f"{account} is a domain; admins and owners are people")
        lasting = configured.settings.persistent and not room.settings.persistent
        if (
            lasting
            and not self.muc.allows(self.muc.options.access_persistent, sender)
            and not self.muc.is_admin(sender)
        ):
            raise StanzaError("not-acceptable", f"field {CONFIG}persistentroom: you may not make rooms that last")


def _changes(room: Room, configured: Configured) -> dict[JID, Affiliation]:
    """Which affiliations the form's lists change: they are whole lists (10.5). Owner goes before admin.

    Who is taken from the owners becomes an admin, and who is taken from the admins a member (10.2).
    """
    owners = _named(configured.owners, room, "owner")
    admins = _named(configured.admins, room, "admin")
    wanted: dict[JID, Affiliation] = {}
    for account in named(room, "owner"):
        wanted[account] = "admin"
    for account in named(room, "admin"):
        wanted[account] = "member"
    wanted |= dict.fromkeys(admins, "admin")
    wanted |= dict.fromkeys(owners, "owner")
    return {account: new for account, new in wanted.items() if room.affiliations.get(account, "none") != new}


def _named(given: Sequence[JID] | None, room: Room, affiliation: Affiliation) -> Sequence[JID]:
    return named(room, affiliation) if given is None else given


def destruction(destroy: Element) -> str:
    """The <destroy/> that everybody is shown: where to go instead, with which password, and why (10.9)."""
    to = destroy.get("jid")
    jid = f" jid='{escape(JID.parse(to))}'" if to else ""
    password = destroy.findtext(f"{QUERY}password") or ""
    if len(password) > LONGEST_PASSWORD:
        raise StanzaError("not-acceptable", f"a password has {LONGEST_PASSWORD} characters at most")
    reason = reason_in(destroy)
    inside = f"<password>{escape(password)}</password>" if password else ""
    inside += f"<reason>{escape(reason)}</reason>" if reason else ""
    return f"<destroy{jid}>{inside}</destroy>" if inside else f"<destroy{jid}/>"
