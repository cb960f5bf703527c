"""docs/examples/bus_flask.py runs as it says."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.clients.servers import free_ports

from .rooms import PATIENCE, Place, within
from .servers import HOST, Server, accepts

SHOP = Path(__file__).parents[3] / "docs" / "examples" / "bus_flask.py"


async def started(port: int, server: Server, folder: Path) -> Process:
    """One process of the shop."""
    (certificate,) = (server.folder / "data" / "certificates").glob("*.pem")
    settings = {
        "BUS_JID": f"alice@{HOST}",
        "BUS_PASSWORD": "alice",
        "BUS_ROOM": Place(server, "shop").room,
        "BUS_HOST": "127.0.0.1",
        "BUS_PORT": str(server.port),
        "BUS_CA_CERTS": str(certificate),
        "SHOP": str(folder / "shop.sqlite"),
    }
    command = (sys.executable, str(SHOP), str(port))
    return await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **settings}, stdout=DEVNULL, stderr=DEVNULL
    )


async def test_two_processes_agree(xmppd: Server, tmp_path: Path) -> None:
    pytest.importorskip("flask")
    ports = free_ports(2)
    async with AsyncExitStack() as stack:
        for port in ports:
            process = await started(port, xmppd, tmp_path)
            stack.push_async_callback(process.wait)
            stack.callback(process.kill)
            async with asyncio.timeout(PATIENCE):
                while not await accepts(port):
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        first, second = (f"http://127.0.0.1:{port}/price/tea" for port in ports)

        async def told(answer: aiohttp.client._RequestContextManager) -> dict[str, object]:
            found: dict[str, object] = await (await within(answer)).json()
            return found

        assert (await session.get(first)).status == 404
        assert await told(session.put(first, data="3")) == {"confirmed": 1, "missing": []}
        assert [(await told(session.get(second)))["loads"] for _ in range(3)] == [1, 1, 1]
        await told(session.put(first, data="4"))
        assert (await told(session.get(second)))["price"] == 4
        assert (await told(session.get(first)))["price"] == 4
