"""Calls a command: of the running server over its control socket, or alone where none runs."""

from __future__ import annotations

import json
import os
import pwd
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xmppd.commands import STANDALONE, CommandError, Progress
from xmppd.config import Config


def call(config: Config, name: str, arguments: Sequence[str], host: str | None, progress: Progress) -> object:
    """The command's result; `CommandError` where it fails, or needs a server and none runs."""
    path = config.control_socket
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            request = {"command": name, "arguments": list(arguments), "host": host, "folder": str(Path.cwd())}
            return _converse(connection, request, progress)
    except PermissionError:
        raise CommandError(f"{path} is not yours; {_as_owner(config, name)}") from None
    except (FileNotFoundError, ConnectionRefusedError):
        return _alone(config, name, arguments, host, progress)


def _converse(connection: socket.socket, request: dict[str, Any], progress: Progress) -> object:
    with connection.makefile("rwb") as stream:
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        for line in stream:
            reply = json.loads(line)
            if "progress" not in reply:
                break
            progress(*reply["progress"])
        else:
            raise CommandError("the server went away before it answered; its log says why")
    if "error" in reply:
        raise CommandError(reply["error"])
    return reply["result"]


def _alone(config: Config, name: str, arguments: Sequence[str], host: str | None, progress: Progress) -> object:
    """Build the server without its doors, for this one command."""
    from .listing import declared_commands

    known = declared_commands(config)
    command = known.get(name)
    if STANDALONE not in command.tags:
        raise CommandError(f"no server runs on {config.data_dir}, and {name} needs one; start it with `xmppd run`")
    command.parse(arguments)
    if config.data_dir.exists() and config.data_dir.stat().st_uid != os.geteuid():
        raise CommandError(f"{config.data_dir} is not yours; {_as_owner(config, name)}")
    return _built(config, name, arguments, host, progress)


def _built(config: Config, name: str, arguments: Sequence[str], host: str | None, progress: Progress) -> object:
    from xmppd.server import Server

    from .serving import run

    async def called() -> object:
        async with Server(config, doors=False) as server:
            return await server.commands.call(name, arguments, host=host, folder=Path.cwd(), progress=progress)

    return run(called())


def _as_owner(config: Config, name: str) -> str:
    owner = pwd.getpwuid(config.data_dir.stat().st_uid).pw_name
    return f"call it as its owner: sudo -u {owner} xmppctl {name} ..."
