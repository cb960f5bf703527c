"""The command `xmppd-bus`, as people run it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.clients.servers import free_ports

from .rooms import PATIENCE, Place, within
from .servers import COMPONENT, SECRET

WAIT = ("--timeout", "60")
MAIN = "from xmppd.client.bus.command import main; main()"


async def started(*arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, *arguments, stdout=PIPE, stderr=PIPE, stdin=PIPE,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **environment},
    )  # fmt: skip


async def run(place: Place, command: str, *arguments: str, account: str = "carol", said: str = "") -> tuple[int, str]:
    """Its exit code and all that it printed."""
    where = ("--jid", f"{account}@localhost", "--host", "127.0.0.1", "--port", str(place.server.port), "--plaintext")
    process = await started(command, place.room, *arguments, *where, XMPPD_BUS_PASSWORD="carol")  # noqa: S106
    printed, errors = await within(process.communicate(said.encode()))
    assert process.returncode is not None
    return process.returncode, (printed + errors).decode()


@asynccontextmanager
async def tailing(place: Place, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """Somebody who watches."""
    where = ("--jid", "dave@localhost", "--host", "127.0.0.1", "--port", str(place.server.port), "--plaintext")
    process = await started("tail", place.room, *arguments, *where, XMPPD_BUS_PASSWORD="dave", **environment)  # noqa: S106
    try:
        assert process.stdout is not None
        assert b"watching " in await within(process.stdout.readline())
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_what_is_sent_is_seen_and_dropped(room: Place) -> None:
    async with room.members("alice", "bob") as (alice, _), tailing(room, "--count", "2") as watching:
        cache = alice.cache()
        await cache.get_or_load("user:42", lambda: 1)
        code, printed = await run(
            room, "send", "user:42", "user:43", "--tag", "team:7", "--prefix", "img/", "--confirm"
        )
        assert (code, printed) == (0, "confirmed by 2: alice, bob\n")
        assert cache.get("user:42") is None
        assert await run(room, "send", "--all", *WAIT) == (0, "")
        seen, _ = await within(watching.communicate())
    lines = [line.split() for line in seen.decode().splitlines()]
    assert [line[2:] for line in lines] == [["user:42", "user:43", "#team:7", "img/*"], ["*"]]


async def test_it_is_in_colour_on_a_terminal(room: Place) -> None:
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": "", "COLORTERM": "", "TERM": "xterm"}
    async with tailing(room, "--count", "2", **terminal) as watching:
        await run(room, "send", "user:42", "--tag", "team:7", "--prefix", "img/", *WAIT)
        await run(room, "send", "--all", *WAIT)
        seen, _ = await within(watching.communicate())
    for painted in ("36muser:42", "35m#team:7", "33mimg/*", "1;31m*"):
        assert f"\x1b[{painted}\x1b[0m" in seen.decode(), seen


async def test_nobody_commands_the_terminal(room: Place) -> None:
    eve = room.bus("alice")
    await eve.start(PATIENCE)
    try:
        async with tailing(room, "--count", "1") as watching:
            assert eve._running is not None
            assert eve._running.room is not None
            body = "<body>user:\x9b2J42 \u202egnp</body>"
            eve._running.room.link.say(f"<message to='{room.room}' type='groupchat'>{body}</message>")
            seen, _ = await within(watching.communicate())
    finally:
        await eve.close()
    assert seen.decode().split()[2:] == ["user:\ufffd2J42", "\ufffdgnp"]


async def test_ids_from_standard_input_and_json(room: Place) -> None:
    async with tailing(room, "--json", "--count", "1") as watching:
        assert await run(room, "send", "-", *WAIT, said="a\n\n b\n") == (0, "")
        seen, _ = await within(watching.communicate())
    assert json.loads(seen)["keys"] == ["a", "b"]


async def test_who_watches_is_no_member(room: Place) -> None:
    async with room.members("alice") as (alice,), tailing(room):
        receipt = await alice.invalidate("user:42", confirm=True)
        assert (receipt.confirmed, receipt.missing) == (frozenset(), frozenset())


async def test_what_cannot_be_done_is_said_in_a_line(room: Place) -> None:
    code, printed = await run(room, "send", "user:42", *WAIT, account="alice")
    assert (code, printed) == (1, "Error: not-authorized: the server does not take the password\n")
    code, printed = await run(room, "send")
    assert (code, printed) == (1, "Error: name at least one key, tag or prefix, or everything\n")


async def test_the_bench(room: Place) -> None:
    code, printed = await run(room, "bench", "--members", "3", "--messages", "5", "--ids", "50")
    assert code == 0, printed
    assert "published until applied at a member" in printed
    assert "50 ids published at once" in printed


async def test_the_component(room: Place, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("# for the shop\nsesame cache\n")
    (port,) = free_ports(1)
    process = await started(
        "component", COMPONENT, "--server", f"127.0.0.1:{room.server.component}", "--http", f"127.0.0.1:{port}",
        "--tokens", str(tokens), XMPPD_BUS_SECRET=SECRET,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await within(process.stdout.readline()) == f"ready: {COMPONENT}, http {port}\n".encode()
        async with Place(room.server, "cache", COMPONENT).members("alice") as (alice,):
            heard = asyncio.Event()
            alice.on_invalidate(lambda what: heard.set() if "user:42" in what.keys else None)
            headers = {"Authorization": "Bearer sesame"}
            async with aiohttp.ClientSession() as session:
                answer = await session.post(f"http://127.0.0.1:{port}/bus/cache", data="user:42", headers=headers)
                assert answer.status == 204
            await within(heard.wait())
        process.terminate()
        await within(process.communicate())
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
