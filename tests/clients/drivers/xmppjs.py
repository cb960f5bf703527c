"""Drives xmpp.js, a library for clients in JavaScript, in a process of Node's."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.kit.npm import CACHE

from .base import Access

VERSION: Final = "0.14.0"
PATIENCE: Final = 30.0
SCRIPT: Final = Path(__file__).with_suffix(".mjs")
Event = dict[str, Any]


def installed() -> Path:
    """The folder with the library and what it needs, fetched on first use; RuntimeError says what is missing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise RuntimeError(f"{program} is not installed: apt-get install nodejs npm")
    folder = (CACHE / f"xmpp-client-{VERSION}").resolve()
    if not (folder / "node_modules" / "@xmpp" / "client").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"@xmpp/client@{VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"@xmpp/client cannot be fetched: {done.stderr.strip()[-300:]}")
    return folder


class XmppJS:
    """One session, which connects again by itself when its connection is cut."""

    def __init__(self, access: Access, resource: str) -> None:
        self.access = access
        self.resource = resource
        self.events: list[Event] = []
        self._process: asyncio.subprocess.Process | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def starts(self) -> None:
        """Log in, send presence."""
        access = self.access
        trust = {"NODE_EXTRA_CA_CERTS": str(access.authority), "RESOURCE": self.resource}
        command = ("node", str(SCRIPT), str(installed()), access.jid, access.password, str(access.starttls_port))
        await self.runs(*command, **trust)
        await self.does("start")
        await self.tells("online")
        await self.does("appear")

    async def runs(self, *command: str, **environment: str) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.events.append(json.loads(line))
            self._changed.set()

    def order(self, verb: str, **more: str) -> None:
        """Give an order."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps({"do": verb, **more}) + "\n").encode())

    async def does(self, verb: str, **more: str) -> Any:
        """Give an order and wait until it is done; its answer."""
        before = len(self.events)
        self.order(verb, **more)
        done = await self.until(lambda each: each.get("order") == verb and each["event"] in ("done", "refused"), before)
        assert done["event"] == "done", f"{verb}: {self.events}"
        return done.get("answer")

    async def tells(self, event: str, since: int = 0, **more: str) -> Event:
        """Wait for an event."""
        return await self.until(lambda each: {"event": event, **more}.items() <= each.items(), since)

    async def until(self, wanted: Callable[[Event], bool], since: int = 0) -> Event:
        """Wait for an event that is wanted."""
        async with asyncio.timeout(PATIENCE):
            while (found := next((each for each in self.events[since:] if wanted(each)), None)) is None:
                self._changed.clear()
                try:
                    await self._changed.wait()
                except asyncio.CancelledError:
                    print(self.events)
                    raise
            return found

    def bodies(self, event: str) -> list[str]:
        """The texts of all events of a kind."""
        return [each["body"] for each in self.events if each["event"] == event]

    async def closes(self) -> None:
        """End the process."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading
