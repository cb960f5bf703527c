"""RFC 6121 4: presence goes from a resource to those who may see it, and back on a probe."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Container, Iterable
from typing import Any, Final

from xmppd.api import (
    DELIVER,
    STOP,
    Event,
    Host,
    Module,
    ModuleOptions,
    PresenceChanged,
    Session,
    Verdict,
    hook,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CLIENT
from xmppd.xmpp.stanza import Stanza

PRIORITY: Final = f"{CLIENT} priority"
BYTE: Final = re.compile("[+-]?[0-9]{1,3}")


class Presence(Module):
    """Broadcasts, probes and directed presence."""

    depends = {"roster"}

    class Options(ModuleOptions):
        """What the administrator can choose."""

        max_directed: int = option(
            1000,
            "Addresses one session has sent directed presence to: rooms and gateways; `resource-constraint`.",
            least=1,
        )

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._route = host.house.router.route
        self._copies = host.hooks.presence_send

    async def start(self) -> None:
        """Rosters say who sees whom."""
        self._rosters = self.use("roster")

    # To everybody who may see it

    @hook.session_presence
    async def change(self, event: Event) -> None:
        """A session's presence without `to`: initial (4.2), another (4.4), or the last (4.5)."""
        session = event.origin
        if session is None:
            return
        if event.stanza.type == "unavailable":
            await self._leave(session, event.stanza)
        elif event.stanza.type == "":
            await self._appear(session, event.stanza)

    async def _appear(self, session: Session, stanza: Stanza) -> None:
        if self._gone(session):
            return
        session.priority = priority(stanza)
        before = session.presence is not None
        # A copy: what was opened and encoded on the way need not stay in memory as long as the session is online.
        session.presence = stanza.replace()
        roster, here = await self._roster(session), self._here
        await self._send(session, stanza, roster.watchers_but(*here))
        await self._send(session, stanza, (session.jid.bare,))
        if self._gone(session):
            await self._take_back(session, roster.watchers_but(*here))
            return
        if not before:
            await self._show_others(session)
            await self._probe(session, roster.watched_but(*here))
        await self.host.hooks.presence_changed.tell(PresenceChanged(session, before, True, stanza))

    def _gone(self, session: Session) -> bool:
        """Whether it was closed while its own presence waited for something."""
        return session not in self.host.sessions.of(session.jid.bare)

    async def _take_back(self, session: Session, watchers: Iterable[str]) -> None:
        """Its last presence may have been overtaken by this one, which would then stay for good."""
        session.presence = None
        if self.host.sessions.find(session.jid) is None:
            stanza = Stanza("presence", None, session.jid, "unavailable")
            await self._send(session, stanza, (*watchers, session.jid.bare))

    async def _leave(self, session: Session, stanza: Stanza) -> None:
        before = session.presence is not None
        directed, session.directed = session.directed, None
        session.presence, session.priority = None, 0
        told: set[str] = {session.jid.bare}
        if before:
            roster = await self._roster(session)
            told.update(roster.watchers if directed else ())
            await self._send(session, stanza, roster.watchers_but(*self._here))
            await self._send(session, stanza, (session.jid.bare,))
            if session in self.host.sessions.of(session.jid.bare):
                await session.deliver(stanza.addressed(session.jid))
        if directed:
            await self._send(session, stanza, [to for to in directed if to.bare not in told])
        if before:
            await self.host.hooks.presence_changed.tell(PresenceChanged(session, True, False, stanza))

    async def _roster(self, session: Session) -> Any:
        account = session.jid.bare
        return self._rosters.known(account) or await self._rosters.get(account)

    async def _send(self, session: Session, stanza: Stanza, contacts: Iterable[str]) -> None:
        """One copy to each contact. This is the busiest loop of a server."""
        for contact in contacts:
            try:
                to = JID.parse(contact)
            except StanzaError as error:
                self.log.warning("%s has a contact that can be reached no more: %s", session.jid, error.text)
                continue
            try:
                if (waiting := self._send_one(session, stanza, to)) is not None:
                    await waiting
            except StanzaError as error:
                await self.host.house.router.refuse(Event(stanza.addressed(to), session), error)
            except Exception:
                self.log.exception("presence of %s did not reach %s", session.jid, contact)

    def _send_one(self, session: Session, stanza: Stanza, to: JID) -> Awaitable[object] | None:
        """Send a copy; what is left to wait for, if anything is. `StanzaError` where it is refused."""
        here = to.domain == self.host.name
        if here and to.local and not (to.resource or self._copies.of["presence"]):
            return self.host.copies.show(stanza, to, session)
        event = Event(stanza.addressed(to), session)
        verdict = self._copies.begin(event)
        if verdict is not None:
            return None if verdict is STOP else self._send_later(event, verdict)
        return self.host.begin(event) if here else self._route(event)

    async def _send_later(self, event: Event, verdict: Awaitable[Verdict]) -> None:
        if await verdict is not STOP:
            await self._route(event)

    @property
    def _here(self) -> tuple[str, Container[str]]:
        """What an account of this host ends in, and who of them has a session: nobody else of them can be reached."""
        return f"@{self.host.name}", self.host.sessions.present

    async def _show_others(self, session: Session) -> None:
        """A new resource learns of those that its account has online (4.2.2)."""
        for other in self.host.sessions.of(session.jid.bare):
            if other is not session and other.presence is not None:
                await session.deliver(other.presence.replace(to=session.jid))

    # Probes

    async def _probe(self, session: Session, contacts: Iterable[str]) -> None:
        """Ask for the presence of contacts (4.3.1). Whoever has no session here has none to tell, and is not asked."""
        for contact in contacts:
            await self._route(Event(Stanza("presence", JID.parse(contact), session.jid, "probe"), session))

    @hook.account_subscription
    async def answer(self, event: Event) -> None:
        """A probe comes to an account, or to one of its resources (4.3.2)."""
        probe = event.stanza
        if probe.type != "probe" or probe.to is None or probe.sender is None:
            return
        account, watcher = probe.to.bare, probe.sender
        if not await self._rosters.sees(account, watcher):
            await self.send(Stanza("presence", watcher.bare, account, "unsubscribed"))
            return
        found = [
            session
            for session in self.host.sessions.of(account)
            if session.presence is not None and (not probe.to.resource or session.jid == probe.to)
        ]
        for session in found:
            assert session.presence is not None
            await self._answer(session.presence.replace(to=watcher))
        if not found:
            await self.send(Stanza("presence", watcher, probe.to, "unavailable"))

    async def _answer(self, answer: Stanza) -> None:
        event = Event(answer)
        if not self._copies.of["presence"] or await self._copies.run(event) is not STOP:
            await self._route(event)

    # To one address alone

    @hook.session_send.at(DELIVER, "presence")
    def direct(self, event: Event) -> Verdict:
        """Directed presence is remembered: who got it is told when the session becomes unavailable (4.6.3)."""
        stanza = event.stanza
        if stanza.kind != "presence" or stanza.to is None or event.origin is None:
            return None
        if stanza.type == "":
            self._remember(event.origin, stanza.to)
        elif stanza.type == "unavailable" and event.origin.directed:
            event.origin.directed.discard(stanza.to)
        return None

    def _remember(self, session: Session, to: JID) -> None:
        if session.directed is None:
            session.directed = set()
        if to not in session.directed and len(session.directed) >= self.options.max_directed:
            raise StanzaError(
                "resource-constraint", f"directed presence to {self.options.max_directed} addresses at most"
            )
        session.directed.add(to)


def priority(stanza: Stanza) -> int:
    """The priority of a presence (4.7.2.3); `bad-request` for what is no number from -128 to 127."""
    if PRIORITY not in stanza.names:
        return 0
    text = stanza.text("priority").strip()
    if not BYTE.fullmatch(text) or not -128 <= int(text) <= 127:
        raise StanzaError("bad-request", "a priority is a number from -128 to 127")
    return int(text)
