"""A server that is no XMPP server: on a port of its own, pinned to the server's core."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.cpu import SERVER_CORE
from tests.bench.peer import free_port

_START_SECONDS = 60.0


class Process:
    """`user` is whom it runs as; None for who runs the bench."""

    def __init__(self, folder: Path, user: str | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "start the server first"
        return self._process.pid

    def start(self, command: Sequence[str]) -> None:
        """Start it and wait until it accepts connections. RuntimeError where it does not."""
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, user=self._user,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{command[0]} did not start: {(self.folder / 'output.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
