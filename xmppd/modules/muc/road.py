"""The way from a room to real addresses: the busiest loop of all, which goes to each domain itself."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from xmppd.api import Event, Host, Router
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .room import Room

DOMAIN: Final = attrgetter("domain")


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
        for name, here in _by_domain(list(readers)):
            host = self._hosts.get(name)
            if host is not None:
                missed = await host.copies.spread(stanza, here)
                room.lost += [to for to in missed if host.sessions.find(to) is None]
            else:
                for to in here:
                    await self._router.route(Event(stanza.addressed(to)))

    async def hand_over(self, stanza: Stanza) -> None:
        """Send one stanza; `StanzaError` where it is refused on the way."""
        assert stanza.to is not None
        domain = self._router.domains.get(stanza.to.domain)
        await (self._router.route(Event(stanza)) if domain is None else domain.handle(Event(stanza)))


def _by_domain(readers: list[JID]) -> Iterable[tuple[str, list[JID]]]:
    """As a rule all are of one domain: that is seen without a loop."""
    domains = dict.fromkeys(map(DOMAIN, readers))
    if len(domains) < 2:
        return [(name, readers) for name in domains]
    return [(name, [to for to in readers if to.domain == name]) for name in domains]
