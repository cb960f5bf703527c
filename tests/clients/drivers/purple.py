"""Drives libpurple, the core of Pidgin and finch, through a worker process that stands in for their windows."""

import asyncio
import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import purple_abi
from .base import Access, Client

AUTHENTICATION_FAILED = 2
LOG_TAIL = 4000


class Purple(Client):
    """libpurple 2 in a process of its own."""

    name = "libpurple"

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._worker: asyncio.subprocess.Process | None = None

    @classmethod
    def missing(cls) -> str:
        """The library of Debian's package libpurple0."""
        try:
            ctypes.CDLL(purple_abi.LIBRARY)
        except OSError:
            return "not installed: apt-get install libpurple0"
        return ""

    async def starts(self) -> None:
        """Start the worker."""
        certificates = self.folder / "certificates"
        certificates.mkdir()
        shutil.copy(self.access.authority, certificates)
        package = __package__ or ""
        root = Path(__file__).parents[package.count(".") + 1]
        command = [sys.executable, "-m", f"{package}.purple_worker", str(self.folder), str(certificates)]
        pipe = asyncio.subprocess.PIPE
        with self._log.open("wb") as log:
            self._worker = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=log, cwd=root, env=_environment()
            )
        await self._order("look")

    async def closes(self) -> None:
        """End the worker's input, at which it ends."""
        if self._worker is None or self._worker.stdin is None:
            return
        self._worker.stdin.close()
        await self._worker.wait()

    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Enable the account."""
        access = self.access
        port, security = (access.direct_tls_port, "old_ssl") if direct_tls else (access.starttls_port, "require_tls")
        await self._order("log_in", self.jid, password, access.host, port, security)

    async def is_logged_in(self) -> None:
        """The account is connected."""
        await self._until("logged in", lambda seen: seen["connected"])

    async def is_refused(self) -> None:
        """The connection ended with the error for a wrong password."""
        await self._until(
            "been refused", lambda seen: any(reason == AUTHENTICATION_FAILED for reason, _ in seen["errors"])
        )

    async def distrusts_the_certificate(self) -> None:
        """A dialogue asks whether to accept it."""
        question = "no certificate that can verify it is currently trusted"
        await self._until("doubted the certificate", lambda seen: any(question in box for box in seen["boxes"]))

    async def logs_out(self) -> None:
        """Disable the account."""
        await self._order("log_out")
        await self._until("logged out", lambda seen: not seen["connected"])

    async def adds(self, jid: str) -> None:
        """Add a buddy."""
        await self._order("add", jid)

    async def is_asked_by(self, jid: str) -> None:
        """The dialogue to authorise is open."""
        await self._until(f"been asked by {jid}", lambda seen: jid in seen["asked"])

    async def approves(self, jid: str) -> None:
        """Authorise."""
        await self._order("approve", jid)

    async def becomes(self, show: str, text: str = "") -> None:
        """Choose a status."""
        await self._order("become", show, text)

    async def sees(self, jid: str, show: str) -> None:
        """The buddy list says so."""
        await self._until_contact(f"seen {jid} as {show}", jid=jid, show=show)

    async def says(self, jid: str, text: str) -> None:
        """Type into a conversation."""
        await self._order("say", jid, text)

    async def hears(self, jid: str, text: str) -> None:
        """A conversation shows it."""
        await self._until(f"heard {text!r} from {jid}", lambda seen: [jid, text] in seen["heard"])

    async def renames(self, jid: str, name: str) -> None:
        """Set the buddy's alias."""
        await self._order("rename", jid, name)

    async def regroups(self, jid: str, group: str) -> None:
        """Move the buddy."""
        await self._order("regroup", jid, group)

    async def lists(self, jid: str, name: str, group: str) -> None:
        """The buddy list says so."""
        await self._until_contact(f"listed {jid} as {name} in {group}", jid=jid, name=name, group=group)

    async def changes_password(self, password: str) -> None:
        """Fill in the dialogue, and wait for the box that says it is done."""

        async def offered() -> bool:
            return "Change Password..." in await self._order("menu")

        await self.until("been offered to change the password", offered)
        await self._order("change_password", password)
        await self._until("changed the password", lambda seen: any("has been changed" in box for box in seen["boxes"]))

    async def shown(self) -> str:
        """All that windows would show, and the end of the debug log."""
        return f"{await self._order('look')}\n{self._log.read_text(errors='replace')[-LOG_TAIL:]}"

    @property
    def _log(self) -> Path:
        return self.folder / "debug.log"

    async def _until_contact(self, what: str, **wanted: str) -> None:
        await self._until(what, lambda seen: any(wanted.items() <= contact.items() for contact in seen["contacts"]))

    async def _until(self, what: str, seen: Callable[[dict[str, Any]], bool]) -> None:
        async def look() -> bool:
            return seen(await self._order("look"))

        await self.until(what, look)

    async def _order(self, verb: str, *arguments: object) -> Any:
        assert self._worker is not None
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps([verb, *arguments]).encode() + b"\n")
        line = await self._worker.stdout.readline()
        if not line:
            raise AssertionError(f"{self} died:\n{self._log.read_text(errors='replace')[-LOG_TAIL:]}")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise AssertionError(f"{self} could not {verb}:\n{answer}")
        return answer


def _environment() -> dict[str, str]:
    """No desktop: libpurple would look for its session bus, its proxies and its language."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
    return kept | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
