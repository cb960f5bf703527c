"""The admin commands of the server itself; each module adds its own. Names and arguments are ejabberd's."""

from __future__ import annotations

from collections.abc import Iterator

from xmppd.api.declare import CommandMark
from xmppd.commands import Command, describe

from .accounts import AccountCommands
from .importing import ImportCommands
from .running import Aspect, Running
from .server import RunningCommands
from .sessions import SessionCommands

__all__ = ["Running", "declared", "server_commands"]

ASPECTS: tuple[type[Aspect], ...] = (AccountCommands, SessionCommands, RunningCommands, ImportCommands)


def server_commands(server: Running) -> list[Command]:
    """The commands, ready to be added to the server's table."""
    return [command for aspect in ASPECTS for command in described(aspect(server))]


def declared() -> list[Command]:
    """The same without a server: to be listed, not called."""
    return [command for aspect in ASPECTS for command in described(aspect)]


def described(owner: object) -> Iterator[Command]:
    """The commands that a class, or its instance, declares with `@command`."""
    for name in dir(owner):
        method = getattr(owner, name)
        for mark in getattr(method, "__marks__", ()):
            if isinstance(mark, CommandMark):
                yield describe(method, mark.name, mark.doc, mark.tags)
