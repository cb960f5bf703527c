"""Who may publish over HTTP, how much, and how often."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from tests.extensions.buses import OTHER, TOKEN, a_server, asking, figure, post, silent_member, told
from tests.kit.http import Http
from tests.kit.world import World

GROUPCHAT = "c:message[@type='groupchat']"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_server() as world:
        yield world


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "Bearer " + TOKEN])
async def test_without_a_good_token_it_is_401(world: World, token: str) -> None:
    answer = await post(world, "user:42", token=token)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert figure(world, "published_total") == 0


async def test_another_scheme_is_401(world: World) -> None:
    assert (await post(world, "user:42", token="", authorization=f"Basic {TOKEN}")).status == 401


async def test_who_has_no_token_does_not_learn_which_rooms_there_are(world: World) -> None:
    answers = [await post(world, "a", path, token="") for path in ("/bus/cache", "/bus/nowhere")]
    assert answers[0].body == answers[1].body
    assert {answer.status for answer in answers} == {401}


async def test_a_token_for_another_room_is_403(world: World) -> None:
    assert (await post(world, "a", token=OTHER)).status == 403


async def test_a_room_that_is_not_configured_is_404(world: World) -> None:
    assert (await post(world, "a", "/bus/nowhere")).status == 404


async def test_another_method_is_405(world: World) -> None:
    door = await Http.dial(world.server.doors[-1].port)
    assert (await door.ask("GET", "/bus/cache")).status == 405
    await door.close()


@pytest.mark.parametrize("body", ["", "\n \n", "a\x00b", "a\u200fb", "x" * 1001, b"\xff\xfe"])
async def test_what_is_no_id_is_400(world: World, body: str | bytes) -> None:
    answer = await post(world, body)
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body.endswith(b"\n")


@pytest.mark.parametrize("query", ["confirm=maybe", "timeout=soon", "timeout=-1", "timeout=31", "timeout=nan", "tag=a"])
async def test_what_is_no_wish_is_400(world: World, query: str) -> None:
    assert (await post(world, "a", f"/bus/cache?{query}")).status == 400


async def test_an_id_has_a_thousand_characters_at_most(world: World) -> None:
    assert (await post(world, "x" * 1000)).status == 200


@pytest.mark.parametrize("body", ["\n".join(map(str, range(10_001))), "x" * 262_145])
async def test_too_much_is_413(world: World, body: str) -> None:
    assert (await post(world, body)).status == 413


async def test_ids_are_told_once(world: World) -> None:
    web9 = await silent_member(world)
    await post(world, "a\r\nb\r\n\r\n a \n")
    assert (await web9.receives(GROUPCHAT)).findtext("{jabber:client}body") == "a\nb"


async def test_too_often_is_429_until_time_has_passed() -> None:
    async with a_server(rate=2) as world:
        statuses = [(await post(world, "a")).status for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]
        assert (await post(world, "a", "/bus/other", OTHER)).status == 200  # each token for itself
        await world.advance(1)
        assert (await post(world, "a")).status == 200


async def test_too_many_that_wait_is_429() -> None:
    async with a_server(max_waiting=1) as world:
        web9 = await silent_member(world)
        waiting = asking(world, "a", 1.0)
        await web9.receives(GROUPCHAT)
        assert (await post(world, "b", "/bus/cache?confirm=1")).status == 429
        assert (await post(world, "b")).status == 200  # who does not wait is not concerned
        assert (await waiting)["missing"] == ["web9"]
        assert (await told(world, "c", "/bus/cache?confirm=1&timeout=0"))["missing"] == ["web9"]


async def test_tokens_are_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await post(world, "a")
        await post(world, "a", token=TOKEN[:-1])
        await post(world, "a", "/bus/nowhere")
    assert TOKEN[:-1] not in caplog.text
    assert TOKEN not in repr(world.module("xmppd.extensions.bus").options)
    assert TOKEN.encode() not in world.server.metrics.render()


async def test_the_room_is_404_no_longer_once_it_is_made_anew(world: World) -> None:
    await world.module("muc").destroy_room("cache", "conference.localhost")
    assert (await post(world, "a")).status == 200
    assert (await told(world, "b"))["ids"]
