"""Commands about the server as a whole."""

from __future__ import annotations

import logging
from typing import Final, get_args

from xmppd import __version__
from xmppd.api.declare import command
from xmppd.commands import CommandError
from xmppd.config import ConfigError, LogLevel

from .checking import read
from .running import Aspect, PartlyInForce, Running

LEVELS: Final = get_args(LogLevel)


class RunningCommands(Aspect):
    """The process: its state, its end, its configuration."""

    def __init__(self, server: Running) -> None:
        super().__init__(server)
        self._started = server.clock.monotonic()

    @command("status", "Say whether the server runs, and how it does", "server")
    async def status(self) -> dict[str, object]:
        """Times in seconds."""
        server = self.server
        return {
            "status": "started",
            "version": __version__,
            "uptime": int(server.clock.monotonic() - self._started),
            "hosts": list(server.hosts),
            "doors": [door.description for door in server.doors],
            "sessions": sum(len(host.sessions) for host in server.hosts.values()),
        }

    @command("stop", "Stop the server", "server")
    async def stop(self) -> str:
        """Sessions are told; what is owed is written first."""
        self.server.stop()
        return "the server is stopping"

    @command("reload_config", "Read the configuration file again", "server", "config")
    async def reload_config(self) -> list[str]:
        """A line for each thing that changed, and each that waits for a restart."""
        file = self.server.config.file
        if file is None:
            raise CommandError("this server's configuration is no file; give Server.reload another Config")
        try:
            return await self.server.reload(read(file)) or ["nothing has changed"]
        except ConfigError as error:
            part = isinstance(error, PartlyInForce)
            effect = "is in force in part only; correct it and reload" if part else "is wrong, so all stays as it was"
            raise CommandError("\n  ".join([f"{file} {effect}:", *error.problems])) from None

    @command("set_loglevel", "Log more or less until the next start", "logs")
    async def set_loglevel(self, level: str) -> None:
        """For the whole process."""
        if level not in LEVELS:
            raise CommandError(f"there is no level {level!r}; levels are {', '.join(LEVELS)}")
        logging.getLogger("xmppd").setLevel(level.upper())

    @command("modules_installed", "List the modules of each host", "modules")
    async def modules_installed(self) -> list[dict[str, object]]:
        """A row for each, in the order they were started."""
        return [
            {"host": host.name, "module": name} for host in self.server.hosts.values() for name in list(host.modules)
        ]
