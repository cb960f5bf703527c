"""A server inside a test: a pytest plugin, and what it is made of.

    async def test_my_bot(xmpp_server):
        await xmpp_server.register("alice", "secret")
        bot = MyBot("alice@localhost", "secret", port=xmpp_server.port)

Installing xmppd makes the fixture known to pytest. It needs pytest-asyncio, in either of its modes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from xmppd.clock import Clock
from xmppd.config import Config
from xmppd.server import Server
from xmppd.xmpp.jid import JID

try:
    import pytest_asyncio
except ImportError:
    _fixture: Any = pytest.fixture
else:
    _fixture = pytest_asyncio.fixture  # in its strict mode pytest-asyncio runs no fixtures but its own

MODULES: Final = (
    *("blocking", "caps", "carbons", "csi", "disco", "last", "mam", "muc", "offline", "ping"),
    *("presence", "privacy", "private", "push", "register", "roster", "time", "vcard", "version"),
)


class TestServer(Server):
    """A server on loopback with a temporary database; gone when the test is over."""

    __test__ = False

    @property
    def port(self) -> int:
        """The port of the first door; plain, with STARTTLS offered."""
        return self.doors[0].port

    @property
    def host(self) -> str:
        """The first domain."""
        return self.config.hosts[0]

    async def register(self, user: str, password: str, host: str = "") -> JID:
        """Make an account and return its address."""
        return await self.hosts[host or self.host].create_account(user, password)


def settings(**changes: Any) -> dict[str, Any]:
    """A configuration for tests, as it stands in a file; `changes` replace whole sections."""
    door = {"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": "optional"}
    modules: Mapping[str, Any] = {name: {} for name in MODULES}
    return {"hosts": ["localhost"], "listen": [door], "loglevel": "warning", "modules": modules} | changes


@asynccontextmanager
async def running(clock: Clock | None = None, **changes: Any) -> AsyncIterator[TestServer]:
    """A server that runs for the length of a block; see `settings`."""
    async with TestServer(Config.from_dict(settings(**changes)), clock=clock) as server:
        yield server


class FakeClock(Clock):
    """A clock that stands still until `advance` moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def time(self) -> float:
        """Seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """The same."""
        return self._now

    async def advance(self, server: Server, seconds: float) -> None:
        """Let time pass, in steps of at most a second, and wait for all that becomes due."""
        left = seconds
        while left > 0:
            self._now += min(1.0, left)
            left -= 1.0
            server.timetable.run_due()
            await server.timetable.settle()


@_fixture()  # type: ignore[untyped-decorator]
async def xmpp_server() -> AsyncIterator[TestServer]:
    """A fresh server for the host `localhost`."""
    async with running() as server:
        yield server
