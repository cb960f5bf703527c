"""Two servers in one process share nothing, and a server that is gone leaves nothing behind."""

import asyncio
import gc
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.component import Component, doors
from xmppd.clock import Clock
from xmppd.config import Config, ConfigError
from xmppd.server import Server
from xmppd.storage import StorageError
from xmppd.testing import TestServer, settings

MODULES: dict[str, object] = {"ping": {}, "roster": {}, "presence": {}, "offline": {}}


@asynccontextmanager
async def a_server(host: str, **changes: Any) -> AsyncIterator[TestServer]:
    config = Config.from_dict(settings(hosts=[host], modules=MODULES, **changes))
    async with TestServer(config) as server:
        yield server


async def session(server: TestServer, user: str) -> Client:
    client = await Client.dial(server.port, server.host)
    await client.open()
    await client.login(user, user)
    await client.bind("x")
    return client


def threads() -> set[str]:
    """The threads that run; those of the loop's own pool, which live as long as the loop, are not counted."""
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


def files() -> dict[str, str]:
    """What each open file descriptor is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return found


class Traces:
    """What a process holds beside memory."""

    def __init__(self) -> None:
        gc.collect()
        self.tasks = len(asyncio.all_tasks())
        self.threads = threads()
        self.files = files()
        self.temporary = {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("xmppd-")}

    def assert_no_more_than(self, before: "Traces") -> None:
        assert self.tasks == before.tasks
        assert self.threads <= before.threads
        assert len(self.files) <= len(before.files), set(self.files.items()) - set(before.files.items())
        assert self.temporary <= before.temporary


@pytest.fixture
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


async def a_guest_component(server: TestServer) -> Component:
    bus = Component(*await asyncio.open_connection("127.0.0.1", server.doors[1].port), server.host)
    await bus.open()
    await bus.shake()
    return bus


async def a_life() -> None:
    """Two servers start, have guests and mail, and stop, one of them while its guest is still there."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(a_server("one.example", listen=doors()))
        bus = await a_guest_component(one)
        stack.push_async_callback(bus.drop)
        async with a_server("two.example") as two:
            for server in (one, two):
                await server.register("alice", "alice")
            alice, other = await session(one, "alice"), await session(two, "alice")
            alice.send("<message to='alice@one.example'><body>to myself, for later</body></message>")
            await alice.ping()
            await other.close()
            left = await session(two, "alice")
        await left.receives_stream_error("system-shutdown")
        await alice.ping()
        await alice.drop()


@pytest.mark.slow
@pytest.mark.usefixtures("_own_temporary_folder")
async def test_a_hundred_lives_leave_no_trace() -> None:
    await a_life()
    before = Traces()
    for _ in range(100):
        await a_life()
    await asyncio.sleep(0)
    Traces().assert_no_more_than(before)


@pytest.mark.usefixtures("_own_temporary_folder")
async def test_nor_do_some_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
    await asyncio.to_thread(lambda: uvloop.run(a_life()))
    before = Traces()
    for _ in range(5):
        await asyncio.to_thread(lambda: uvloop.run(a_life()))
    Traces().assert_no_more_than(before)


async def test_accounts_and_sessions_are_separate() -> None:
    async with a_server("one.example") as one, a_server("two.example") as two:
        await one.register("alice", "alice")
        await two.register("bob", "bob")
        assert one.port != two.port
        assert not await two.hosts["two.example"].accounts.exists("alice")
        alice, bob = await session(one, "alice"), await session(two, "bob")
        assert (len(one.hosts["one.example"].sessions), len(two.hosts["two.example"].sessions)) == (1, 1)
        alice.send("<message to='bob@two.example' id='1'/>")
        await alice.receives_error("remote-server-not-found")
        await bob.receives_nothing()
        for client in (alice, bob):
            await client.close()


async def test_so_they_are_where_both_serve_the_same_host() -> None:
    async with a_server("localhost") as one, a_server("localhost") as two:
        await one.register("alice", "one")
        await two.register("alice", "alice")
        alice = await session(two, "alice")
        assert len(one.hosts["localhost"].sessions) == 0
        await alice.close()


def traffic(server: TestServer) -> list[bytes]:
    """The figures of the doors, which are the server's and not the process's."""
    found = [line for line in server.metrics.render().splitlines() if line.startswith(b"xmppd_c2s")]
    assert found
    return found


async def test_commands_and_metrics_are_separate() -> None:
    async with a_server("one.example") as one, a_server("two.example") as two:
        await one.commands.call("register", ["alice", "one.example", "secret"])
        assert await one.commands.call("registered_users", ["one.example"]) == ["alice"]
        assert await two.commands.call("registered_users", ["two.example"]) == []
        before = traffic(two)
        client = await Client.dial(one.port, one.host)
        await client.open()
        await client.close()
        assert traffic(one) != before == traffic(two)


async def test_one_stops_and_the_other_goes_on() -> None:
    async with a_server("two.example") as two:
        await two.register("bob", "bob")
        bob = await session(two, "bob")
        async with a_server("one.example"):
            await bob.ping()
        await bob.ping()
        await bob.close()


async def test_a_server_can_be_stopped_twice() -> None:
    async with a_server("localhost") as server:
        await server.close()
        await server.close()


# A start that fails


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def starts(config: Config) -> None:
    async with Server(config):
        raise AssertionError("it started")


@pytest.mark.usefixtures("_own_temporary_folder")
async def test_a_port_that_is_taken_is_told_and_leaves_nothing(taken: int) -> None:
    doors = [{"port": port, "ip": "127.0.0.1", "module": "c2s"} for port in (0, taken)]
    await a_life()
    before = Traces()
    with pytest.raises(ConfigError, match=f"port {taken}"):
        await starts(Config.from_dict(settings(listen=doors, modules=MODULES)))
    await asyncio.sleep(0)
    Traces().assert_no_more_than(before)


@pytest.mark.parametrize(
    "changes",
    [
        {"modules": {"ping": {}, "no_such_module": {}}},
        {"modules": {"ping": {"no_such_option": 1}}},
        {"certfiles": ["/nowhere/*.pem"], "client_ca": "/nowhere/ca.pem"},
        {"database": "postgresql://nobody@127.0.0.1:1/nothing"},
    ],
)
@pytest.mark.usefixtures("_own_temporary_folder")
async def test_other_starts_that_fail_leave_nothing_either(changes: dict[str, Any]) -> None:
    await a_life()
    before = Traces()
    with pytest.raises((ConfigError, StorageError)):
        await starts(Config.from_dict(settings(**changes)))
    await asyncio.sleep(0)
    Traces().assert_no_more_than(before)


@pytest.mark.usefixtures("_own_temporary_folder")
async def test_a_data_folder_in_use_is_refused_and_its_server_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    config = Config.from_dict(settings(data_dir=str(folder), modules=MODULES))
    async with TestServer(config) as server:
        before = Traces()
        with pytest.raises((ConfigError, OSError), match="another server"):
            await starts(Config.from_dict(settings(data_dir=str(folder), modules=MODULES)))
        Traces().assert_no_more_than(before)
        await server.register("alice", "alice")
        alice = await session(server, "alice")
        await alice.close()
        assert (folder / "control.sock").exists()


@pytest.mark.usefixtures("_own_temporary_folder")
async def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    await a_life()
    before = Traces()
    task = asyncio.ensure_future(starts(Config.from_dict(settings(modules=MODULES))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    await asyncio.sleep(0)
    Traces().assert_no_more_than(before)


async def test_the_clock_is_real_where_none_is_given() -> None:
    async with a_server("localhost") as server:
        assert type(server.clock) is Clock
