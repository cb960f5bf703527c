"""A TCP proxy that does to connections what tunnels, lifts and dying routers do."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

CHUNK: Final = 16384
ABORT: Final = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Link:
    """One connection through the proxy; its bytes go both ways while the gates are open."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.upward, self.downward = asyncio.Event(), asyncio.Event()
        self.upward.set()
        self.downward.set()
        self.closed = False

    async def carry(self, reader: asyncio.StreamReader) -> None:
        """Until either side ends."""
        try:
            from_server, self.server = await asyncio.open_connection("127.0.0.1", self._proxy.target)
        except OSError:
            self.reset()
            return
        ways = (
            self._pump(reader, self.server, self.upward),
            self._pump(from_server, self.client, self.downward),
        )
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.cut()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        try:
            while data := await reader.read(CHUNK):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass

    def stall(self) -> None:
        """Nothing passes, and nobody is told."""
        self.upward.clear()
        self.downward.clear()

    def go_on(self) -> None:
        """All passes again."""
        self.upward.set()
        self.downward.set()

    def hold_back(self) -> None:
        """What the client says, its acknowledgements too, does not pass."""
        self.upward.clear()

    def cut(self) -> None:
        """Both sides see an end; what was underway is lost."""
        self.closed = True
        for side in (self.client, self.server):
            if side is not None:
                side.close()

    def reset(self) -> None:
        """Both sides see a reset."""
        self.closed = True
        for side in (self.client, self.server):
            _reset(side)

    def lose_client(self) -> None:
        """The client sees a reset and comes again; the server goes on believing in the old connection."""
        self.stall()
        _reset(self.client)


def _reset(side: asyncio.StreamWriter | None) -> None:
    if side is None:
        return
    connection = side.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    side.transport.abort()


class Proxy:
    """Listens, and carries every connection to `target`, a port of this machine."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.links: set[Link] = set()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, writer)
        self.links.add(link)
        try:
            await link.carry(reader)
        except asyncio.CancelledError:
            pass
        finally:
            self.links.discard(link)

    def heal(self) -> None:
        """Whoever is stalled goes on."""
        for link in self.links:
            link.go_on()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.reset()
        while self.links:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
