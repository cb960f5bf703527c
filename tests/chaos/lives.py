"""One data folder, and the server processes that live on it one after another."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from xmppd.config import Config
from xmppd.server import Server

PATIENCE: Final = 30.0  # seconds to start or to stop on a busy machine
ROOT: Final = Path(__file__).parents[2]
CONFIG: Final = """
hosts: [localhost]
data_dir: {folder}
loglevel: warning
listen: [{{port: {port}, ip: 127.0.0.1, module: c2s, starttls: none}}]
auth: {{scram_iterations: 4096}}
limits:
  resume_timeout: 4
  ack_timeout: 8
  max_detached_per_user: 20
  max_unauthenticated_per_address: 1000
  max_failures_per_address: 100000
modules: {{ping: {{}}, roster: {{}}, presence: {{}}, offline: {{max_user_messages: 1000000{offline}}}{more}}}
"""


class Lives:
    """Starts the server, kills it, starts it again."""

    def __init__(self, folder: Path, *, archive: bool) -> None:
        """Without an archive the offline store has whatever no client has acknowledged."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.data = folder / "kept"
        self.file = folder / "xmppd.yml"
        more = ", mam: {}, carbons: {}" if archive else ""
        offline = "" if archive else ", until_acknowledged: true"
        self.file.write_text(CONFIG.format(folder=self.data, port=self.port, offline=offline, more=more))
        self.log = folder / "log"
        self.number = 0
        self._process: asyncio.subprocess.Process | None = None

    async def prepare(self, names: Iterable[str]) -> None:
        """Make the accounts."""
        config = Config.from_dict({"data_dir": str(self.data), "auth": {"scram_iterations": 4096}})
        async with Server(config, doors=False) as server:
            for name in names:
                await server.hosts["localhost"].create_account(name, name)

    async def begin(self) -> None:
        """Start, and return when it serves."""
        self.number += 1
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "xmppd", "run", "-c", str(self.file)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        assert self._process.stdout is not None
        ready = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert b"ready" in ready, self.log.read_text()

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal and wait for the end."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(how)
            await asyncio.wait_for(process.communicate(), PATIENCE)
