"""Runs a server in the foreground until a signal stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from xmppd.config import Config, ConfigError
from xmppd.routing.hooks import ConfigReloaded
from xmppd.server import Server
from xmppd.server_commands.checking import read
from xmppd.server_commands.running import PartlyInForce

from .logs import log_to_stderr, set_level

log = logging.getLogger("xmppd")

T = TypeVar("T")
Ready = Callable[[Server], Awaitable[None]]


async def print_ready(server: Server) -> None:
    """The line that scripts wait for."""
    doors = ", ".join(door.description for door in server.doors)
    print(f"ready: {doors or 'no doors'}", flush=True)


def serve(config: Config, ready: Ready = print_ready) -> None:
    """Start, call `ready`, serve until SIGTERM, SIGINT or the command `stop`; SIGHUP reads the configuration again."""
    log_to_stderr(config.loglevel)
    _allow_many_files()
    run(_serve(config, ready))


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where it is installed: it holds a TLS session in a tenth of the memory."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def _serve(config: Config, ready: Ready) -> None:
    async with Server(config) as server:
        signals = Signals(server)
        _tune_garbage_collection()
        await ready(server)
        _notify("READY=1")
        await server.run_until_stopped()
        _notify("STOPPING=1")
        signals.ignore_reloads()
    log.info("stopped")


class Signals:
    """What the process's signals do to the server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reloading: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        next(iter(server.hosts.values())).hooks.config_reloaded.add(self._set_level)

    def ignore_reloads(self) -> None:
        """The server is going down."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: None)

    def _reload(self) -> None:
        task = asyncio.create_task(self._read_again())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _read_again(self) -> None:
        file = self._server.config.file
        try:
            changes = await self._server.reload(read(file)) if file else []
        except ConfigError as error:
            part = isinstance(error, PartlyInForce)
            effect = "is in force in part only" if part else "stays as it was"
            for problem in error.problems:
                log.error("the configuration %s: %s", effect, problem)
        except Exception:
            log.exception("the configuration may be in force in part only; restart the server to be sure")
        else:
            for change in changes or ["nothing has changed"]:
                log.info("configuration: %s", change)

    def _set_level(self, event: ConfigReloaded) -> None:
        set_level(self._server.config.loglevel)


def _tune_garbage_collection() -> None:
    """What is there now stays: it need not be looked at again. The rest goes by itself, cycles are rare and small.

    With Python's own figures a fifth of each login went into looking for garbage that is not there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _allow_many_files() -> None:
    """A connection is an open file; take as many as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _notify(state: str) -> None:
    """Tell systemd, where it has started us (Type=notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice:
            notice.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            notice.sendall(state.encode())
