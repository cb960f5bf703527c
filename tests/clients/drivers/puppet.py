"""A client in a process of its own, told what to do and asked what it shows, line by line."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .base import Access
from .puppet_rooms import PuppetRooms

LOG_TAIL = 4000


class Puppet(PuppetRooms):
    """What drivers with a worker process have in common; `orders.py` is the other end of the strings.

    A worker obeys log_out, add, approve, become, say, rename, regroup and remove, and answers `look` with a mapping of
    connected, gone, heard, asked, contacts and whatever else its driver wants to know.
    """

    worker: str
    """The module of this package that the process runs."""

    python = sys.executable

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._process: asyncio.subprocess.Process | None = None

    async def start_worker(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        """Start the worker, and wait until it obeys."""
        package = __package__ or ""
        root = Path(__file__).parents[package.count(".") + 1]
        command = [self.python, "-m", f"{package}.{self.worker}", *arguments]
        pipe = asyncio.subprocess.PIPE
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=log, cwd=root, env=environment
            )
        await self.order("look")

    async def closes(self) -> None:
        """End the worker's input, at which it ends."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        await self._process.wait()

    async def is_logged_in(self) -> None:
        """It says that it is connected."""
        await self.until_seen("logged in", lambda seen: seen["connected"])

    async def logs_out(self) -> None:
        """Leave, and wait until it has."""
        await self.order("log_out")
        await self.until_seen("logged out", lambda seen: seen["gone"])

    async def adds(self, jid: str) -> None:
        """Add a contact."""
        await self.order("add", jid)

    async def is_asked_by(self, jid: str) -> None:
        """The dialogue to authorise is open."""
        await self.until_seen(f"been asked by {jid}", lambda seen: jid in seen["asked"])

    async def approves(self, jid: str) -> None:
        """Authorise."""
        await self.order("approve", jid)

    async def becomes(self, show: str, text: str = "") -> None:
        """Choose a status."""
        await self.order("become", show, text)

    async def sees(self, jid: str, show: str) -> None:
        """The list of contacts says so."""
        await self._until_contact(f"seen {jid} as {show}", jid=jid, show=show)

    async def says(self, jid: str, text: str) -> None:
        """Type into a conversation."""
        await self.order("say", jid, text)

    async def hears(self, jid: str, text: str) -> None:
        """A conversation shows it."""
        await self.until_seen(f"heard {text!r} from {jid}", lambda seen: [jid, text] in seen["heard"])

    async def renames(self, jid: str, name: str) -> None:
        """Give the contact a name."""
        await self.order("rename", jid, name)
        await self._until_contact(f"renamed {jid} to {name}", jid=jid, name=name)

    async def regroups(self, jid: str, group: str) -> None:
        """Move the contact."""
        await self.order("regroup", jid, group)

    async def lists(self, jid: str, name: str, group: str) -> None:
        """The list of contacts says so."""
        await self._until_contact(f"listed {jid} as {name} in {group}", jid=jid, name=name, group=group)

    async def removes(self, jid: str) -> None:
        """Remove the contact."""
        await self.order("remove", jid)

    async def lacks(self, jid: str) -> None:
        """The list of contacts says so."""
        await self.until_seen(f"lost {jid}", lambda seen: all(contact["jid"] != jid for contact in seen["contacts"]))

    async def shown(self) -> str:
        """All that it shows, and the end of the debug log."""
        return f"{await self.order('look')}\n{self._log.read_text(errors='replace')[-LOG_TAIL:]}"

    @property
    def _log(self) -> Path:
        return self.folder / "debug.log"

    async def _until_contact(self, what: str, **wanted: str) -> None:
        await self.until_seen(what, lambda seen: any(wanted.items() <= contact.items() for contact in seen["contacts"]))

    async def until_seen(self, what: str, seen: Callable[[dict[str, Any]], bool]) -> None:
        """Look until what is shown pleases `seen`."""

        async def look() -> bool:
            return seen(await self.order("look"))

        await self.until(what, look)

    async def order(self, verb: str, *arguments: object) -> Any:
        """Have the worker do something. Raises AssertionError if it could not, or has died."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, *arguments]).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise AssertionError(f"{self} died:\n{self._log.read_text(errors='replace')[-LOG_TAIL:]}")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise AssertionError(f"{self} could not {verb}:\n{answer}")
        return answer


def bare_environment() -> dict[str, str]:
    """Ours without a desktop: a client would look there for its bus, its screen and its language."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return kept | {"DBUS_SESSION_BUS_ADDRESS": "disabled:", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
