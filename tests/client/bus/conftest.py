"""One server of each kind for all these tests; each test has a room of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from .rooms import ACCOUNTS, Place, component
from .servers import COMPONENT, Ejabberd, Prosody, Server, Xmppd, started

_NUMBERS = itertools.count(1)


def _running(kind: type[Server], factory: pytest.TempPathFactory) -> Iterator[Server]:
    reason = kind.missing()
    if reason:
        pytest.skip(reason)
    server = kind(factory.mktemp(kind.name))
    server.provision(ACCOUNTS)
    with started(server):
        yield server


@pytest.fixture(scope="session")
def prosody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _running(Prosody, tmp_path_factory)


@pytest.fixture(scope="session")
def ejabberd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _running(Ejabberd, tmp_path_factory)


@pytest.fixture(scope="session")
def xmppd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _running(Xmppd, tmp_path_factory)


@pytest.fixture(params=["xmppd", "prosody", "ejabberd", "component"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """A room on each kind of server, and one of our component on an existing server."""
    name = f"room{next(_NUMBERS)}"
    if request.param != "component":
        yield Place(request.getfixturevalue(request.param), name)
        return
    server = request.getfixturevalue("prosody")
    async with component(server):
        yield Place(server, name, COMPONENT)


@pytest.fixture
def room(prosody: Server) -> Place:
    """A room, for what does not depend on the kind of server."""
    return Place(prosody, f"room{next(_NUMBERS)}")
