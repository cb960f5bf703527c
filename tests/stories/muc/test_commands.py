"""Rooms by xmppctl."""

from collections.abc import Awaitable
from typing import Any

import pytest

from tests.kit.world import World
from xmppd.commands import CommandError

from .coven import ROOM, a_service, codes, entering, enters, found, has, item, say, world
from .ruling import OWNER, Company, coven, does, query, sees

__all__ = ["coven", "world"]

SERVICE = "conference.localhost"
COVEN = ("coven", SERVICE)


def ctl(world: World, *words: str) -> Awaitable[Any]:
    """`xmppctl WORDS`."""
    return world.host.house.commands.call(words[0], words[1:])


async def options(world: World) -> dict[str, str]:
    """What the room is set to."""
    return {row["name"]: row["value"] for row in await ctl(world, "get_room_options", *COVEN)}


async def test_create_room(world: World) -> None:
    await ctl(world, "create_room", *COVEN, "localhost")
    assert (await options(world))["persistent"] == "true"
    assert await ctl(world, "muc_online_rooms", SERVICE) == [ROOM]
    hag = await world.online("hag66/pda")
    entered = await enters(hag, "thirdwitch")
    assert (item(entered[0])["affiliation"], codes(entered[0])) == ("none", ["110"])
    with pytest.raises(CommandError, match="already"):
        await ctl(world, "create_room", *COVEN, "localhost")


async def test_create_room_with_opts(world: World) -> None:
    wanted = "members_only:true,max_users:20,title:A Dark Cave,anonymous:false,presence_broadcast:moderator;visitor"
    await ctl(world, "create_room_with_opts", *COVEN, "localhost", wanted)
    found = await options(world)
    assert {
        name: found[name] for name in ("members_only", "max_users", "title", "anonymous", "presence_broadcast")
    } == {
        "members_only": "true",
        "max_users": "20",
        "title": "A Dark Cave",
        "anonymous": "false",
        "presence_broadcast": "moderator,visitor",
    }


@pytest.mark.parametrize("wrong", ["smell:sulphur", "members_only", "members_only:perhaps", "max_users:1001"])
async def test_a_room_is_not_made_with_wrong_options(world: World, wrong: str) -> None:
    with pytest.raises(CommandError):
        await ctl(world, "create_room_with_opts", *COVEN, "localhost", wrong)
    assert await ctl(world, "muc_online_rooms", "global") == []


async def test_every_option_that_is_shown_can_be_set(world: World) -> None:
    await ctl(world, "create_room", *COVEN, "localhost")
    before = await options(world)
    for name, value in before.items():
        await ctl(world, "change_room_option", *COVEN, name, value)
    assert await options(world) == before


async def test_change_room_option(coven: Company) -> None:
    await ctl(coven.world, "change_room_option", *COVEN, "anonymous", "false")
    assert codes(await coven.stranger.receives(f"c:message[@from='{ROOM}']")) == ["172"]
    await ctl(coven.world, "change_room_option", *COVEN, "max_users", "7")
    assert (await options(coven.world))["max_users"] == "7"
    with pytest.raises(CommandError, match="smell"):
        await ctl(coven.world, "change_room_option", *COVEN, "smell", "sulphur")


async def test_destroy_room(coven: Company) -> None:
    await ctl(coven.world, "destroy_room", *COVEN)
    for client in coven.everybody:
        assert has(await client.receives("c:presence[@type='unavailable']"), "m:x/m:destroy")
    with pytest.raises(CommandError, match="no room"):
        await ctl(coven.world, "destroy_room", *COVEN)


async def test_get_room_occupants(coven: Company) -> None:
    rows = await ctl(coven.world, "get_room_occupants", *COVEN)
    assert rows[0] == {"jid": "crone1@localhost/desktop", "nick": "firstwitch", "role": "moderator"}
    assert [row["nick"] for row in rows] == ["firstwitch", "secondwitch", "thirdwitch", "fourthwitch"]
    assert await ctl(coven.world, "get_room_occupants_number", *COVEN) == 4


async def test_get_user_rooms(coven: Company) -> None:
    assert await ctl(coven.world, "get_user_rooms", "hag66", "localhost") == [ROOM]
    assert await ctl(coven.world, "get_user_rooms", "lear", "localhost") == []


