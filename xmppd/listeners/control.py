"""The control socket: admin commands over a Unix socket, one JSON value a line.

    -> {"command": "import", "arguments": ["accounts.xml"], "host": null, "folder": "/home/me"}
    <- {"progress": [256, 10000]}        none or many
    <- {"result": ...}  or  {"error": "a sentence for the administrator"}

Whoever may open the socket may do everything: it is its owner's alone (0600).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any, Final

from xmppd.commands import CommandError, Commands

log = logging.getLogger(__name__)

CONNECTIONS: Final = 32  # at once; scripts that call xmppctl in parallel need a few


class Control:
    """The server's end of the control socket. `limit` is the longest line in bytes."""

    def __init__(self, path: Path, commands: Commands, limit: int = 1 << 20) -> None:
        self.path = path
        self.description = f"control {path}"
        self._commands = commands
        self._limit = limit
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. `OSError(EADDRINUSE)` where another server of this data folder is running."""
        bound = _bind(self.path)
        self._server = await asyncio.start_unix_server(self._connected, sock=bound, limit=self._limit)

    async def close(self) -> None:
        """Stop listening, end commands that still run, remove the socket. A second call does nothing."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.path.unlink(missing_ok=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= CONNECTIONS:
            _write(writer, {"error": f"{CONNECTIONS} commands run already; try again later"})
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._converse(reader, writer)
        except asyncio.CancelledError:
            log.info("a control connection was ended")  # asyncio's streams would report a cancelled task as an error
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer lines until the client leaves. A client that leaves early does not stop its command."""
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    line = await reader.readline()
                except ValueError:
                    _write(writer, {"error": f"the line is longer than {self._limit} bytes"})
                    return
                if not line:
                    return
                _write(writer, await self._answer(line, writer))
                await writer.drain()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> dict[str, object]:
        try:
            request = _request(line)
            log.info("command %s", request["command"])  # its arguments may be passwords
            result = await self._commands.call(
                request["command"],
                request.get("arguments", []),
                host=request.get("host"),
                folder=Path(request.get("folder") or "/"),
                progress=lambda done, total: _write(writer, {"progress": [done, total]}),
            )
            return {"result": result}
        except CommandError as error:
            return {"error": str(error)}
        except Exception:
            log.exception("a command failed")
            return {"error": "the server made a mistake; its log says where"}


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        request = None
    if not isinstance(request, dict) or not isinstance(request.get("command"), str):
        raise CommandError('a request is a line like {"command": "status", "arguments": []}')
    if not isinstance(request.get("arguments", []), list | dict):
        raise CommandError("arguments must be a list, or an object of names and values")
    if not all(isinstance(request.get(name), str | None) for name in ("host", "folder")):
        raise CommandError("host and folder must be texts")
    return request


def _write(writer: asyncio.StreamWriter, reply: dict[str, object]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(reply, default=str).encode() + b"\n")


def check_free(path: Path) -> None:
    """`OSError(EADDRINUSE)` where another server of this data folder is running."""
    if _answers(path):
        raise OSError(errno.EADDRINUSE, "another server runs on this data_dir; stop it first", str(path))


def _bind(path: Path) -> socket.socket:
    """A socket file of mode 0600; a dead one left by a crash is replaced."""
    check_free(path)
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise OSError(error.errno or errno.EINVAL, f"{error}; choose another data_dir", str(path)) from None
    finally:
        os.umask(mask)
    return bound


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
