"""Which domain a stanza goes to, and the way back for an error."""

from __future__ import annotations

from typing import Protocol

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.stanza import Stanza

from .event import Event


class Domain(Protocol):
    """Whoever takes the stanzas of a domain: a virtual host, a module with a domain of its own, a component."""

    async def handle(self, event: Event) -> None:
        """Take a stanza to this domain; `StanzaError` refuses it."""


class Router:
    """The domains of this server."""

    def __init__(self) -> None:
        self.domains: dict[str, Domain] = {}

    def add(self, name: str, domain: Domain) -> None:
        """Serve a domain; each has one server."""
        if name in self.domains:
            raise ValueError(f"the domain {name} is served twice; give one of the two another name")
        self.domains[name] = domain

    def remove(self, name: str) -> None:
        """Serve it no more."""
        del self.domains[name]

    async def route(self, event: Event) -> None:
        """Send a stanza with `to` and `sender` on its road; whatever refuses it is answered to the sender."""
        stanza = event.stanza
        try:
            if stanza.flaw is not None:
                raise stanza.flaw
            if stanza.to is None:
                raise StanzaError("bad-request", "the stanza has no address to go to")
            domain = self.domains.get(stanza.to.domain)
            if domain is None:
                raise StanzaError("remote-server-not-found", f"{stanza.to.domain} is not served here")
            await domain.handle(event)
        except StanzaError as error:
            await self.refuse(event, error)

    async def send(self, stanza: Stanza) -> None:
        """Route what the server or a module says by itself."""
        await self.route(Event(stanza))

    async def refuse(self, event: Event, error: StanzaError) -> None:
        """Answer an error to the sender, unless that could go round in circles (RFC 6120 8.3.1)."""
        stanza = event.stanza
        if stanza.type in ("error", "result") or (
            stanza.kind == "presence" and stanza.type in ("unavailable", "probe")
        ):
            return
        reply = stanza.error(error)
        if event.origin is not None:
            if event.origin.overdue:
                await event.origin.settled()
            event.origin.reply(reply)
        elif stanza.sender is not None and stanza.sender != stanza.to:
            await self.route(Event(reply))
