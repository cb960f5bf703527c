"""One server of each kind for all these tests; each test has a room of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from .rooms import ACCOUNTS, Place
from .servers import SERVERS, Prosody, Server, started

_NUMBERS = itertools.count(1)


def _running(kind: type[Server], factory: pytest.TempPathFactory) -> Iterator[Server]:
    reason = kind.missing()
    if reason:
        pytest.skip(reason)
    server = kind(factory.mktemp(kind.name))
    server.provision(ACCOUNTS)
    with started(server):
        yield server


@pytest.fixture(scope="session", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each kind that is here."""
    yield from _running(SERVERS[request.param], tmp_path_factory)


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For what does not depend on the kind."""
    yield from _running(Prosody, tmp_path_factory)


@pytest.fixture
def place(server: Server) -> Place:
    """A room on each kind of server."""
    return Place(server, f"room{next(_NUMBERS)}")


@pytest.fixture
def room(one_server: Server) -> Place:
    """A room on one server."""
    return Place(one_server, f"room{next(_NUMBERS)}")
