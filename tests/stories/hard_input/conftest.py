"""Each story here runs on both event loops, and may leave nothing in the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest

from tests.kit.world import a_world
from tests.stories.hard_input.calm import LIMIT, Calm


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        return loops
    return loops | {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    loud = [r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.WARNING or r.exc_info]
    assert not [text for text in loud if "self-signed" not in text]


@pytest.fixture
async def calm() -> AsyncIterator[Calm]:
    """A server with two people on it who chat."""
    modules: dict[str, object] = {"ping": {}, "presence": {}, "roster": {}, "offline": {}}
    async with a_world(modules=modules, limits={"max_stanza_size": LIMIT}) as world:
        yield Calm(world, await world.session("bob/x"), await world.session("carol/x"))
