"""Where privacy lists stand on a stanza's road, and what becomes of what they hold back (XEP-0016 2.2, 2.14).

The filters are plain functions that wait for nothing, unless an account's lists have to be read first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Final

from xmppd.api import FILTER, STOP, Event, Host, Session, Verdict
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .items import MESSAGE, PRESENCE_OUT, incoming, outgoing
from .lists import Lists
from .shelf import Shelf

Step = Callable[[Event, Lists], Verdict]
BLOCKED: Final = "<blocked xmlns='urn:xmpp:blocking:errors'/>"
# What is dropped without an answer, beside presence: answers, and the words of a room, which would take an error to
# mean that its occupant is gone.
SILENT: Final = frozenset({"result", "error", "groupchat"})


class Unread(Enum):
    """Nobody knows yet whether the account has lists."""

    UNREAD = "unread"


UNREAD: Final = Unread.UNREAD


class Filters:
    """Stand on the road of one host while some account of it has a list; before, they cost nothing.

    `denied` is called for each stanza that is held back.
    """

    def __init__(self, host: Host, shelf: Shelf, denied: Callable[[], None]) -> None:
        self._host = host
        self._shelf = shelf
        self._known = shelf.known
        self._denied = denied
        self._attached = False
        self._passed: Stanza | None = None  # the last that every list of its account lets in; not judged again

    def attach(self) -> None:
        """Stand on the road from now on."""
        if not self._attached:
            self._attached = True
            for chain, filter in self._places():
                chain.add(filter, FILTER)

    def detach(self) -> None:
        """Stand there no more."""
        if self._attached:
            self._attached = False
            for chain, filter in self._places():
                chain.remove(filter)

    def _places(self) -> tuple[tuple[Any, Any], ...]:
        hooks = self._host.hooks
        return (
            (hooks.account_receive, self.receive),
            (hooks.session_receive, self.deliver),
            (hooks.session_send, self.send),
            (hooks.presence_send, self.show),
        )

    # Each first asks whether the account has lists at all. Most have none, and are through.

    def receive(self, event: Event) -> Awaitable[Verdict] | Verdict:
        """A stanza to the account: the default list decides, or the active lists of those it may reach."""
        stanza = event.stanza
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None:
            return None
        account = to.bare
        lists = self._known.get(account, UNREAD)
        if lists is None:
            self._passed = stanza
            return None
        few = None if lists is UNREAD else lists.addressed
        if few is not None and sender not in few and sender.bare not in few and sender.domain not in few:
            self._passed = stanza  # as a rule, and then these look-ups are all
            return None
        return self._decide(lists, account, sender, event, self._receive)

    def deliver(self, event: Event) -> Awaitable[Verdict] | Verdict:
        """A copy to one session, whose list decides. What was kept before its sender was blocked stops here too."""
        stanza = event.stanza
        if stanza is self._passed:
            return None
        session, sender = event.target, stanza.sender
        if session is None or sender is None:
            return None
        account = session.jid.bare
        lists = self._known.get(account, UNREAD)
        return None if lists is None else self._decide(lists, account, sender, event, self._deliver)

    def send(self, event: Event) -> Awaitable[Verdict] | Verdict:
        """A stanza that a session sends to an address: what may not go there is its sender's error (2.14)."""
        session, to = event.origin, event.stanza.to
        if session is None or to is None:
            return None
        account = session.jid.bare
        lists = self._known.get(account, UNREAD)
        return None if lists is None else self._decide(lists, account, to, event, self._send)

    def show(self, event: Event) -> Awaitable[Verdict] | Verdict:
        """A session's presence to one of those who may see it: held back without a word."""
        stanza = event.stanza
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None:
            return None
        account = sender.bare
        lists = self._known.get(account, UNREAD)
        return None if lists is None else self._decide(lists, account, to, event, self._show)

    def _decide(
        self, lists: Lists | Unread, account: JID, other: JID, event: Event, step: Step
    ) -> Awaitable[Verdict] | Verdict:
        # The account's own resources are never kept apart (2.1), and the server in person is nobody's contact.
        if other.domain == account.domain and (not other.local or other.local == account.local):
            return None
        if lists is UNREAD or (lists.social and not lists.ready):
            return self._later(account, event, step)
        return step(event, lists)

    async def _later(self, account: JID, event: Event, step: Step) -> Verdict:
        """Read what is missing, then decide."""
        lists = await self._shelf.get(account)
        while lists is not None and not lists.ready:
            await lists.contacts.load(lists.grouped)
            lists = await self._shelf.get(account)
        return None if lists is None else step(event, lists)

    # Then the lists decide

    def _receive(self, event: Event, lists: Lists) -> Verdict:
        stanza = event.stanza
        kind = MESSAGE if stanza.kind == "message" else incoming(stanza)
        sender, contacts = stanza.sender, lists.contacts
        assert sender is not None
        for each in lists.used:
            if not each.allows(kind, sender, contacts):
                break
        else:
            self._passed = stanza
            return None
        chosen = [lists.in_force(session) for session in self._reached(stanza)] or [lists.default]
        if any(each is None or each.allows(kind, sender, contacts) for each in chosen):
            return None
        return self._refused(stanza)

    def _reached(self, stanza: Stanza) -> list[Session]:
        """The sessions a stanza may go to; none where the account itself is meant, or nobody is there (2.2, rule 2)."""
        assert stanza.to is not None
        sessions = self._host.sessions.of(stanza.to.bare)
        exact = [session for session in sessions if session.jid == stanza.to]
        if exact or stanza.kind == "iq" or (stanza.kind == "presence" and stanza.type not in ("", "unavailable")):
            return exact
        return [session for session in sessions if session.presence is not None and session.priority >= 0]

    def _deliver(self, event: Event, lists: Lists) -> Verdict:
        stanza, session = event.stanza, event.target
        assert session is not None
        assert stanza.sender is not None
        chosen = lists.in_force(session)
        if chosen is None or chosen.allows(incoming(stanza), stanza.sender, lists.contacts):
            return None
        return self._refused(stanza)

    def _refused(self, stanza: Stanza) -> Verdict:
        """To its sender, the account looks as if it were offline (2.14)."""
        self._denied()
        if stanza.kind == "presence" or stanza.type in SILENT:
            return STOP
        raise StanzaError("service-unavailable")

    def _send(self, event: Event, lists: Lists) -> Verdict:
        stanza, session = event.stanza, event.origin
        assert session is not None
        assert stanza.to is not None
        chosen = lists.in_force(session)
        if chosen is None or chosen.allows(outgoing(stanza), stanza.to, lists.contacts):
            return None
        self._denied()
        raise StanzaError("not-acceptable", f"you have blocked {stanza.to}", kind="cancel", application=BLOCKED)

    def _show(self, event: Event, lists: Lists) -> Verdict:
        to, sender = event.stanza.to, event.stanza.sender
        assert to is not None
        assert sender is not None
        session = event.origin or self._host.sessions.find(sender)
        chosen = lists.default if session is None else lists.in_force(session)
        return None if chosen is None or chosen.allows(PRESENCE_OUT, to, lists.contacts) else STOP
