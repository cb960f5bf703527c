"""Drives Gajim, a client with windows, on a screen that nobody sees."""

import asyncio
import os
import shutil
from pathlib import Path

from .base import Access
from .puppet import Puppet, bare_environment

DEBIANS_PYTHON = "/usr/bin/python3"
"""The one that Debian's package of Gajim installs itself for."""


class Gajim(Puppet):
    """Gajim 1.7 under Xvfb."""

    name = "gajim"
    worker = "gajim_worker"
    python = DEBIANS_PYTHON

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._display: asyncio.subprocess.Process | None = None

    @classmethod
    def missing(cls) -> str:
        """Gajim itself, and a screen for it."""
        absent = [package for package, program in (("gajim", "gajim"), ("xvfb", "Xvfb")) if not shutil.which(program)]
        return f"not installed: apt-get install {' '.join(absent)}" if absent else ""

    async def starts(self) -> None:
        """Start a screen, and Gajim on it."""
        environment = bare_environment() | {"DISPLAY": await self._start_display(), "HOME": str(self.folder)}
        await self.start_worker([str(self.folder / "gajim"), str(self.access.authority)], environment)

    async def closes(self) -> None:
        """End Gajim, then its screen."""
        await super().closes()
        if self._display is not None:
            self._display.terminate()
            await self._display.wait()

    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Make the account, and go online."""
        access = self.access
        port, security = (access.direct_tls_port, "DIRECT TLS") if direct_tls else (access.starttls_port, "START TLS")
        await self.order("log_in", self.jid, password, access.host, port, security)

    async def is_refused(self) -> None:
        """A window asks for the password."""
        await self.until_seen("been refused", lambda seen: "PasswordDialog" in seen["windows"])

    async def distrusts_the_certificate(self) -> None:
        """A window asks what to do about it."""
        await self.until_seen("doubted the certificate", lambda seen: "SSLErrorDialog" in seen["windows"])

    async def changes_password(self, password: str) -> None:
        """What its window does."""
        await self.order("change_password", password)
        await self.until_seen("changed the password", lambda seen: "password changed" in seen["done"])

    async def sends_file(self, sid: str, receiver: str, path: Path) -> None:
        """Send a file as a stream of blocks."""
        await self.order("send_file", sid, receiver, str(path))

    async def has_done_with_file(self, sid: str) -> None:
        """The file was closed, and is complete."""
        await self.until_seen(f"done with the file {sid}", lambda seen: sid in seen["files"])

    async def _start_display(self) -> str:
        """Xvfb picks a free display itself and writes its number to a pipe."""
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
        silence = asyncio.subprocess.DEVNULL
        self._display = await asyncio.create_subprocess_exec(
            *command, pass_fds=[writing], stdout=silence, stderr=silence
        )
        os.close(writing)
        with os.fdopen(reading) as number:
            return f":{(await asyncio.to_thread(number.readline)).strip()}"
