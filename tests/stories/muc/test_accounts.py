"""Rooms keep nothing of an account that is removed but a ban: who registers under the name is a stranger."""

import asyncio
from typing import Any

import pytest

from tests.kit.world import World
from xmppd.api import AccountEvent
from xmppd.xmpp.jid import JID

from .coven import ROOM, a_service, enters, found, has, item, nick, world
from .ruling import Company, affiliated, affiliation, coven, does, gather, listed, role
from .test_register import register

__all__ = ["coven", "world"]


async def remove(world: World, name: str) -> None:
    """The account goes, and its sessions."""
    await world.host.remove_account(JID.parse(f"{name}@localhost"))


async def test_it_has_no_affiliation_any_more(coven: Company) -> None:
    await remove(coven.world, "hag66")
    assert await listed(coven.owner, affiliation="member") == {}


async def test_a_ban_stays(coven: Company) -> None:
    await does(coven.owner, affiliation("hecate", "outcast"))
    await remove(coven.world, "hecate")
    assert list(await listed(coven.owner, affiliation="outcast")) == ["hecate"]


async def test_it_has_no_voice_any_more(world: World) -> None:
    company = await gather(world, moderatedroom="1")
    await does(company.admin, role("fourthwitch", "participant"))
    await remove(world, "hecate")
    other = await world.online("hecate/broom")
    entered = await enters(other, "fourthwitch")
    assert item(entered[-2])["role"] == "visitor"


async def test_its_nick_is_free_where_the_domain_alone_made_it_a_member(world: World) -> None:
    company = await gather(world)
    await does(company.owner, affiliated(none="hag66@localhost", member="localhost"))
    await does(company.member, register("Hag"))
    await remove(world, "hag66")
    await does(company.stranger, register("Hag"))


async def test_a_room_that_is_being_loaded_forgets_it_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", persistentroom="1")
    await world.account("hag66")
    await does(crone, affiliation("hag66", "member"))
    crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
    await crone.pending()
    muc = world.module("muc")
    muc.rooms.drop(muc.rooms.loaded["coven"])
    load, has_read, may_go_on = muc.shelf.load, asyncio.Event(), asyncio.Event()

    async def slowly(room: JID) -> Any:
        record = await load(room)
        has_read.set()
        await may_go_on.wait()
        return record

    monkeypatch.setattr(muc.shelf, "load", slowly)
    loading = asyncio.create_task(muc.rooms.find("coven"))
    await has_read.wait()
    removing = asyncio.create_task(remove(world, "hag66"))
    while await muc.storage.fetch("SELECT 1 FROM muc_affiliations WHERE account = ?", "hag66@localhost"):
        await crone.ping()
    await crone.ping()
    may_go_on.set()
    await removing
    assert (await loading).affiliations == {"crone1@localhost": "owner"}


# 10: every room has an owner


async def affiliations(world: World) -> dict[str, str]:
    """Who is what in the room."""
    rows = await world.module("muc").get_room_affiliations("coven", "conference.localhost")
    return {row["username"]: row["affiliation"] for row in rows}


async def test_a_room_that_loses_its_last_owner_is_its_first_admins(world: World) -> None:
    company = await gather(world, persistentroom="1")
    await remove(world, "crone1")
    assert await affiliations(world) == {"wiccarocks": "owner", "hag66": "member"}
    gone, promoted = await company.stranger.pending()
    assert (nick(gone), gone.get("type")) == ("firstwitch", "unavailable")
    assert (nick(promoted), item(promoted)["affiliation"]) == ("secondwitch", "owner")


async def test_where_there_is_no_admin_it_is_its_first_members(world: World) -> None:
    await gather(world, persistentroom="1")
    for name in ("wiccarocks", "crone1"):
        await remove(world, name)
    assert await affiliations(world) == {"hag66": "owner"}


async def test_a_whole_domain_inherits_no_room(world: World) -> None:
    company = await gather(world, persistentroom="1")
    await does(company.owner, affiliated(member="elsewhere.example"))
    for name in ("wiccarocks", "hag66", "crone1"):
        await remove(world, name)
    await company.stranger.pending()
    company.stranger.send(
        f"<iq type='get' id='1' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    await company.stranger.receives_error("item-not-found")


async def test_one_owner_of_two_leaves_a_room_as_it_is(world: World) -> None:
    company = await gather(world, persistentroom="1")
    await does(company.owner, affiliated(owner="hecate@localhost"))
    await remove(world, "crone1")
    assert await affiliations(world) == {"hecate": "owner", "wiccarocks": "admin", "hag66": "member"}


async def test_a_room_that_is_only_stored_is_inherited_too() -> None:
    async with a_service() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1")
        for name in ("hag66", "abbess"):
            await world.account(name)
            await does(crone, affiliation(name, "member"))
        await crone.close()
        await world.advance(3700 + 60)  # the room leaves memory
        assert not world.module("muc").rooms.loaded
        await remove(world, "crone1")
        assert await affiliations(world) == {"abbess": "owner", "hag66": "member"}


async def test_a_stored_room_that_nobody_is_left_for_goes(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", persistentroom="1")
    await enters(hag, "thirdwitch")
    await remove(world, "crone1")
    assert has((await hag.pending())[-1], "m:x/m:destroy")
    assert world.module("muc").rooms.count == 0


async def test_a_temporary_room_stays_while_somebody_is_in_it(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch")
    await enters(hag, "thirdwitch")
    await remove(world, "crone1")
    assert await affiliations(world) == {}
    wicca = await world.online("wiccarocks/laptop")
    await enters(wicca, "secondwitch")


async def test_an_account_that_no_room_knows_costs_no_write_and_no_look_at_rooms(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As each anonymous session that ends."""
    crone = await world.online("crone1/desktop")
    for number in range(5):
        await found(crone, "firstwitch", room=f"room{number}@conference.localhost", persistentroom="1")
    muc = world.module("muc")
    monkeypatch.delattr(type(muc.storage), "write")
    monkeypatch.setattr(muc.rooms, "in_memory", None)
    await muc.forget_account(AccountEvent(JID.parse("nobody@localhost")))


async def test_rooms_that_are_gone_are_looked_for_no_more(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await enters(crone, "firstwitch")
    ledger = world.module("muc").rooms.ledger
    assert [room.jid for room in ledger.of("crone1@localhost")] == [ROOM]
    crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
    await crone.pending()
    assert ledger.of("crone1@localhost") == []
