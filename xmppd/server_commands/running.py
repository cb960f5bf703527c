"""What the server's commands need of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from xmppd.clock import Clock
from xmppd.commands import CommandError
from xmppd.config import Config, ConfigError
from xmppd.host import Host
from xmppd.routing.router import Router
from xmppd.xmpp.jid import JID


class Door(Protocol):
    """A bound port."""

    @property
    def description(self) -> str:
        """What it is, for people."""


class PartlyInForce(ConfigError):
    """What was wrong with a configuration was seen only after some of it had changed."""


class Running(Protocol):
    """A server, as far as its commands go."""

    config: Config
    clock: Clock
    router: Router

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts by name."""

    @property
    def doors(self) -> Sequence[Door]:
        """The bound ports."""

    def stop(self) -> None:
        """End the server."""

    async def reload(self, config: Config) -> list[str]:
        """Take another configuration; a line for each thing that changed or waits for a restart.

        `ConfigError` where all stays as it was, `PartlyInForce` where it does not.
        """


class Aspect:
    """Some commands that belong together."""

    def __init__(self, server: Running) -> None:
        self.server = server

    def host(self, name: str) -> Host:
        """A host of ours; `CommandError` names those there are."""
        host = self.server.hosts.get(name) or self.server.hosts.get(JID.parse(name).domain)
        if host is None:
            served = ", ".join(self.server.hosts)
            raise CommandError(f"{name} is not served here; hosts: {served}")
        return host