async def test_set_room_affiliation(coven: Company) -> None:
    await ctl(coven.world, "set_room_affiliation", *COVEN, "hecate@localhost", "admin")
    await sees(coven.member, "fourthwitch", "admin", "moderator")
    assert await ctl(coven.world, "get_room_affiliation", *COVEN, "hecate@localhost") == "admin"
    assert await ctl(coven.world, "get_room_affiliation", *COVEN, "lear@localhost") == "none"
    rows = await ctl(coven.world, "get_room_affiliations", *COVEN)
    assert [(row["username"], row["affiliation"]) for row in rows] == [
        ("crone1", "owner"),
        ("hag66", "member"),
        ("hecate", "admin"),
        ("wiccarocks", "admin"),
    ]
    with pytest.raises(CommandError, match="king"):
        await ctl(coven.world, "set_room_affiliation", *COVEN, "hecate@localhost", "king")
    with pytest.raises(CommandError, match="owner"):
        await ctl(coven.world, "set_room_affiliation", *COVEN, "crone1@localhost", "none")


async def test_rooms_unused_list_and_destroy(world: World) -> None:
    await ctl(world, "create_room", *COVEN, "localhost")
    await ctl(world, "create_room", "cave", SERVICE, "localhost")
    hag = await world.online("hag66/pda")
    await enters(hag, "thirdwitch", room=f"cave@{SERVICE}")
    assert await ctl(world, "rooms_unused_list", SERVICE, "1") == []
    world.clock._now += 2 * 86_400
    assert await ctl(world, "rooms_unused_list", SERVICE, "1") == [ROOM], "nobody is in it"
    assert await ctl(world, "rooms_unused_destroy", "global", "1") == [ROOM]
    assert await ctl(world, "muc_online_rooms", SERVICE) == [f"cave@{SERVICE}"]
    with pytest.raises(CommandError):
        await ctl(world, "rooms_unused_list", SERVICE, "-1")


async def test_rooms_empty_list_and_destroy(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", persistentroom="1")
    crone.send(say("Something was said here"))
    crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
    await crone.pending()
    for name in ("cave", "heath"):
        await ctl(world, "create_room", name, SERVICE, "localhost")
    await enters(crone, "firstwitch", room=f"heath@{SERVICE}")
    assert await ctl(world, "rooms_empty_list", SERVICE) == [f"cave@{SERVICE}"]
    assert await ctl(world, "rooms_empty_destroy", SERVICE) == [f"cave@{SERVICE}"]
    assert await ctl(world, "muc_online_rooms", SERVICE) == [ROOM, f"heath@{SERVICE}"]


async def test_a_room_whose_archive_holds_something_is_not_empty() -> None:
    async with a_service(history_size=0) as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1")
        crone.send(say("Something was said here"))
        crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
        await crone.pending()
        assert await ctl(world, "rooms_empty_list", SERVICE) == []


async def test_send_direct_invitation(coven: Company) -> None:
    lear, macbeth = await coven.world.online("lear/castle"), await coven.world.online("macbeth/castle")
    guests = "lear@localhost:macbeth@localhost"
    await ctl(coven.world, "send_direct_invitation", *COVEN, "none", "Come", guests)
    for client in (lear, macbeth):
        invitation = await client.receives(f"c:message[@from='{ROOM}']")
        assert dict(invitation[0].attrib) == {"jid": ROOM, "reason": "Come"}


async def test_hats_by_xmppctl(coven: Company) -> None:
    await ctl(coven.world, "create_room_hat", *COVEN, "urn:hat:cook", "Cook")
    await coven.quiet()
    await ctl(coven.world, "assign_room_hat", *COVEN, "hag66@localhost", "urn:hat:cook")
    assert (await coven.stranger.receives("c:presence")).find("{urn:xmpp:hats:0}hats") is not None
    assert await ctl(coven.world, "get_room_hats", *COVEN) == [
        {"uri": "urn:hat:cook", "title": "Cook", "hue": "", "worn": "hag66@localhost"}
    ]
    await ctl(coven.world, "unassign_room_hat", *COVEN, "hag66@localhost", "urn:hat:cook")
    await ctl(coven.world, "destroy_room_hat", *COVEN, "urn:hat:cook")
    assert await ctl(coven.world, "get_room_hats", *COVEN) == []


async def test_commands_name_the_service_and_the_room(world: World) -> None:
    with pytest.raises(CommandError, match="its rooms are at"):
        await ctl(world, "create_room", "coven", "muc.localhost", "localhost")
    with pytest.raises(CommandError, match="no room"):
        await ctl(world, "get_room_options", *COVEN)
    with pytest.raises(CommandError, match="NAME"):
        await ctl(world, "create_room", "", SERVICE, "localhost")
    hag = await world.online("hag66/pda")
    hag.send(entering("thirdwitch"))
    await hag.ping()
    assert (await does(hag, query("", "get", OWNER))).get("type") == "result"
