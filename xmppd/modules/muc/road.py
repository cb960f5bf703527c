"""The way from a room to real addresses: the busiest loop of all, which goes to each domain itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xmppd.api import Event, Host, Router
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .room import Room

log = logging.getLogger(__name__)


class Road:
    """Sends for all rooms of a service."""

    def __init__(self, host: Host) -> None:
        self._router: Router = host.house.router
        self._hosts = host.house.hosts

    async def send(self, room: Room, stanza: Stanza, readers: Iterable[JID]) -> None:
        """A copy to each of the readers. What they share is encoded once.

        Who has no session any more is noted in `room.lost`, and leaves when the room's turn ends. Who does not let it
        in stays: nobody is to fall out of a room because they keep somebody else's words away.
        """
        addressed, domains = stanza.addressed, self._router.domains
        for to in readers:
            try:
                domain = domains.get(to.domain)
                if domain is not None:
                    await domain.handle(Event(addressed(to)))
                else:
                    await self._router.route(Event(addressed(to)))
            except StanzaError:
                if self.is_gone(to):
                    room.lost.append(to)
            except Exception:
                log.exception("%s: a copy did not reach %s", room.jid, to)

    async def hand_over(self, stanza: Stanza) -> None:
        """Send one stanza; `StanzaError` where it is refused on the way."""
        assert stanza.to is not None
        domain = self._router.domains.get(stanza.to.domain)
        await (self._router.route(Event(stanza)) if domain is None else domain.handle(Event(stanza)))

    def is_gone(self, to: JID) -> bool:
        """Whether an address is a resource of a host of ours that has no session."""
        host = self._hosts.get(to.domain)
        return host is not None and bool(to.resource) and host.sessions.find(to) is None
