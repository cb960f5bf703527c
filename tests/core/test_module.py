"""What a module begins runs by itself, is waited for, and ends with the module."""

import asyncio

import pytest

from xmppd.api import Module, ModuleOptions
from xmppd.testing import TestServer, running


@pytest.fixture
async def module() -> Module:
    """A module of a server that has ended: it needs no more than a name."""
    async with running(modules={}) as server:
        return made(server)


def made(server: TestServer) -> Module:
    """A module that declares nothing."""
    return Module(server.hosts["localhost"], ModuleOptions())


async def test_what_is_spawned_runs_by_itself(module: Module) -> None:
    ran = asyncio.Event()

    async def work() -> None:
        ran.set()

    module.spawn(work())
    assert not ran.is_set()
    assert module.spawned == 1
    await module.settle()
    assert ran.is_set()
    assert module.spawned == 0


async def test_it_is_cancelled_when_the_module_stops(module: Module) -> None:
    ended = []

    async def cleaning_up() -> None:
        ended.append("cleaning up")
        await asyncio.Event().wait()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("work")
            module.spawn(cleaning_up())
            raise

    module.spawn(work())
    await asyncio.sleep(0)
    await module.stop()
    assert ended[0] == "work"
    assert module.spawned == 0, "nor does what it began at last go on"


async def test_what_fails_stands_in_the_log(module: Module, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise ValueError("the cauldron is empty")

    module.spawn(work())
    await module.settle()
    assert "the cauldron is empty" in caplog.text
