"""Rooms keep nothing of an account that is removed but a ban: who registers under the name is a stranger."""

import asyncio
from typing import Any

import pytest

from tests.kit.world import World
from xmppd.xmpp.jid import JID

from .coven import ROOM, enters, found, item, world
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
