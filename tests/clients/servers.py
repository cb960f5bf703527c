"""Starts the server under test as a process: ours, or Prosody to check the drivers themselves."""

import contextlib
import itertools
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import yaml

import xmppd

from .certificates import Certificates

START_SECONDS = 30.0
"""How long a server may take to open its doors on a busy machine."""


@dataclass(frozen=True)
class Doors:
    """The ports of one server, all on 127.0.0.1."""

    starttls: int
    direct_tls: int


class Server(ABC):
    """One server process for one host, with its own folder."""

    def __init__(self, host: str, folder: Path, certificates: Certificates) -> None:
        self.host = host
        self.folder = folder
        self.certificates = certificates
        self.doors = Doors(*free_ports(2))
        self._process: subprocess.Popen[str] | None = None
        self._numbers = itertools.count(1)

    @abstractmethod
    def start(self) -> None:
        """Start the process and return once it accepts connections. Raises RuntimeError with its log otherwise."""

    @abstractmethod
    def register(self, user: str, password: str) -> None:
        """Make an account."""

    @property
    def log(self) -> Path:
        """The file that takes what the server prints."""
        return self.folder / "server.log"

    def next_number(self) -> int:
        """A number that no other account of this server has."""
        return next(self._numbers)

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _failed(self, why: str) -> RuntimeError:
        self.stop()
        return RuntimeError(f"{type(self).__name__} {why}; its log:\n{self.log.read_text()}")


class Xmppd(Server):
    """This project's server, started as its users start it."""

    def start(self) -> None:
        """Run `xmppd run` and wait for the line that begins with "ready"."""
        self._config.write_text(yaml.safe_dump(self._settings()))
        command = [sys.executable, "-m", "xmppd", "run", "-c", str(self._config)]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        if not _line_beginning("ready", self._process.stdout):
            raise self._failed("did not print its ready line")

    def register(self, user: str, password: str) -> None:
        """Make an account with `xmppctl register`."""
        program = Path(sys.executable).with_name("xmppctl")
        command = [str(program), "-c", str(self._config), "register", user, self.host, password]
        result = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if result.returncode:
            raise self._failed(f"refused to register {user}: {result.stdout}{result.stderr}")

    @property
    def _config(self) -> Path:
        return self.folder / "xmppd.yml"

    def _settings(self) -> dict[str, object]:
        return {
            "hosts": [self.host],
            "data_dir": str(self.folder),
            "certfiles": [str(self.certificates.bundle)],
            "loglevel": "debug",
            # Every client comes from one address, and each mistypes its password on purpose.
            "limits": {"max_failures_per_address": 10_000},
            "listen": [
                {"ip": "127.0.0.1", "port": self.doors.starttls, "module": "c2s", "starttls": "required"},
                {"ip": "127.0.0.1", "port": self.doors.direct_tls, "module": "c2s", "tls": True},
            ],
            "modules": _demo_modules(),
        }


class Prosody(Server):
    """Debian's Prosody, so that a driver can be told from a server when a test fails."""

    def start(self) -> None:
        """Run Prosody in the foreground and wait until it accepts connections."""
        self._config.write_text(self._settings())
        command = [str(shutil.which("prosody")), "--config", str(self._config), "-F"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
        deadline = time.monotonic() + START_SECONDS
        while not all(_accepts(port) for port in (self.doors.starttls, self.doors.direct_tls)):
            if time.monotonic() > deadline:
                raise self._failed("did not open its doors")
            time.sleep(0.05)

    def register(self, user: str, password: str) -> None:
        """Make an account with `prosodyctl register`."""
        command = ["prosodyctl", "--config", str(self._config), "register", user, self.host, password]
        subprocess.run(command, capture_output=True, timeout=START_SECONDS, check=True)

    @property
    def _config(self) -> Path:
        return self.folder / "prosody.cfg.lua"

    def _settings(self) -> str:
        return f"""
run_as_root = true
daemonize = false
data_path = "{self.folder}"
pidfile = "{self.folder}/prosody.pid"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.doors.starttls} }}
c2s_direct_tls_ports = {{ {self.doors.direct_tls} }}
c2s_require_encryption = true
c2s_direct_tls_ssl = {{ certificate = "{self.certificates.certificate}"; key = "{self.certificates.key}" }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "register", "private", "vcard_legacy", "offline" }}
modules_disabled = {{ "s2s" }}
allow_registration = true
authentication = "internal_hashed"
log = {{ debug = "{self.log}" }}
VirtualHost "{self.host}"
ssl = {{ certificate = "{self.certificates.certificate}"; key = "{self.certificates.key}" }}
Component "conference.{self.host}" "muc"
"""


def _demo_modules() -> object:
    """The modules of the server that `make run` starts."""
    demo = Path(xmppd.__file__).parent / "cli" / "demo.yml"
    return yaml.safe_load(demo.read_text())["modules"]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has bound at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def chosen() -> type[Server]:
    """The server to test: ours, unless XMPPD_CLIENT_PEER names Prosody."""
    peers: dict[str, type[Server]] = {"xmppd": Xmppd, "prosody": Prosody}
    return peers[os.environ.get("XMPPD_CLIENT_PEER", "xmppd")]


def _line_beginning(words: str, stream: IO[str]) -> bool:
    """Read on a thread, for ever, so that the server never blocks on a full pipe; say if the line came in time."""
    seen: queue.Queue[bool] = queue.Queue()

    def read() -> None:
        for line in stream:
            if words in line:
                seen.put(True)
        seen.put(False)

    threading.Thread(target=read, daemon=True).start()
    try:
        return seen.get(timeout=START_SECONDS)
    except queue.Empty:
        return False
