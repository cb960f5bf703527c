"""The control socket, spoken to as xmppctl does."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xmppd.commands import CommandError, Commands, Progress, describe
from xmppd.listeners.control import CONNECTIONS, Control
from xmppd.xmpp.jid import JID


async def greet(account: JID) -> dict[str, object]:
    if account.local == "mallory":
        raise CommandError("mallory is not greeted; greet somebody else")
    return {"hello": account}


async def count(progress: Progress) -> int:
    progress(1, 2)
    progress(2, 2)
    return 2


async def fail() -> None:
    raise RuntimeError("secret words")


class Client:
    """One connection to the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes) -> object:
        self.writer.write(line + b"\n")
        return await self.heard()

    async def heard(self) -> object:
        return json.loads(await self.reader.readline() or b"null")

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def gone(path: Path) -> bool:
    return not path.exists()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
async def control(path: Path) -> AsyncIterator[Control]:
    commands = Commands()
    for function in (greet, count, fail):
        commands.add(describe(function, function.__name__, ""))
    control = Control(path, commands, limit=4096)
    await control.start()
    yield control
    await control.close()


@pytest.fixture
async def client(control: Control) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_unix_connection(control.path))
    yield client
    await client.close()


async def test_a_command_and_its_result(client: Client) -> None:
    asked = b'{"command": "greet", "arguments": ["alice", "example.org"]}'
    assert await client.ask(asked) == {"result": {"hello": "alice@example.org"}}
    named = b'{"command": "greet", "arguments": {"user": "bob", "host": "example.org"}}'
    assert await client.ask(named) == {"result": {"hello": "bob@example.org"}}


async def test_progress_comes_before_the_result(client: Client) -> None:
    assert await client.ask(b'{"command": "count"}') == {"progress": [1, 2]}
    assert await client.heard() == {"progress": [2, 2]}
    assert await client.heard() == {"result": 2}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"command": "greet", "arguments": ["mallory", "h"]}', "mallory is not greeted"),
        (b'{"command": "greet", "arguments": ["alice"]}', "HOST is missing"),
        (b'{"command": "gret"}', 'did you mean "greet"'),
        (b'{"command": "greet", "arguments": "alice"}', "arguments must be a list"),
        (b'["greet"]', "a request is a line like"),
        (b"\xff{", "a request is a line like"),
        (b'{"command": "fail"}', "the server made a mistake; its log says where"),
    ],
)
async def test_errors_are_told_and_the_connection_goes_on(client: Client, line: bytes, expected: str) -> None:
    reply = await client.ask(line)
    assert isinstance(reply, dict)
    assert expected in reply["error"]
    assert "secret words" not in reply["error"]
    assert await client.ask(b'{"command": "greet", "arguments": ["alice", "h"]}') == {"result": {"hello": "alice@h"}}


async def test_a_line_too_long_ends_the_connection(client: Client) -> None:
    reply = await client.ask(b'{"command": "' + b"x" * 10000)
    assert reply == {"error": "the line is longer than 4096 bytes"}
    assert await client.heard() is None


async def test_only_so_many_at_once(control: Control) -> None:
    clients = [Client(*await asyncio.open_unix_connection(control.path)) for _ in range(CONNECTIONS)]
    for client in clients:
        await client.ask(b'{"command": "greet", "arguments": ["alice", "h"]}')
    late = Client(*await asyncio.open_unix_connection(control.path))
    assert await late.heard() == {"error": f"{CONNECTIONS} commands run already; try again later"}
    for client in (*clients, late):
        await client.close()


async def test_closing_ends_running_commands_and_leaves_nothing(path: Path) -> None:
    running, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    commands = Commands()
    commands.add(describe(wait, "wait", ""))
    control = Control(path, commands)
    await control.start()
    client = Client(*await asyncio.open_unix_connection(path))
    client.writer.write(b'{"command": "wait"}\n')
    await running.wait()
    await control.close()
    assert ended.is_set()
    assert await client.heard() is None
    assert gone(path)
    await control.close()
    await client.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_socket_is_its_owners_alone(control: Control) -> None:
    assert stat.S_IMODE(os.stat(control.path).st_mode) == 0o600


async def test_a_second_server_is_refused(control: Control, path: Path) -> None:
    with pytest.raises(OSError, match="another server runs on this data_dir; stop it first"):
        await Control(path, Commands()).start()
    await (client := Client(*await asyncio.open_unix_connection(path))).ask(b"still there")
    await client.close()


async def test_the_socket_of_a_server_that_was_killed_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    control = Control(path, Commands())
    await control.start()
    client = Client(*await asyncio.open_unix_connection(path))
    assert await client.ask(b"{}") is not None
    await client.close()
    await control.close()


async def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="choose another data_dir"):
        await Control(tmp_path / ("x" * 120), Commands()).start()
