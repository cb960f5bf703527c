"""Subscription stanzas on their way out of an account and into one (RFC 6121 3); what they do is `states`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from xmppd.api import STOP, Event, Host, RosterChanged, Statement, Storage, Verdict
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from . import announce, pushes, tables
from .book import Book, Roster
from .states import BOTH, FROM, LISTED, PENDING_IN, SUBSCRIPTION, inbound, outbound, shows

Push = Callable[[JID, JID], Awaitable[None]]  # account, contact: push the item as it is now
MOST_REQUESTS: Final = 500  # that wait for one account's answer: 4 MB at worst, and more than anybody reads
LONGEST_REQUEST: Final = 8192  # bytes kept of what a request brings along; a nickname and a sentence need 300


class Subscriptions:
    """The subscriptions of one host's accounts."""

    def __init__(self, host: Host, book: Book, storage: Storage, push: Push, most: Callable[[], int]) -> None:
        self._host = host
        self._book = book
        self._storage = storage
        self._push = push
        self._most = most

    async def send(self, event: Event) -> Verdict:
        """The account sends a subscription stanza (A.2); it goes no other way than this."""
        stanza = event.stanza
        assert stanza.sender is not None
        if stanza.to is None:
            raise StanzaError("bad-request", "say whom: a subscription stanza needs a 'to'")
        account, contact = stanza.sender.bare, stanza.to.bare
        if account == contact:
            return STOP  # everybody sees his own presence already
        roster = await self._book.get(account)
        before = roster.mark(contact)
        step = outbound(before, stanza.type)
        if not before & LISTED and step.mark & LISTED and roster.listed >= self._most():
            raise StanzaError("resource-constraint", f"a roster has {self._most()} contacts at most")
        await self._change(account, roster, contact, step.mark)
        if before & FROM and not step.mark & FROM:
            await announce.gone(self._host, account, contact)
        if step.passes:
            await self._host.house.router.route(Event(stanza.replace(to=contact, sender=account), event.origin))
        if step.mark & FROM and not before & FROM:
            await announce.here(self._host, account, contact)
        return STOP

    async def receive(self, event: Event) -> None:
        """A subscription stanza comes to the account (A.3)."""
        stanza = event.stanza
        assert stanza.sender is not None
        assert stanza.to is not None
        account, contact = stanza.to.bare, stanza.sender.bare
        if account == contact:
            return
        roster = await self._book.get(account)
        before = roster.mark(contact)
        step = inbound(before, stanza.type)
        if step.mark & PENDING_IN and not before & PENDING_IN and roster.requests >= MOST_REQUESTS:
            raise StanzaError("resource-constraint", "too many requests wait for this account's answer")
        await self._change(account, roster, contact, step.mark, stanza)
        if step.passes:
            await pushes.tell(self._host, account, stanza.replace(to=account, sender=contact))
        if shows(before, step.mark):
            await self._push(account, contact)
        if step.answer:
            await self._answer(account, contact, step.answer)
        if before & FROM and not step.mark & FROM:
            await announce.gone(self._host, account, contact)

    async def _answer(self, account: JID, contact: JID, type: str) -> None:
        await self._host.house.router.send(Stanza("presence", contact, account, type))
        await announce.here(self._host, account, contact)

    async def _change(
        self, account: JID, roster: Roster, contact: JID, mark: int, request: Stanza | None = None
    ) -> None:
        """Write the new mark, and push the item where clients see the change of their own request."""
        before = roster.mark(contact)
        if mark == before:
            return
        extra = self._requests(account, contact, before, mark, request)
        shown = shows(before, mark)
        await self._book.mark(account, roster, contact, mark, shown, *extra)
        await self._host.hooks.roster_changed.tell(RosterChanged(account, contact, SUBSCRIPTION[mark & BOTH]))
        if shown and request is None:
            await self._push(account, contact)

    def _requests(
        self, account: JID, contact: JID, before: int, mark: int, request: Stanza | None
    ) -> tuple[Statement, ...]:
        if mark & PENDING_IN and not before & PENDING_IN and request is not None:
            return (pushes.keep(account, contact, request, LONGEST_REQUEST),)
        if before & PENDING_IN and not mark & PENDING_IN:
            return ((tables.DROP_REQUEST, (account, contact)),)
        return ()

    async def deliver_requests(self, account: JID, send: Callable[[Stanza], Awaitable[None]]) -> None:
        """Send the requests that wait for an answer (3.1.3)."""
        roster = await self._book.get(account)
        if roster.requests:
            rows = await self._storage.fetch(tables.REQUESTS, account)
            for stanza in pushes.requests(account, [(row[0], row[1], row[2], row[3]) for row in rows]):
                await send(stanza)
