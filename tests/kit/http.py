"""HTTP by hand, for stories: what is sent can be wrong on purpose."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from dataclasses import dataclass
from typing import Self

import zstandard
from lxml import etree

from xmppd.xmpp.stanza import Element

from .client import PATIENCE


@dataclass
class Answer:
    """What the server answered; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> Element:
        """The body as an element."""
        return etree.fromstring(self.body)


class Http:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def dial(cls, port: int, context: ssl.SSLContext | None = None) -> Self:
        """Connect, and say nothing yet."""
        name = "localhost" if context else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name))

    def send(self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> None:
        """Send a request; `content_type="text/xml"` is a header."""
        given = {"host": "localhost"} | ({} if body is None else {"content-length": str(len(body))})
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        self.put("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    def put(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def answer(self, *, head: bool = False) -> Answer:
        """The next answer, unpacked; `head` says that it has no body."""
        lines = (await self._within(self.reader.readuntil(b"\r\n\r\n"))).decode("latin-1").strip().split("\r\n")
        status = int(lines[0].split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if status == 100:
            return Answer(status, headers, b"")
        size = 0 if head else int(headers.get("content-length", "0"))
        return Answer(status, headers, _unpacked(await self._within(self.reader.readexactly(size)), headers))

    async def ask(self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> Answer:
        """Send a request and read its answer."""
        self.send(method, path, body, **headers)
        return await self.answer(head=method == "HEAD")

    @property
    def silent(self) -> bool:
        """Whether nothing has come in that was not read. Ask once the server has had its turn."""
        return not self.reader._buffer  # type: ignore[attr-defined]

    async def ended(self) -> bool:
        """Whether the server closes, and says nothing before."""
        try:
            return await self._within(self.reader.read()) == b""
        except ConnectionResetError:
            return True

    async def close(self) -> None:
        """Cut the connection."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (OSError, ssl.SSLError):
            pass  # the server was quicker

    async def _within(self, reading: object) -> bytes:
        found: bytes = await asyncio.wait_for(reading, PATIENCE)  # type: ignore[arg-type]
        return found


def _unpacked(body: bytes, headers: dict[str, str]) -> bytes:
    how = headers.get("content-encoding", "")
    if how == "gzip":
        return zlib.decompress(body, zlib.MAX_WBITS | 16)
    if how == "zstd":
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=1 << 24)
    return body
