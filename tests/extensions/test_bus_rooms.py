"""Rooms of the bus stand in the configuration, and are there before anybody joins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.extensions.buses import BUS, ROOM, TOKEN, a_server, archived, members, post, watcher
from tests.kit.client import error_of
from tests.kit.world import World
from xmppd.api import ConfigError
from xmppd.config import Config
from xmppd.server_commands.checking import check_modules
from xmppd.xmpp.jid import JID

CLOSED = {"cache": {"members": ["web1@localhost", "web2@localhost"], "tokens": [TOKEN]}}
MUC = "http://jabber.org/protocol/muc"


async def settings(world: World) -> dict[str, str]:
    found = await world.module("muc").get_room_options("cache", "conference.localhost")
    return {each["name"]: each["value"] for each in found}


async def affiliations(world: World) -> dict[str, str]:
    found = await world.module("muc").get_room_affiliations("cache", "conference.localhost")
    return {each["username"]: each["affiliation"] for each in found}


async def enter(world: World, name: str) -> Any:
    """The answer to somebody who enters."""
    client = await world.session(f"{name}/desk")
    client.send(f"<presence to='{ROOM}/{name}'><x xmlns='{MUC}'/></presence>")
    return (await client.pending())[-1]


async def test_a_room_is_there_in_the_right_shape_before_anybody_joins() -> None:
    async with a_server(rooms=CLOSED) as world:
        shape = await settings(world)
        assert {shape[name] for name in ("persistent", "mam", "members_only")} == {"true"}
        assert {shape[name] for name in ("moderated", "public")} == {"false"}
        assert shape["maxhistoryfetch"] == "0"
        assert await affiliations(world) == {"web1": "member", "web2": "member"}


async def test_only_members_enter_where_there_are_some() -> None:
    async with a_server(rooms=CLOSED) as world:
        assert error_of(await enter(world, "eve")) == "registration-required"
        async with members(world, "web1", "web2") as (first, _):
            assert await first.invalidate("a")


async def test_everybody_enters_where_there_are_none() -> None:
    async with a_server() as world:
        assert (await enter(world, "eve")).find("{jabber:client}subject") is not None


async def test_who_enters_is_given_no_history() -> None:
    async with a_server() as world:
        await post(world, "a")
        assert (await enter(world, "bob")).find("{jabber:client}subject") is not None
        bob = await watcher(world, "carol")
        assert [body for _, body in await archived(bob)] == ["a"]


async def test_a_room_that_exists_is_brought_to_its_shape(tmp_path: Path) -> None:
    async with a_server(tmp_path, rooms={}) as world:
        muc = world.module("muc")
        await muc.create_room("cache", "conference.localhost", "localhost")
        await muc.change_room_option("cache", "conference.localhost", "title", "Ours")
        await muc.change_room_option("cache", "conference.localhost", "moderated", "true")
        for jid, affiliation in (("carol", "owner"), ("dave", "member"), ("web1", "outcast")):
            await muc.set_room_affiliation("cache", "conference.localhost", JID(jid, "localhost"), affiliation)
    async with a_server(tmp_path, rooms=CLOSED) as world:
        shape = await settings(world)
        assert (shape["title"], shape["moderated"], shape["members_only"]) == ("Ours", "false", "true")
        assert await affiliations(world) == {"carol": "owner", "web1": "outcast", "web2": "member"}


async def test_a_restart_keeps_the_shape(tmp_path: Path) -> None:
    async with a_server(tmp_path, rooms=CLOSED) as world:
        before = await settings(world), await affiliations(world)
        await post(world, "a")
    async with a_server(tmp_path, rooms=CLOSED) as world:
        assert (await settings(world), await affiliations(world)) == before
        async with members(world, "web1"):
            assert (await post(world, "b")).status == 200


async def test_no_rates_bind_a_room_of_the_bus() -> None:
    slow = {"room_message_rate": 1, "min_message_interval": 5, "crowd_size": 1}
    slow |= {"user_message_rate": 0.01, "user_presence_rate": 0.01}
    async with a_server(muc=slow) as world, members(world, "web1", "web2") as (first, second):
        while not (first.members and second.members):
            await first.invalidate("a-barrier")
        for number in range(10):
            assert await first.invalidate(f"key:{number}", confirm=True, timeout=20)


async def test_they_bind_other_rooms() -> None:
    async with a_server(muc={"min_message_interval": 5}) as world:
        bob = await world.session("bob/desk")
        bob.send(f"<presence to='chat@conference.localhost/bob'><x xmlns='{MUC}'/></presence>")
        await bob.pending()
        for _ in range(2):
            bob.send("<message type='groupchat' to='chat@conference.localhost'><body>hi</body></message>")
        await bob.receives("c:message[c:body]")
        await bob.receives_error("resource-constraint")


async def test_a_new_configuration_makes_and_lets_go_rooms() -> None:
    async with a_server() as world:
        bus = world.module(BUS)
        bus.options = bus.Options.model_validate({"rooms": {"third": {"tokens": [TOKEN]}}})
        await bus.change(None)
        assert (await post(world, "a", "/bus/third")).status == 200
        assert (await post(world, "a", "/bus/cache")).status == 404
        assert world.module("muc").rooms.loaded["cache"].warden is None


async def test_stop_leaves_nothing_behind() -> None:
    async with a_server() as world:
        muc, loader = world.module("muc"), world.server._loaders["localhost"]
        await loader.unload(BUS)
        assert (muc.wardens, muc.rooms.loaded["cache"].warden) == ({}, None)
        assert not any(name.startswith("urn:xmppd:bus:0") for name in muc.messages)
        assert (await post(world, "a")).status == 404


# The configuration


@pytest.mark.parametrize(
    ("room", "problem"),
    [
        ({"tokens": ["short"]}, "16 characters"),
        ({"tokens": [1234567890123456789]}, "between quotes"),
        ({"tokens": ["$NO_SUCH_VARIABLE_HERE"]}, "NO_SUCH_VARIABLE_HERE"),
        ({"tokens": ["file:nothing-here"]}, "cannot read"),
        ({"members": ["@"]}, "no address"),
        ({"members": ["a@localhost/b"]}, "resource"),
        ({"memebrs": []}, "memebrs"),
    ],
)
async def test_what_is_wrong_is_said_without_showing_a_secret(room: dict[str, Any], problem: str) -> None:
    config = Config.from_dict({"modules": {"muc": {}, "mam": {}, BUS: {"rooms": {"cache": room}}}})
    with pytest.raises(ConfigError) as caught:
        check_modules(config)
    assert problem in str(caught.value)
    assert "1234567890" not in str(caught.value)
    assert "short" not in str(caught.value)


async def test_a_token_may_lie_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    modules = {"muc": {}, "mam": {}, BUS: {"rooms": {"cache": {"tokens": ["file:token"]}}}}
    check_modules(Config.from_dict({"modules": modules}, tmp_path))
    with pytest.raises(ConfigError):
        check_modules(Config.from_dict({"modules": modules}))
