"""Commands about who is online."""

from __future__ import annotations

from collections.abc import Iterator

from xmppd.api.declare import command
from xmppd.commands import CommandError
from xmppd.listeners.components import Component
from xmppd.routing.sessions import Session
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID

from .running import Aspect


class SessionCommands(Aspect):
    """Sessions on every host."""

    @command("connected_users", "List all sessions", "session")
    async def connected_users(self) -> list[str]:
        """Full addresses."""
        return sorted(session.jid for session in self._all())

    @command("connected_users_number", "Count all sessions", "session")
    async def connected_users_number(self) -> int:
        """On every host."""
        return sum(len(host.sessions) for host in self.server.hosts.values())

    @command("connected_users_vhost", "List the sessions of a host", "session")
    async def connected_users_vhost(self, host: str) -> list[str]:
        """Full addresses."""
        return sorted(session.jid for session in self.host(host).sessions)

    @command("connected_users_info", "List all sessions and what is known of each", "session")
    async def connected_users_info(self) -> list[dict[str, object]]:
        """A row for each."""
        return [self._row(session) for session in sorted(self._all(), key=lambda each: each.jid)]

    @command("user_sessions_info", "List the sessions of an account and what is known of each", "session")
    async def user_sessions_info(self, account: JID) -> list[dict[str, object]]:
        """A row for each, the oldest first."""
        return [self._row(session) for session in self.host(account.domain).sessions.of(account)]

    @command("user_resources", "List the resources an account is connected with", "session")
    async def user_resources(self, account: JID) -> list[str]:
        """The oldest first."""
        return [session.jid.resource for session in self.host(account.domain).sessions.of(account)]

    @command("connected_components", "List the external components that are connected", "session")
    async def connected_components(self) -> list[dict[str, object]]:
        """A row for each (XEP-0114)."""
        return [
            {"jid": domain.jid, "uptime": int(self.server.clock.time() - link.since), **link.describe()}
            for _, domain in sorted(self.server.router.domains.items())
            if isinstance(domain, Component) and (link := domain.connection) is not None
        ]

    @command("kick_user", "End all sessions of an account; the result is how many", "session")
    async def kick_user(self, account: JID) -> int:
        """They may come back at once; to keep them out, change the password first."""
        sessions = self.host(account.domain).sessions.of(account)
        for session in sessions:
            await self._kick(session, "")
        return len(sessions)

    @command("kick_session", "End one session", "session")
    async def kick_session(self, account: JID, resource: str, reason: str = "") -> None:
        """The reason is shown to the user."""
        session = self.host(account.domain).sessions.find(account.with_resource(resource))
        if session is None:
            raise CommandError(f"{account}/{resource} is not connected; `connected_users` lists who is")
        await self._kick(session, reason)

    async def _kick(self, session: Session, reason: str) -> None:
        reason = reason or "ended by the administrator"
        session.door.close(StreamError("policy-violation", reason))
        await self.host(session.jid.domain).close_session(session, reason)

    def _all(self) -> Iterator[Session]:
        for host in self.server.hosts.values():
            yield from host.sessions

    def _row(self, session: Session) -> dict[str, object]:
        return {
            "jid": session.jid,
            "resource": session.jid.resource,
            "priority": session.priority,
            "status": _status(session),
            "uptime": int(self.server.clock.time() - session.since),
            "client": session.client,
            **session.door.describe(),
        }


def _status(session: Session) -> str:
    """`unavailable`, `available`, or what `<show/>` says (RFC 6121 4.7.2.1)."""
    if session.presence is None:
        return "unavailable"
    return session.presence.text("show") or "available"
