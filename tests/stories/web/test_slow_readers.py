"""Pages for who reads slowly: they arrive whole, and only where nothing moves any more is the connection cut."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.http import Http
from tests.kit.world import World

from .doors import HANDLERS, a_web, http_door

PAGE = 24 << 20  # bytes; more than what both kernels' buffers take
BUFFER = 65536  # bytes
STEP = 4 * BUFFER  # read in the five seconds between two looks: more than what had come already


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[World]:
    with (tmp_path / "page").open("wb") as page:
        page.truncate(PAGE)
    async with a_web(http_door(document_root=str(tmp_path), request_handlers={**HANDLERS, "/": "pages"})) as made:
        yield made


async def asked(web: World, **headers: str) -> Http:
    """Who has asked for the page, and has read no more than the head of the answer."""
    connection = await Http.dial(web.server.doors[-1].port)
    connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    connection.send("GET", "/page", **headers)
    head = await connection.reader.readuntil(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % PAGE in head
    return connection


@pytest.mark.parametrize(("headers", "seconds"), [({"connection": "close"}, 60), ({}, 250)])
async def test_a_page_arrives_whole_however_slowly_it_is_read(
    web: World, headers: dict[str, str], seconds: int
) -> None:
    connection = await asked(web, **headers)
    left = PAGE
    for _ in range(seconds // 5):
        left -= len(await connection.reader.readexactly(STEP))
        await web.advance(5)
    assert len(await connection.reader.readexactly(left)) == left
    await connection.close()


@pytest.mark.parametrize(("headers", "seconds"), [({"connection": "close"}, 30), ({}, 210)])
async def test_who_reads_nothing_any_more_is_cut_off(web: World, headers: dict[str, str], seconds: int) -> None:
    connection = await asked(web, **headers)
    await connection.reader.readexactly(STEP)
    await web.advance(seconds)
    assert not web.server.doors[-1].connections
    await connection.close()


async def test_who_reads_has_no_more_time_for_its_next_request(web: World) -> None:
    connection = await asked(web)
    connection.put(b"GET /page HTTP/1.1\r\n")
    door = web.server.doors[-1]
    for _ in range(6):
        await connection.reader.readexactly(STEP)
        await web.advance(5)
    (refused,) = door.connections
    assert refused.closing
    await connection.close()
