"""Servers with rooms, each a process of its own in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from string import Template
from typing import ClassVar

import yaml

from tests.clients.servers import free_ports

HOST = "localhost"
ROOMS = f"conference.{HOST}"
COMPONENT = f"bus.{HOST}"
START_SECONDS = 120.0
SECRET = "a secret of the component"  # noqa: S105
_PROSODY = Template("""
run_as_root = true
daemonize = false
data_path = "$folder/data"
pidfile = "$folder/prosody.pid"
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_direct_tls_ports = { }
s2s_ports = { }
component_ports = { $component }
component_interfaces = { "127.0.0.1" }
modules_enabled = { "disco"; "roster"; "saslauth"; "ping"; "posix" }
modules_disabled = { "s2s"; "tls" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
log = { { levels = { min = "$level" }; to = "file"; filename = "$folder/server.log" } }
VirtualHost "localhost"
Component "conference.localhost" "muc"
    modules_enabled = { "muc_mam" }
    max_history_messages = 0
    muc_log_by_default = $archive
Component "bus.localhost"
    component_secret = "$secret"
""")
_EJABBERD = Template("""
hosts: [localhost]
loglevel: warning
log_rotate_size: infinity
auth_password_format: plain
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144}
  - port: $component
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts: {"bus.localhost": {password: "$secret"}}
access_rules: {c2s: {allow: all}}
api_permissions: {}
modules:
  mod_admin_extra: {}
  mod_disco: {}
  mod_mam: {}
  mod_muc: {default_room_options: {mam: $archive, persistent: true}}
""")
_ACCOUNTS = (
    'lists:foreach(fun(U) -> io:format("~p~n", [ejabberd_auth:try_register(list_to_binary(U), <<"localhost">>, '
    'list_to_binary(U))]) end, [{names}]), io:format("made~n"), init:stop().'
)


class Server(ABC):
    """One server. It may be killed and started again; its accounts' passwords are their names."""

    name: ClassVar[str]

    def __init__(self, folder: Path, *, archive: bool = True) -> None:
        self.folder = folder
        self.archive = archive
        self.port, self.component = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Why it cannot be started here, if it cannot."""

    @abstractmethod
    def provision(self, accounts: list[str]) -> None:
        """Write its settings and make the accounts; the server does not run."""

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it in the foreground."""

    @abstractmethod
    def forget_rooms(self) -> None:
        """Lose all rooms and their archives; the server does not run."""

    def environment(self) -> dict[str, str]:
        """For its process."""
        return dict(os.environ)

    def launch(self) -> None:
        """Start it."""
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), cwd=self.folder, env=self.environment(), stdout=log, stderr=log, stdin=subprocess.PIPE
            )

    async def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self.launch()
        assert self._process is not None
        async with asyncio.timeout(START_SECONDS):
            while not await accepts(self.port):
                assert self._process.poll() is None, (self.folder / "output.log").read_text()
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """As if the machine were switched off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None


class Prosody(Server):
    """From Debian's package."""

    name = "prosody"

    @classmethod
    def missing(cls) -> str | None:
        return None if shutil.which("prosody") else "prosody is not installed"

    def provision(self, accounts: list[str]) -> None:
        values = {"folder": self.folder, "port": self.port, "component": self.component, "secret": SECRET}
        text = _PROSODY.substitute(values, level="info", archive=str(self.archive).lower())
        (self.folder / "prosody.cfg.lua").write_text(text)
        kept = self.folder / "data" / HOST / "accounts"
        kept.mkdir(parents=True)
        for name in accounts:
            (kept / f"{name}.dat").write_text(f'return {{ ["password"] = "{name}"; }};\n')

    def command(self) -> list[str]:
        return ["prosody", "--config", str(self.folder / "prosody.cfg.lua"), "-F"]

    def forget_rooms(self) -> None:
        shutil.rmtree(self.folder / "data" / "conference%2elocalhost", ignore_errors=True)


class Ejabberd(Server):
    """From Debian's package."""

    name = "ejabberd"

    @classmethod
    def missing(cls) -> str | None:
        return None if os.path.exists("/usr/sbin/ejabberdctl") else "ejabberd is not installed"

    def provision(self, accounts: list[str]) -> None:
        values = {"port": self.port, "component": self.component, "secret": SECRET}
        (self.folder / "ejabberd.yml").write_text(_EJABBERD.substitute(values, archive=str(self.archive).lower()))
        made = _ACCOUNTS.replace("{names}", ", ".join(f'"{name}"' for name in accounts))
        done = subprocess.run(
            [*self.command(), "-eval", made], cwd=self.folder, env=self.environment(), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert "made" in done.stdout, done.stdout + done.stderr

    def command(self) -> list[str]:
        return ["erl", "-noinput", "+S", "1:1", "-mnesia", "dir", f'"{self.folder}/mnesia"', "-s", "ejabberd"]

    def forget_rooms(self) -> None:
        for path in [*(self.folder / "mnesia").glob("muc_*"), *(self.folder / "mnesia").glob("archive_*")]:
            path.unlink()

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "server.log"),
            "EJABBERD_PID_PATH": str(self.folder / "ejabberd.pid"),
            "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
            "ERL_CRASH_DUMP_BYTES": "0",
            "HOME": str(self.folder),
        }


class Xmppd(Server):
    """This project's own."""

    name = "xmppd"

    @classmethod
    def missing(cls) -> str | None:
        return None

    def provision(self, accounts: list[str]) -> None:
        modules = {"disco": {}, "ping": {}, "roster": {}, "presence": {}, "mam": {}, "muc": {"user_message_rate": 0}}
        settings = {
            "hosts": [HOST],
            "data_dir": str(self.folder / "data"),
            "loglevel": "warning",
            "limits": {"max_failures_per_address": 10_000, "max_connections_per_address": 1000},
            "listen": [{"ip": "127.0.0.1", "port": self.port, "module": "c2s", "starttls": "optional"}],
            "modules": modules,
        }
        self._config.write_text(yaml.safe_dump(settings))
        program = Path(sys.executable).with_name("xmppctl")
        for name in accounts:
            command = [program, "-c", self._config, "register", name, HOST, name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert not done.returncode, done.stdout + done.stderr

    def command(self) -> list[str]:
        return [sys.executable, "-m", "xmppd", "run", "-c", str(self._config)]

    def forget_rooms(self) -> None:
        with closing(sqlite3.connect(self.folder / "data" / "xmppd.sqlite")) as connection, connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                if table.partition("_")[0] in ("muc", "mam") and table != "mam_mark":
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608

    @property
    def _config(self) -> Path:
        return self.folder / "xmppd.yml"


SERVERS: dict[str, type[Server]] = {each.name: each for each in (Prosody, Ejabberd, Xmppd)}


@contextmanager
def started(server: Server) -> Iterator[None]:
    """A server that runs, without an event loop."""
    server.launch()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(server.port):
            assert time.monotonic() < deadline, (server.folder / "output.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        server.kill()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


async def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
