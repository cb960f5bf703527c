"""A server behind a network that can be cut, for pages: it restarts on its data, and the address stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.chaos.proxy import Proxy
from xmppd.config import Config
from xmppd.testing import MODULES, TestServer, settings

EXTENSIONS = ("privacy_increments", "roster_notes", "latency", "latency.rooms")
HANDLERS = {"/http-bind": "bosh", "/xmpp-websocket": "websocket", "/": "pages"}


class Place:
    """Where pages come from and where they connect to: one address, whatever happens behind it."""

    def __init__(self, folder: Path, pages: Path) -> None:
        modules: dict[str, Any] = {name: {} for name in MODULES}
        modules |= {f"xmppd.extensions.{name}": {} for name in EXTENSIONS}
        door = {"port": 0, "ip": "127.0.0.1", "module": "http", "cleartext": "loopback", "request_handlers": HANDLERS}
        values = settings(modules=modules, data_dir=str(folder / "data"))
        values["listen"].append(door | {"document_root": str(pages)})
        self._config = Config.from_dict(values)
        self._proxy = Proxy(0)
        self.server: TestServer | None = None

    @property
    def address(self) -> str:
        """What stands in the browser's address bar."""
        return f"http://localhost:{self._proxy.port}"

    async def open(self) -> None:
        """Serve."""
        await self._proxy.open()
        await self.start()

    async def start(self) -> None:
        """Start the server, anew or for the first time."""
        self.server = TestServer(self._config)
        await self.server.start()
        self._proxy.target = self.server.doors[1].port

    async def stop(self) -> None:
        """Stop the server; whoever comes now finds nobody."""
        if self.server is not None:
            await self.server.close()

    def cut(self) -> None:
        """Every connection there is breaks."""
        for link in list(self._proxy.links):
            link.reset()

    def stall(self) -> None:
        """Nothing passes any more, and nobody is told."""
        for link in list(self._proxy.links):
            link.stall()

    async def close(self) -> None:
        """Nobody is left."""
        await self._proxy.close()
        await self.stop()


@asynccontextmanager
async def a_place(folder: Path, pages: Path) -> AsyncIterator[Place]:
    """A running place, with the accounts alice and bob; their names are their passwords."""
    place = Place(folder, pages)
    await place.open()
    try:
        assert place.server is not None
        for name in ("alice", "bob"):
            await place.server.register(name, name)
        yield place
    finally:
        await place.close()
