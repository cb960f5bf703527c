"""PostgreSQL LISTEN/NOTIFY: the server from Debian's package, asyncpg."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg

from tests.bench.bus.process import Process
from tests.bench.bus.ways import Applied, Way

_CHANNEL = "cache"
_USER = "postgres"
_LIB = Path("/usr/lib/postgresql")


class Notify(Way):
    """As it is configured by default, fsync and all. A notification is on its way when its transaction commits."""

    title = "PostgreSQL NOTIFY"
    promises = "with the transaction; at most once: who is away misses it and is not told"

    def __init__(self, folder: Path, applied: Applied) -> None:
        super().__init__(folder, applied)
        self._server = Process(folder, _USER if os.getuid() == 0 else None)
        self._connections: list[Any] = []

    @classmethod
    def missing(cls) -> str | None:
        return None if _bin() else "postgresql is not installed"

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self, members: int) -> None:
        bin, data, user = _bin(), self.folder / "data", _USER if os.getuid() == 0 else None
        assert bin is not None
        if user is not None:
            account = pwd.getpwnam(user)
            for folder in (self.folder, self.folder.parent):
                folder.chmod(0o711)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        made = [str(bin / "initdb"), "-D", str(data), "-A", "trust", "-U", _USER, "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(made, check=True, capture_output=True, user=user, cwd=self.folder)
        more = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"]
        command = [str(bin / "postgres"), "-D", str(data), "-p", str(self._server.port), *more]
        self._server.start(command)

    async def enter(self, members: int) -> None:
        dsn = f"postgresql://{_USER}@127.0.0.1:{self._server.port}/postgres"
        for number in range(members):
            connection = await _connect(dsn)
            self.caches.append({})
            await connection.add_listener(_CHANNEL, lambda *heard, number=number: self.drop(number, heard[3]))
            self._connections.append(connection)

    async def publish(self, member: int, key: str) -> None:
        await self._connections[member].execute("SELECT pg_notify($1, $2)", _CHANNEL, key)

    async def leave(self) -> None:
        for connection in self._connections:
            await connection.close()

    def stop(self) -> None:
        self._server.stop()


async def _connect(dsn: str) -> Any:
    while True:
        try:
            return await asyncpg.connect(dsn)
        except asyncpg.CannotConnectNowError:  # it listens before it is ready
            await asyncio.sleep(0.05)


def _bin() -> Path | None:
    found = sorted(_LIB.glob("*/bin/postgres"))
    return found[-1].parent if found and shutil.which(str(found[-1])) else None
