"""Who sees whom: the presence that is owed when a change of lists hides somebody, or shows them again.

XEP-0016 2.10 and 2.11, XEP-0191 3.3 and 3.4: who is blocked is told that the account has become unavailable, and the
account that they have; who is blocked no more is told what the presence is now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from xmppd.api import STOP, Event, Host, Session
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .items import PRESENCE_IN, PRESENCE_OUT, Item
from .lists import Lists

Scope = Collection[JID] | None  # addresses of users whom a change may be about; None: anybody


@dataclass(frozen=True, slots=True)
class View:
    """What lists hide from one available session's point of view."""

    blind: frozenset[JID]
    """Contacts, and others it has sent presence to, who may not see the session."""
    unseen: frozenset[JID]
    """Contacts whom the session may not see."""


def scope(items: Iterable[Item | None]) -> Scope:
    """Whom these items may be about."""
    addresses = set()
    for item in items:
        jid = JID.parse(item.value) if item is not None and item.type == "jid" else None
        if jid is None or not jid.local:
            return None
        addresses.add(jid)
    return addresses


class Sight:
    """Compares what sessions of one host see before and after a change."""

    def __init__(self, host: Host, rosters: Any) -> None:
        self._host = host
        self._rosters = rosters

    def look(self, account: JID, lists: Lists, about: Scope) -> dict[Session, View]:
        """What is hidden now; the account's roster is in memory, as it is for all that have sent presence."""
        roster = self._rosters.known(account)
        sessions = [session for session in self._host.sessions.of(account) if session.presence is not None]
        if roster is None or not sessions:
            return {}
        if about is None:
            watchers, watched = list(map(JID.parse, roster.watchers)), list(map(JID.parse, roster.watched))
        else:
            watchers = [contact for contact in about if roster.subscription(contact.bare) in ("from", "both")]
            watched = [contact for contact in about if roster.subscription(contact.bare) in ("to", "both")]
        return {session: _view(lists, session, watchers, watched, about) for session in sessions}

    async def tell(self, before: dict[Session, View], after: dict[Session, View]) -> None:
        """Send what is owed for the difference."""
        for session, now in after.items():
            then = before.get(session)
            if then is None or then == now:
                continue
            for other in now.blind - then.blind:
                await self._hide(session, other)
            for other in then.blind - now.blind:
                await self._show(session, other)
            for other in now.unseen - then.unseen:
                self._lose(session, other)
            for other in then.unseen - now.unseen:
                await self._route(session, Stanza("presence", other, session.jid, "probe"))

    async def _hide(self, session: Session, other: JID) -> None:
        if session.directed:
            session.directed.discard(other)
        await self._route(session, Stanza("presence", other, session.jid, "unavailable"))

    async def _show(self, session: Session, other: JID) -> None:
        if session.presence is None or not await self._rosters.sees(session.jid.bare, other):
            return
        event = Event(session.presence.addressed(other), session)
        if await self._host.hooks.presence_send.run(event) is not STOP:
            await self._host.house.router.route(event)

    def _lose(self, session: Session, other: JID) -> None:
        """Unavailable presence in the contact's name: of each resource where they are known, else of the contact."""
        host = self._host.house.hosts.get(other.domain)
        here = [each.jid for each in host.sessions.of(other.bare) if each.presence is not None] if host else [other]
        for jid in [jid for jid in here if other in (jid, jid.bare)]:
            # A reply, for on its way through the filters it would be held back.
            session.reply(Stanza("presence", session.jid, jid, "unavailable"))

    async def _route(self, session: Session, stanza: Stanza) -> None:
        await self._host.house.router.route(Event(stanza, session))


def _view(lists: Lists, session: Session, watchers: list[JID], watched: list[JID], about: Scope) -> View:
    chosen, contacts = lists.in_force(session), lists.contacts
    if chosen is None:
        return View(frozenset(), frozenset())
    directed = [to for to in session.directed or () if about is None or to in about or to.bare in about]
    return View(
        frozenset(to for to in (*watchers, *directed) if not chosen.allows(PRESENCE_OUT, to, contacts)),
        frozenset(contact for contact in watched if not chosen.allows(PRESENCE_IN, contact, contacts)),
    )
