"""XEP-0045: rooms, on a domain of their own."""

from __future__ import annotations

from xmppd.api import Event, Host, Module, ModuleOptions, option

from .aspect import Aspect, Request, Take


class Muc(Module):
    """Rooms. `handle` finds the room of a stanza and gives it to the aspect it concerns."""

    class Options(ModuleOptions):
        """What the administrator can choose."""

        host: str = option("conference.@HOST@", "The domain of the rooms; @HOST@ is the host's name")

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.domain = self.options.host.replace("@HOST@", host.name)
        self.requests: dict[tuple[str, str], Request] = {}
        self.messages: dict[str, Take] = {}

    def add(self, aspect: Aspect) -> None:
        """Take what an aspect answers; called for each of them in `__init__`."""
        self.requests.update(aspect.requests())
        self.messages.update(aspect.messages())

    def serves(self) -> str:
        """The rooms' domain."""
        return self.domain

    async def handle(self, event: Event) -> None:
        """A stanza to the service, to a room or to an occupant."""
