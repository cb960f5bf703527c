"""Stands between one member and the server, and breaks what goes through it."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress


class Proxy:
    """One door on 127.0.0.1 that leads to the server."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._flows = {True: asyncio.Event(), False: asyncio.Event()}
        self.resume()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    @property
    def used(self) -> bool:
        """Whether there is a connection through it."""
        return bool(self._writers)

    def cut(self) -> None:
        """End all connections, politely."""
        for writer in list(self._writers):
            writer.close()

    def reset(self) -> None:
        """End all connections with a RST on both sides."""
        for writer in list(self._writers):
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def stall(self, *, up: bool, down: bool) -> None:
        """Keep the connections, and let nothing through that way."""
        for stalled, way in ((up, True), (down, False)):
            if stalled:
                self._flows[way].clear()

    def resume(self) -> None:
        """Let through again, what was held back first."""
        for flow in self._flows.values():
            flow.set()

    async def stop(self) -> None:
        assert self._server is not None
        self._stopped = True
        self._server.close()
        for task in self._tasks:
            task.cancel()
        self.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._writers.discard(writer)
            writer.close()
            return
        self._writers.add(far_writer)
        if self._stopped:
            self.reset()
            return
        for way, source, drain in ((True, reader, far_writer), (False, far_reader, writer)):
            task = asyncio.create_task(self._pump(source, drain, self._flows[way]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, flow: asyncio.Event) -> None:
        with suppress(OSError):
            while block := await source.read(65536):
                await flow.wait()
                drain.write(block)
                await drain.drain()
        self._writers.discard(drain)
        drain.close()
