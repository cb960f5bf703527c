"""Data channels between two slixmpp clients, through the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from slixmpp import JID

from tests.client.people import people
from tests.kit.world import a_world
from xmppd.client.channels import Channels, anyone, unpacked

MODULES = {"ping": {}, "disco": {}}


async def test_records_come_in_the_order_they_were_yielded() -> None:
    async with a_world(modules=MODULES) as world, people(world, "a/game", "b/game") as (a, b):

        @Channels.of(a).service("count", allow=anyone)
        async def count(asker: JID) -> AsyncIterator[object]:
            for number in range(1000):
                yield {"x": number}

        channel = Channels.of(b).open("a@localhost/game", "count", decode=unpacked)
        assert [record["x"] async for record in channel] == list(range(1000))


async def test_leaving_the_loop_closes_the_channel() -> None:
    async with a_world(modules=MODULES) as world, people(world, "a/game", "b/game") as (a, b):
        closed = asyncio.Event()

        @Channels.of(a).service("ticks", allow=anyone)
        async def ticks(asker: JID) -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"tick"
                    await asyncio.sleep(0)
            finally:
                closed.set()

        async for record in Channels.of(b).open("a@localhost/game", "ticks"):
            assert record == b"tick"
            break
        await asyncio.wait_for(closed.wait(), 5)
