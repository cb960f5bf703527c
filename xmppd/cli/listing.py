"""Which commands there are, told without a running server: from what the server and the modules declare."""

from __future__ import annotations

from collections.abc import Iterable

from xmppd.api.declare import CommandMark
from xmppd.api.loader import bundled, find, marks
from xmppd.commands import Command, Commands, describe
from xmppd.config import Config, ConfigError
from xmppd.server_commands import declared


def declared_commands(config: Config | None) -> Commands:
    """The server's own commands and those of the configured modules; of all bundled ones without a configuration."""
    commands = Commands()
    for command in declared():
        commands.add(command)
    hosts = config.hosts if config else ()
    names = dict.fromkeys(name for host in hosts for name in config.of_host(host).modules) if config else bundled()
    for command in _of_modules(names):
        if command.name not in commands.names():
            commands.add(command)
    return commands


def _of_modules(names: Iterable[str]) -> Iterable[Command]:
    for name in names:
        try:
            kind = find(name)
        except (ConfigError, ImportError):  # `xmppd check` tells of it; a list of commands need not fail
            continue
        for method, mark in marks(kind):
            if isinstance(mark, CommandMark):
                yield describe(getattr(kind, method), mark.name, mark.doc, mark.tags)
