"""A file by plain in-band bytestream (XEP-0047), between two clients that know nothing of ours."""

from __future__ import annotations

import asyncio
import hashlib
import random
from io import BytesIO
from typing import Any

import pytest
from slixmpp import JID

from tests.client.people import people
from tests.kit.world import a_world

MEGABYTES = 10


@pytest.mark.slow
@pytest.mark.parametrize("use_messages", [False, True])
async def test_ten_megabytes_arrive_as_they_were_sent(use_messages: bool) -> None:
    file = random.Random(1).randbytes(MEGABYTES << 20)
    modules: dict[str, Any] = {"ping": {}, "disco": {}, "xmppd.extensions.data_channels": {"rate": 1 << 30}}
    async with a_world(modules=modules) as world, people(world, "romeo/orchard", "juliet/balcony") as (romeo, juliet):
        plugins: list[Any] = []
        for xmpp in (romeo, juliet):
            xmpp.register_plugin("xep_0199")
            xmpp.register_plugin("xep_0047", {"auto_accept": True})
            plugins.append(xmpp.plugin["xep_0047"])
        received, whole = hashlib.sha256(), asyncio.Event()
        juliet.add_event_handler("ibb_stream_data", lambda stream: received.update(stream.read()))
        juliet.add_event_handler("ibb_stream_end", lambda stream: whole.set())
        stream = await plugins[0].open_stream(JID("juliet@localhost/balcony"), use_messages=use_messages)
        if use_messages:
            await _in_pieces(stream, file)
        else:
            await stream.sendfile(BytesIO(file))
        await stream.close()
        await whole.wait()
        assert received.digest() == hashlib.sha256(file).digest()
        assert world.module("xmppd.extensions.data_channels").carried.value > MEGABYTES * (4 << 20) / 3


async def _in_pieces(stream: Any, file: bytes) -> None:
    """Messages have no answers; a ping after each piece keeps the queues short."""
    for at in range(0, len(file), 1 << 18):
        await stream.sendall(file[at : at + (1 << 18)])
        ping = stream.xmpp.make_iq_get(ito="localhost")
        ping.enable("ping")
        await ping.send()
