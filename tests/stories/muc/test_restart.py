"""A restart brings rooms back as they were, and so does being out of memory for long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit.world import World
from xmppd.config import Config
from xmppd.testing import MODULES, FakeClock, TestServer, settings
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from .coven import ROOM, bodies, codes, configure, entering, enters, found, has, item, nick, say
from .ruling import OWNER, affiliated, affiliation, configured, does, fails, field, listed, query
from .test_avatar import HASH, card, hashes, photo
from .test_hats import TEACHER, assign, create, rows
from .test_hats import hats as worn
from .test_register import register, reserved

Start = Callable[[], Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a server on one database, again and again."""

    @asynccontextmanager
    async def starting() -> AsyncIterator[World]:
        modules = {name: {} for name in MODULES} | {"muc": {"hibernation_timeout": 60}}
        config = Config.from_dict(settings(modules=modules, data_dir=str(tmp_path)))
        clock = FakeClock()
        async with TestServer(config, clock=clock) as server:
            world = World(server, clock)
            try:
                yield world
            finally:
                await world.close()

    return starting


async def test_a_room_comes_back_as_it_was(start: Start) -> None:
    async with start() as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch", persistentroom="1", roomname="A Dark Cave", moderatedroom="1", publicroom="0")
        await does(crone, affiliated(admin="wiccarocks@localhost", member="hag66@localhost"))
        await does(crone, affiliation("lear", "outcast", "Treason"))
        await does(crone, create())
        await does(crone, assign())
        await enters(hag, "thirdwitch")
        await does(hag, register("Hag"))
        crone.send(f"<message type='groupchat' to='{ROOM}'><subject>Spells</subject></message>")
        crone.send(say("Harpier cries: 'tis time, 'tis time."))
        await crone.ping()
        ids = [id_of(each, "thirdwitch") for each in await enters(hag, "thirdwitch")]
        await does(crone, card(photo()))
    async with start() as world:
        assert not world.module("muc").rooms.loaded, "loaded on first use"
        hag = await world.online("hag66/pda")
        hag.send(entering("Hag"))
        entered = await hag.pending()
        assert item(entered[0])["affiliation"] == "member"
        assert worn(entered[0])[0]["uri"] == TEACHER
        assert id_of(entered[0], "Hag") in ids, "occupant ids are the same"
        assert bodies(entered) == ["Harpier cries: 'tis time, 'tis time."]
        assert any(has(each, "c:subject[.='Spells']") for each in entered)
        assert await hashes(hag) == [HASH]
        assert await reserved(hag) == ["Hag"]
        crone = await world.online("crone1/desktop")
        form = await does(crone, query("", "get", OWNER))
        assert has(form, "*/x:x/x:field[@var='muc#roomconfig_roomname']/x:value[.='A Dark Cave']")
        assert has(form, "*/x:x/x:field[@var='muc#roomconfig_publicroom']/x:value[.='0']")
        assert list(await listed(crone, affiliation="admin")) == ["wiccarocks"]
        banned = await does(crone, query("<item affiliation='outcast'/>", "get"))
        assert (banned[0][0].get("jid"), banned[0][0][0].text) == ("lear@localhost", "Treason")
        lear = await world.online("lear/castle")
        lear.send(entering("king"))
        await lear.receives_error("forbidden")


def id_of(stanza: Element, name: str) -> str:
    """The occupant id of that nick, "" in another's stanza."""
    found = stanza.find("{urn:xmpp:occupant-id:0}occupant-id")
    return found.get("id", "") if found is not None and nick(stanza) == name else ""


async def test_what_was_taken_back_stays_so(start: Start) -> None:
    async with start() as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch", persistentroom="1")
        await does(crone, affiliated(member="hag66@localhost", outcast="lear@localhost"))
        await does(crone, create())
        await does(crone, assign())
        await does(hag, register("Hag"))
        await does(crone, affiliated(none="hag66@localhost lear@localhost"))
        await does(crone, assign(verb="unassign"))
        await does(crone, card(photo()))
        await does(crone, card(""))
    async with start() as world:
        crone, lear = await world.online("crone1/desktop"), await world.online("lear/castle")
        assert await listed(crone, affiliation="member") == await listed(crone, affiliation="outcast") == {}
        assert await hashes(crone) == []
        assert await rows(crone, "list-assigned") == []
        await enters(lear, "Hag")


async def test_a_room_that_is_destroyed_does_not_come_back(start: Start) -> None:
    async with start() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1")
        await does(crone, query("<destroy/>", namespace=OWNER))
    async with start() as world:
        crone = await world.online("crone1/desktop")
        assert await fails(crone, query("", "get", OWNER)) == "item-not-found"


async def test_a_room_that_is_made_fleeting_does_not_come_back(start: Start) -> None:
    async with start() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1")
        await configure(crone, persistentroom="0")
        await found(crone, "firstwitch", room="cave@conference.localhost")
    async with start() as world:
        hag = await world.online("hag66/pda")
        for room in (ROOM, "cave@conference.localhost"):
            assert await fails(hag, query("", "get", OWNER, room)) == "item-not-found"
        assert "201" in codes((await enters(hag, "thirdwitch"))[0])


async def test_who_registers_under_the_name_of_a_removed_account_is_a_stranger(start: Start) -> None:
    async with start() as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        for room in (ROOM, "cave@conference.localhost"):
            await found(crone, "firstwitch", room=room, persistentroom="1")
            await does(crone, query("<item jid='hag66@localhost' affiliation='admin' nick='Hag'/>", room=room))
            await does(crone, query("<item jid='lear@localhost' affiliation='outcast'/>", room=room))
        await world.account("lear")
        await does(crone, create())
        await does(crone, assign())
        crone.send("<presence to='cave@conference.localhost/firstwitch' type='unavailable'/>")
        await crone.pending()
        await world.advance(130)
        assert list(world.module("muc").rooms.loaded) == ["coven"]
        for name in ("hag66", "lear"):
            await world.host.remove_account(hag.jid.bare if name == "hag66" else JID.parse("lear@localhost"))
        again = await world.online("hag66/pda")
        for room in (ROOM, "cave@conference.localhost"):
            assert await fails(again, query("<item affiliation='member'/>", "get", room=room)) == "forbidden"
            entered = await enters(again, "Hag", room=room)
            own = next(stanza for stanza in entered if nick(stanza) == "Hag")
            assert item(own)["affiliation"] == "none"
            assert worn(own) == []
            banned = await does(crone, query("<item affiliation='outcast'/>", "get", room=room))
            assert len(banned[0]) == 1, "a ban outlives the account"


async def test_an_idle_room_leaves_memory_and_comes_back(start: Start) -> None:
    async with start() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch", persistentroom="1", roomname="A Dark Cave")
        crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
        await crone.pending()
        await world.advance(130)
        assert not world.module("muc").rooms.loaded
        await does(crone, configured(field("muc#roomconfig_moderatedroom", "1")))
        form = await does(crone, query("", "get", OWNER))
        assert has(form, "*/x:x/x:field[@var='muc#roomconfig_roomname']/x:value[.='A Dark Cave']")
        assert has(form, "*/x:x/x:field[@var='muc#roomconfig_moderatedroom']/x:value[.='1']")
