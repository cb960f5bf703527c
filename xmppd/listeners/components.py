"""A door for external components (XEP-0114), and the domains that they serve while they are connected."""

from __future__ import annotations

from typing import Final

from xmppd.config import ConfigError, Listener
from xmppd.host import Host, House
from xmppd.routing.event import Event
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from .component import ComponentConnection
from .listener import TCPListener
from .shared import Shared

MODULE: Final = "component"


class Component:
    """A domain of the router whose stanzas go to an external component.

    Nobody but one connection at a time serves it. While there is none, its senders hear `remote-server-timeout`, of
    type wait: the domain exists, and its component will be back. (`service-unavailable` would say that it never serves
    them; ejabberd, which forgets the domain meanwhile, tries to reach another server.)
    """

    def __init__(self, name: str, house: House) -> None:
        self.jid = JID.parse(name)
        self.connection: ComponentConnection | None = None
        self._house = house

    @property
    def host(self) -> Host | None:
        """The host that lists it in service discovery: the nearest one that it is a subdomain of."""
        above = [host for host in self._house.hosts.values() if self.jid.endswith(f".{host.name}")]
        return max(above, key=lambda host: len(host.name), default=None)

    async def handle(self, event: Event) -> None:
        """Take a stanza to this domain."""
        connection = self.connection
        if connection is None or connection.closing:
            raise StanzaError("remote-server-timeout", f"{self.jid} is not connected just now")
        connection.send(event.stanza)

    def attach(self, connection: ComponentConnection) -> bool:
        """Let a connection serve it; False where another one does, which then has to show that it is alive."""
        present = self.connection
        if present is not None and not present.closing:
            present.doubt()
            return False
        self.connection = connection
        if (host := self.host) is not None:
            host.domains[self.jid] = MODULE
        return True

    def detach(self, connection: ComponentConnection) -> None:
        """The connection serves it no more."""
        if self.connection is not connection:
            return
        self.connection = None
        if (host := self.host) is not None:
            host.domains.pop(self.jid, None)


class ComponentListener(TCPListener[ComponentConnection]):
    """Listens for components as one entry of `listen` says. A domain may have entries of several."""

    def __init__(self, options: Listener, shared: Shared) -> None:
        super().__init__(options, shared)
        self.secrets = {name: host.password for name, host in options.hosts.items()}
        self.components: dict[str, Component] = {}

    def connection(self) -> ComponentConnection:
        """A component that comes in."""
        return ComponentConnection(self)

    async def open(self) -> None:
        """Take the domains, then listen; `ConfigError` where one is served already, or the port is taken."""
        for name in self.secrets:
            self.components[name] = self._component(name)
        await super().open()

    def _component(self, name: str) -> Component:
        house = self.shared.house
        found = house.router.domains.get(name)
        if isinstance(found, Component):
            return found
        made = Component(name, house)
        try:
            house.router.add(name, made)
        except ValueError as error:
            raise ConfigError([f"listen: hosts.{name}: {error}"]) from None
        return made

    @property
    def description(self) -> str:
        """For the line that says the server is ready."""
        how = " (tls)" if self.options.tls else ""
        return f"component {self.options.ip}:{self.port}{how} for {', '.join(self.secrets)}"
