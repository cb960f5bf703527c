"""A client for stories that comes by WebSocket (RFC 7395); what it sends can be wrong on purpose."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from base64 import b64encode
from hashlib import sha1
from secrets import token_bytes
from typing import Self

from lxml import etree

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .client import PATIENCE, Client
from .world import World

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATH = "/xmpp-websocket"
OPEN = f"<open xmlns='{ns.FRAMING}' to='{{host}}' version='1.0' xml:lang='en'/>"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def masked(opcode: int, payload: bytes, flags: int = 0x80, key: bytes | None = None) -> bytes:
    """One frame as a client sends it."""
    key = token_bytes(4) if key is None else key
    size = len(payload)
    if size < 126:
        head = bytes([flags | opcode, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([flags | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([flags | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def packed(payload: bytes) -> bytes:
    """A payload as permessage-deflate has it."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


class WebSocket(Client):
    """One WebSocket. `status` and `headers` are the server's answer to the handshake."""

    status = 0
    headers: dict[str, str]
    path = PATH
    body = b""

    @classmethod
    async def knock(
        cls, port: int, context: ssl.SSLContext | None = None, host: str = "localhost", **changes: str | None
    ) -> Self:
        """Send the handshake, with headers changed (`sec_websocket_key=...`) or left out (None); read the answer."""
        streams = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=host if context else None
        )
        client = cls(*streams, host)
        key = b64encode(token_bytes(16)).decode()
        given = {
            "host": f"{host}:{port}", "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13",
            "sec-websocket-key": key, "sec-websocket-protocol": "xmpp",
        } | {name.replace("_", "-"): value for name, value in changes.items()}  # fmt: skip
        method, path = given.pop("method", "GET"), given.pop("path", PATH)
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in given.items() if value is not None),
        ]
        client.writer.write("\r\n".join([*lines, "", ""]).encode())
        await client._answer()
        if client.status == 101:
            expected = b64encode(sha1(key.encode() + MAGIC, usedforsecurity=False).digest()).decode()
            assert client.headers["sec-websocket-accept"] == expected
        return client

    async def _answer(self) -> None:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode()
        first, *lines = head.strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" in self.headers:
            self.body = await self.reader.readexactly(int(self.headers["content-length"]))

    async def open(self) -> Element:
        """Open a stream and return the features."""
        self.send(OPEN.format(host=self.host))
        opened = await self.receive()
        assert opened.tag == f"{{{ns.FRAMING}}}open", opened.tag
        self.features = await self.receive()
        assert self.features.tag == f"{{{ns.STREAM}}}features", self.features.tag
        return self.features

    def send(self, xml: str | bytes) -> None:
        """Send one message."""
        self.put(masked(TEXT, xml if isinstance(xml, bytes) else xml.encode()))

    def put(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def receive(self) -> Element:
        """The next element; pings of the server are answered."""
        while not self._inbox:
            opcode, payload = await self.message()
            if opcode == PING:
                self.put(masked(PONG, payload))
                continue
            assert opcode == TEXT, (opcode, payload)
            self._inbox.append(etree.fromstring(payload))
        return self._inbox.popleft()

    async def message(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and payload; a compressed one is unpacked."""
        first, second = await self._exactly(2)
        size = second & 0x7F
        assert not second & 0x80, "a server masks nothing"
        if size == 126:
            size = int.from_bytes(await self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._exactly(8), "big")
        payload = await self._exactly(size)
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        return first & 0x0F, payload

    async def closes(self, code: int) -> None:
        """The server sends its close frame with this code, then closes."""
        opcode, payload = await self.message()
        assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, code), (opcode, payload)
        self.put(masked(CLOSE, payload[:2]))
        assert await asyncio.wait_for(self.reader.read(), PATIENCE) == b""
        await self.drop()

    async def receives_close(self) -> Element:
        """`<close/>`, the end of the server's stream."""
        element = await self.receive()
        assert element.tag == f"{{{ns.FRAMING}}}close", etree.tostring(element)
        return element

    async def receives_stream_error(self, condition: str) -> None:
        """A stream error comes, then `<close/>`."""
        error = await self.receive()
        assert error.find(f"{{urn:ietf:params:xml:ns:xmpp-streams}}{condition}") is not None, etree.tostring(error)
        await self.receives_close()
        await self.close()

    async def close(self) -> None:
        """End the stream in order, then the WebSocket."""
        try:
            if not self.writer.is_closing():
                self.send(f"<close xmlns='{ns.FRAMING}'/>")
                self.put(masked(CLOSE, (1000).to_bytes(2, "big")))
                await asyncio.wait_for(self.reader.read(), PATIENCE)
        except (OSError, ssl.SSLError):
            pass  # the server was quicker
        await self.drop()

    async def _exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE)


async def websocket(world: World, address: str = "", door: int = -1, **changes: str | None) -> WebSocket:
    """A WebSocket to the numbered door of `world`; with an address it logs in and binds, and sends no presence."""
    client = await WebSocket.knock(world.server.doors[door].port, host=world.server.host, **changes)
    world.clients.append(client)
    if address:
        name, _, resource = address.partition("/")
        await world.account(name)
        await client.open()
        await client.login(name, name)
        await client.bind(resource)
    return client
