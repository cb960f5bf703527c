"""Clients that nobody here wrote come by BOSH and by WebSocket: libraries of browsers in Node, nbxmpp, libpurple."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.kit.client import NAMES, Client
from tests.kit.world import World
from tests.stories.web.doors import a_web
from xmppd.xmpp.stanza import escape

from . import certificates
from .drivers.base import Access
from .drivers.purple import Purple

pytestmark = pytest.mark.client

JS: Final = Path(__file__).with_name("js")
DEBIAN_PYTHON: Final = "/usr/bin/python3"
PATIENCE: Final = 30.0
LIBRARIES: Final = [
    ("strophe.js", "bosh"),
    ("strophe.js", "websocket"),
    ("@xmpp/client", "websocket"),
    ("stanza", "bosh"),
    ("stanza", "websocket"),
]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder with what js/package.json names, fetched on first use into the user's cache."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install nodejs npm")
    wanted = (JS / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "xmppd-tests" / f"js-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"npm could not fetch what js/package.json names: {done.stderr.strip()[-300:]}")
        (folder / "done").touch()
    return folder


@pytest.fixture
async def web() -> AsyncIterator[World]:
    """A server with a door for HTTP, for this machine."""
    async with a_web() as world:
        yield world


def url(web: World, kind: str) -> str:
    port = web.server.doors[-1].port
    return f"http://127.0.0.1:{port}/http-bind" if kind == "bosh" else f"ws://127.0.0.1:{port}/xmpp-websocket"


class Echo:
    """js/echo.mjs or nbxmpp_echo.py, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tells(self, event: str) -> str:
        """The text of its next event, which is this one; libraries write notes of their own between them."""
        assert self._process.stdout is not None
        noted = b""
        while line := await asyncio.wait_for(self._process.stdout.readline(), PATIENCE):
            if line.startswith(b"{"):
                told: dict[str, Any] = json.loads(line)
                assert told["event"] == event, (told, noted)
                return str(told["text"])
            noted += line
        raise AssertionError(f"it ended before it was {event}: {noted.decode()}")

    async def ends(self) -> None:
        """It ends by itself."""
        assert await asyncio.wait_for(self._process.wait(), PATIENCE) == 0

    async def closes(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


async def heard(client: Client) -> str:
    """The text of the next message."""
    while True:
        text = (await client.receive()).findtext("c:body", namespaces=NAMES)
        if text is not None:
            return str(text)


@pytest.mark.parametrize(("library", "kind"), LIBRARIES)
async def test_a_library_of_browsers_logs_in_talks_and_leaves(
    web: World, packages: Path, library: str, kind: str
) -> None:
    await answers(web, "node", str(JS / "echo.mjs"), str(packages), library, url(web, kind))


@pytest.fixture
def nbxmpp() -> None:
    """Gajim's library, for Debian's own Python."""
    probe = [DEBIAN_PYTHON, "-c", "import nbxmpp, gi"]
    if not Path(DEBIAN_PYTHON).exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("nbxmpp is not installed: apt-get install gajim")


@pytest.mark.usefixtures("nbxmpp")
async def test_gajims_library_comes_by_websocket(web: World) -> None:
    await answers(web, DEBIAN_PYTHON, str(Path(__file__).with_name("nbxmpp_echo.py")), url(web, "websocket"))


async def answers(web: World, *command: str) -> None:
    """A program logs in as alice, says everything that bob says in capitals, and leaves on "bye"."""
    await web.account("alice")
    bob = await web.online("bob/phone")
    process = await asyncio.create_subprocess_exec(
        *(*command, "alice@localhost", "alice"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    echo = Echo(process)
    try:
        alice = await echo.tells("online")
        for text in ("one", "2 < 3 & 'ěščř'", "three"):
            bob.send(f"<message to='{alice}' type='chat'><body>{escape(text)}</body></message>")
            assert await heard(bob) == text.upper()
        bob.send(f"<message to='{alice}' type='chat'><body>bye</body></message>")
        await echo.tells("left")
        await echo.ends()
        await bob.ping()
    finally:
        await echo.closes()


async def test_libpurple_comes_by_bosh(web: World, tmp_path: Path) -> None:
    if reason := Purple.missing():
        pytest.skip(f"libpurple is {reason}")
    authority = certificates.make(tmp_path, "localhost").authority
    await web.account("alice")
    bob = await web.online("bob/phone")
    folder = tmp_path / "purple"
    folder.mkdir()
    purple = Purple(Access("alice", "localhost", "alice", web.server.port, 0, authority), folder)
    purple.bosh_url = url(web, "bosh")
    await purple.starts()
    try:
        await purple.logs_in()
        await purple.says("bob@localhost", "hello bob")
        assert await heard(bob) == "hello bob"
        bob.send("<message to='alice@localhost' type='chat'><body>hello alice</body></message>")
        await purple.hears("bob@localhost", "hello alice")
    finally:
        await purple.closes()
