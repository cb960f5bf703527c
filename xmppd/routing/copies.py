"""What goes to many on one host: a copy that nobody looks at is bytes alone, which takes half of the road's time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from typing import Protocol

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .event import Event
from .hooks import GROUPCHAT, SHARED, STOP, Hooks, Verdict
from .returning import Returning
from .sessions import Session, Sessions

log = logging.getLogger(__name__)


class Home(Protocol):
    """A host, as far as stanzas reach its accounts; see `xmppd.host.Host`."""

    hooks: Hooks
    sessions: Sessions
    returning: Returning

    def begin(self, event: Event) -> Awaitable[object] | None:
        """Take a stanza to this host; what is left to wait for, if anything is."""


class Copies:
    """The short ways of one host. Each asks anew for every copy, for somebody may begin to look meanwhile."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def show(self, presence: Stanza, account: JID, origin: Session) -> Awaitable[object] | None:
        """Take a copy of a session's presence to an account, as `Host.begin` takes one (RFC 6121 4.2.2, 4.4.2, 4.5.2).

        What is left to wait for, if anything is; `StanzaError` where it is refused.
        """
        home = self._home
        readers, hooks = home.sessions.of(account), home.hooks
        if len(readers) != 1 or hooks.account_receive.of["presence"] or hooks.session_receive.of["presence"]:
            return home.begin(Event(presence.addressed(account), origin))
        return readers[0].door.send_copy(presence, account) if readers[0].presence is not None else None

    async def spread(self, stanza: Stanza, readers: Iterable[JID]) -> list[JID]:
        """Take a copy of a stanza to each of these resources, as `Host.handle` does; returns whom none could reach.

        For who tells the same to hundreds, as rooms do.
        """
        kind, hooks, home = stanza.kind, self._home.hooks, self._home
        if stanza.type == GROUPCHAT:
            kind, event = GROUPCHAT, Event(stanza)
            try:
                verdict = hooks.account_receive.through(event, hooks.account_receive.of[SHARED])
                if verdict is not None and (verdict is STOP or await verdict is STOP):
                    return []
            except StanzaError:
                return list(readers)
            stanza = event.stanza
        here, returning, missed = home.sessions.by_jid.get, home.returning.accounts, []
        looks, looks_at_each = hooks.account_receive.of, hooks.session_receive.of
        for to in readers:
            try:
                session = here(to)
                if session is None or looks[kind] or looks_at_each[stanza.kind] or returning:
                    waiting = self._take_copy(stanza.addressed(to), session, kind)
                else:
                    waiting = session.door.send_copy(stanza, to)
                if waiting is not None:
                    await waiting
            except StanzaError:
                missed.append(to)
            except Exception:
                log.exception("a copy of %r did not reach %s", stanza, to)
        return missed

    def _take_copy(self, copy: Stanza, session: Session | None, kind: str) -> Awaitable[object] | None:
        event, chain = Event(copy), self._home.hooks.account_receive
        if session is None or self._home.returning.accounts:
            return self._home.begin(event)
        verdict = chain.through(event, chain.of[kind])
        if verdict is None:
            return session.offer(event.stanza)
        return None if verdict is STOP else self._copy_taken(event, session, verdict)

    async def _copy_taken(self, event: Event, session: Session, verdict: Awaitable[Verdict]) -> None:
        if await verdict is not STOP and (waiting := session.offer(event.stanza)) is not None:
            await waiting
