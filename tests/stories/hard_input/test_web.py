"""Strangers who come by WebSocket, and will not listen or leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.bosh import PATH, body, bosh
from tests.kit.http import Http
from tests.kit.websocket import PING, WebSocket, masked, websocket
from tests.stories.hard_input.calm import Calm
from tests.stories.web.doors import HANDLERS, a_web, http_door

MAX_QUEUE = 100_000
PINGS = masked(PING, b"x" * 125, key=b"mask") * 500
ROUNDS = 400  # of those: 26 MB, several times what both kernels' buffers take


@pytest.fixture
async def calm() -> AsyncIterator[Calm]:
    """Two people who chat by TCP, beside a door for HTTP."""
    async with a_web(limits={"max_queue": MAX_QUEUE}) as world:
        yield Calm(world, await world.session("bob/x"), await world.session("carol/x"))


async def is_cut_off(client: WebSocket) -> bool:
    """Whether a client that pings and reads no answer is."""
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    try:
        for _ in range(ROUNDS):
            client.put(PINGS)
            await client.writer.drain()
    except ConnectionError:
        return True
    finally:
        client.writer.transport.abort()
    return False


@pytest.mark.parametrize("who", ["", "eve/x"])
async def test_pings_of_somebody_who_reads_nothing_fill_no_memory(calm: Calm, who: str) -> None:
    eve = await websocket(calm.world, who)
    assert await is_cut_off(eve)
    await calm.chat()
    assert not calm.world.server.doors[-1].connections


async def goes_on_talking(calm: Calm, client: WebSocket, seconds: int) -> None:
    """It pings every five seconds, whatever it is told."""
    for _ in range(seconds // 5):
        client.put(masked(PING, b"and another thing"))
        await calm.chat()
        await calm.world.advance(5)


async def test_who_talks_and_does_not_log_in_is_gone_in_time(calm: Calm) -> None:
    eve = await websocket(calm.world)
    await eve.open()
    await goes_on_talking(calm, eve, 80)
    shared = calm.world.server.shared
    assert shared is not None
    assert shared.unauthenticated == 0


async def test_who_goes_on_talking_after_its_stream_has_ended_is_cut_off(calm: Calm) -> None:
    eve = await websocket(calm.world, "eve/x")
    eve.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
    await eve.receives_close()
    await goes_on_talking(calm, eve, 20)
    assert not calm.world.server.doors[-1].connections


async def test_answers_behind_a_request_that_is_held_fill_no_memory(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"x" * 10_000)
    door = http_door(document_root=str(tmp_path), request_handlers={**HANDLERS, "/": "pages"})
    async with a_web(door, limits={"max_queue": MAX_QUEUE}) as web:
        eve = await bosh(web)
        connection = await Http.dial(web.server.doors[-1].port)
        connection.send("POST", PATH, body(rid=eve.rid + 1, sid=eve.sid))
        for _ in range(20):
            connection.send("GET", "/page")
        assert await connection.ended()
        await connection.close()
