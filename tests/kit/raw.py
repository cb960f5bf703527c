"""A connection that says any bytes whatever, and takes all that the server answers up to the end."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Self

PATIENCE = 10.0  # seconds until a story that waits for nothing fails
HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to='localhost' version='1.0'>"
)
CONDITION = re.compile(rb"<stream:error><([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")


def condition_in(answer: bytes) -> str:
    """The stream error that ends all that a server has answered, empty where there is none."""
    found = CONDITION.findall(answer)
    assert len(found) <= 1, answer
    if not found:
        return ""
    assert b"<stream:stream " in answer, answer
    assert answer.endswith(b"</stream:error></stream:stream>"), answer
    return str(found[0].decode())


class Raw:
    """One socket: `async with Raw(port) as raw:`, then `send` bytes and `read` the rest."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes, size: int = 0) -> Self:
        """Send, in pieces of `size` where one is given; the server may have closed already."""
        loop = asyncio.get_running_loop()
        try:
            for at in range(0, len(data), size or len(data) or 1):
                await loop.sock_sendall(self._socket, data[at : at + (size or len(data))])
                if size:
                    await asyncio.sleep(0)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    async def read_until(self, mark: bytes) -> bytes:
        """All that came up to `mark`, taken out."""
        while mark not in self.answer:
            assert await self._more(), f"waited for {mark!r}, the server closed after {self.answer!r}"
        before, _, self.answer = self.answer.partition(mark)
        return before + mark

    async def read(self) -> bytes:
        """All that came until the server closed."""
        while await self._more():
            pass
        return self.answer

    async def error(self) -> str:
        """The stream error with which the server has closed, empty where there was none."""
        return condition_in(await self.read())

    async def _more(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            data = await asyncio.wait_for(loop.sock_recv(self._socket, 65536), PATIENCE)
        except ConnectionResetError:
            return False
        self.answer += data
        return bool(data)
