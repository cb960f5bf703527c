"""A server under measurement: how it is installed, filled with accounts, started and stopped."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tests.bench.accounts import Account
from tests.bench.cpu import SERVER_CORE
from tests.bench.web import BoshWire, WebSocketWire
from tests.bench.wire import Wire

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class Peer(ABC):
    """One server with a folder of its own, on loopback, pinned to the server's core."""

    name: ClassVar[str]
    title: ClassVar[str]
    place: ClassVar[int]
    program: ClassVar[str]
    speaks_xmpp: ClassVar[bool] = True
    speaks_web: ClassVar[bool] = True
    archive: ClassVar[Sequence[tuple[str, str]]] = ()
    """Texts of the configuration without archives of messages, and what stands there with them."""
    paths: ClassVar[dict[str, str]] = {"bosh": "/http-bind", "websocket": "/xmpp-websocket"}

    def __init__(self, folder: Path, certificate: Path, key: Path) -> None:
        self.folder = folder
        self.certificate = certificate
        self.key = key
        self.port = free_port()
        self.web_port = free_port()
        self.secure_web_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def missing(cls) -> str | None:
        """Why this server cannot be measured here; None if it can."""
        return None if shutil.which(cls.program) else f"{cls.program} is not installed"

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """As shown in the table's head."""

    @abstractmethod
    def provision(self, accounts: Sequence[Account]) -> None:
        """Write the configuration and make `accounts` with their rosters; the server is not running."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that runs the server in the foreground."""

    def environment(self) -> dict[str, str]:
        """What the command finds in its environment."""
        return dict(os.environ)

    @property
    def pid(self) -> int:
        assert self._process is not None, "start the server first"
        return self._process.pid

    @property
    def configuration(self) -> Path:
        """The file that `archive` speaks of."""
        return self.folder / "configuration"

    def keep_archives(self, on: bool) -> None:
        """Archive all messages from the next start on, or none."""
        for without, with_ in self.archive:
            text = self.configuration.read_text().replace(with_, without)
            self.configuration.write_text(text.replace(without, with_) if on else text)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        log = (self.folder / "output.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                self.command(), env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, preexec_fn=_settle_in, start_new_session=True,
            )  # fmt: skip
        self._await_port()

    def stop(self) -> None:
        """End the server and everything it started."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def connect(self) -> Wire:
        """A connection on which nothing was said yet."""
        return Wire(self.port)

    def login(self, name: str, *, tls: bool = False, available: bool = True) -> Wire:
        """A session of `name`; `available` sends initial presence and fetches the roster."""
        wire = self.connect()
        wire.login(name, tls=tls)
        if available:
            wire.appear()
        return wire

    def browse(self, name: str, kind: Literal["bosh", "websocket"]) -> Wire:
        """An available session of `name` as a browser has it."""
        make = BoshWire if kind == "bosh" else WebSocketWire
        wire = make(self.web_port, self.paths[kind])
        wire.login(name)
        wire.appear()
        return wire

    def _await_port(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                for port in (self.port, self.web_port)[: 1 + self.speaks_web]:
                    socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise RuntimeError(f"{self.name} did not start; read {self.folder / 'output.log'}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _settle_in() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
