"""Admin commands about who is online."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.world import World, a_world
from xmppd.commands import CommandError


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as world:
        yield world


async def ask(world: World, name: str, *arguments: str) -> Any:
    return await world.server.commands.call(name, arguments)


async def test_who_is_connected(world: World) -> None:
    assert await ask(world, "connected_users") == []
    for address in ("bob/home", "alice/phone", "alice/desk"):
        await world.session(address)
    assert await ask(world, "connected_users") == [
        "alice@localhost/desk",
        "alice@localhost/phone",
        "bob@localhost/home",
    ]
    assert await ask(world, "connected_users_number") == 3
    assert await ask(world, "connected_users_vhost", "localhost") == await ask(world, "connected_users")
    assert await ask(world, "user_resources", "alice", "localhost") == ["phone", "desk"]
    assert (await ask(world, "status"))["sessions"] == 3


async def test_what_is_known_of_a_session(world: World) -> None:
    await world.session("alice/phone")
    await world.advance(90)
    (row,) = await ask(world, "user_sessions_info", "alice", "localhost")
    assert row["jid"] == "alice@localhost/phone"
    assert row["ip"] == "127.0.0.1"
    assert row["connection"] == "c2s"
    assert row["status"] == "unavailable"
    assert row["uptime"] == 90
    assert await ask(world, "connected_users_info") == [row]


async def test_one_session_is_kicked(world: World) -> None:
    phone, desk = await world.session("alice/phone"), await world.session("alice/desk")
    await ask(world, "kick_session", "alice", "localhost", "phone", "enough")
    await phone.receives_stream_error("policy-violation")
    await desk.ping()
    assert await ask(world, "connected_users") == ["alice@localhost/desk"]
    with pytest.raises(CommandError, match="alice@localhost/phone is not connected; `connected_users` lists who is"):
        await ask(world, "kick_session", "alice", "localhost", "phone")


async def test_all_sessions_of_a_user_are_kicked(world: World) -> None:
    phone, desk = await world.session("alice/phone"), await world.session("alice/desk")
    bob = await world.session("bob/home")
    assert await ask(world, "kick_user", "alice", "localhost") == 2
    await phone.receives_stream_error("policy-violation")
    await desk.receives_stream_error("policy-violation")
    await bob.ping()
    assert await ask(world, "kick_user", "alice", "localhost") == 0


async def test_who_is_unregistered_is_thrown_out(world: World) -> None:
    phone = await world.session("alice/phone")
    await ask(world, "unregister", "alice", "localhost")
    await phone.receives_stream_error("not-authorized")
    with pytest.raises(CommandError, match="there is no account alice@localhost"):
        await ask(world, "unregister", "alice", "localhost")


async def test_the_level_of_the_log(world: World) -> None:
    with pytest.raises(CommandError, match="there is no level 'loud'; levels are debug, info"):
        await ask(world, "set_loglevel", "loud")
