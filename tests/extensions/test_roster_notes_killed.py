"""A server that is killed in the middle of a rotation goes on with it when it starts again."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from tests.extensions.noting import EXTENSION, RIOT, a_world_with_notes, notes, put
from tests.kit.client import Client
from xmppd.extensions.roster_notes.keyring import Keyring

MANY = 100_000
CONTACTS = 50
CONFIG = """
hosts: [localhost]
data_dir: {folder}
loglevel: warning
listen: [{{port: {port}, ip: 127.0.0.1, module: c2s, starttls: none}}]
modules: {{ping: {{}}, roster: {{}}, xmppd.extensions.roster_notes: {{}}}}
"""


@asynccontextmanager
async def a_server(file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that serves; it is killed at the end, if it lives still."""
    arguments = ("-m", "xmppd", "run", "-c", str(file))
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, cwd=root)
    try:
        assert process.stdout is not None
        assert b"ready" in await asyncio.wait_for(process.stdout.readline(), 30)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()


async def said_by(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """What the server says of the command `rotate_notes_key --retire`: progress, and at last the result."""
    reader, writer = await asyncio.open_unix_connection(folder / "control.sock")
    try:
        writer.write(json.dumps({"command": "rotate_notes_key", "arguments": ["--retire"]}).encode() + b"\n")
        while line := await asyncio.wait_for(reader.readline(), 30):
            yield json.loads(line)
    finally:
        writer.close()


async def login(port: int) -> Client:
    client = await Client.dial(port)
    await client.open()
    await client.login("alice", "alice")
    await client.bind("game")
    return client


async def prepare(folder: Path) -> None:
    """Alice has notes on people; so have two thousand others, whose notes are written by a shorter way."""
    async with a_world_with_notes(folder) as world:
        alice = await world.session("alice/game")
        for at in range(CONTACTS):
            await put(alice, f"c{at}@pvp.example", f"<note>{RIOT} {at}</note>")
        ring: Keyring = world.module(EXTENSION).ring
    people = [f"p{at}@localhost" for at in range(MANY // CONTACTS - 1)]
    pairs = ((owner, f"c{at}@pvp.example") for owner in people for at in range(CONTACTS))
    with closing(sqlite3.connect(folder / "xmppd.sqlite")) as database, database:
        insert = "INSERT INTO roster_notes (account, contact, record) VALUES (?, ?, ?)"
        database.executemany(insert, ((*pair, ring.seal(*pair, f"{RIOT} {pair}")) for pair in pairs))


def keys_in_use(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / "xmppd.sqlite")) as database:
        return dict(database.execute("SELECT HEX(SUBSTR(record, 2, 8)), COUNT(*) FROM roster_notes GROUP BY 1"))


async def test_a_rotation_of_100_000_notes_survives_kill_9(tmp_path: Path) -> None:
    await prepare(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (tmp_path / "xmppd.yml").write_text(CONFIG.format(folder=tmp_path, port=port))
    expected = {f"c{at}@pvp.example": f"{RIOT} {at}" for at in range(CONTACTS)}

    async with a_server(tmp_path / "xmppd.yml") as process:
        async for said in said_by(tmp_path):
            assert said["progress"][1] == MANY
            if said["progress"][0] >= MANY // 4:
                process.send_signal(signal.SIGKILL)
                break
    used = keys_in_use(tmp_path)
    assert len(used) == 2
    assert sum(used.values()) == MANY
    assert min(used.values()) >= MANY // 4, "it was in the middle"

    async with a_server(tmp_path / "xmppd.yml"):
        client = await login(port)
        assert await notes(client) == expected, "every note is there, whichever key it has"
        *progress, last = [said async for said in _until_result(said_by(tmp_path))]
        assert progress, "it was under way"
        assert last["result"] == {"rewritten": progress[-1]["progress"][1], "withheld": 0, "old keys kept": 0}
        assert last["result"]["rewritten"] < MANY
        await client.close()
    assert list(keys_in_use(tmp_path).values()) == [MANY]
    ring = Keyring.load(tmp_path / "roster_notes-localhost.keys")
    assert ring.old == []
    with closing(sqlite3.connect(tmp_path / "xmppd.sqlite")) as database:
        for owner, contact, record in database.execute("SELECT account, contact, record FROM roster_notes"):
            assert ring.open(owner, contact, record).startswith(RIOT)


async def _until_result(lines: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    async for said in lines:
        yield said
        if "result" in said or "error" in said:
            return
