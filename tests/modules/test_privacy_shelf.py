"""Privacy lists between memory and database: what is kept, what is let go, what a failed write leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import etree

from tests.kit.world import World, a_world
from tests.stories.listed import applies, chat, fails, has_list, query, succeeds, the_list
from xmppd.api import Commit, StorageError
from xmppd.modules.privacy import shelf as shelves
from xmppd.xmpp.jid import JID

MODULES: dict[str, dict[str, Any]] = {"roster": {}, "presence": {}, "ping": {}, "privacy": {}}
ROMEO = JID.parse("romeo@localhost")
ITEM = "<item type='jid' value='tybalt@localhost' action='deny' order='1'/>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


class Spied:
    """A storage whose reads are counted and whose writes may fail."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.read = 0
        self.broken = False
        self.wrote = asyncio.Event()

    async def fetch(self, sql: str, *parameters: Any) -> Any:
        self.read += 1
        return await self.storage.fetch(sql, *parameters)

    def write(self, *statements: Any) -> Commit:
        self.wrote.set()
        if self.broken:
            commit = Commit()
            asyncio.get_running_loop().call_soon(commit.resolve, StorageError("the disk is full"))
            return commit
        made: Commit = self.storage.write(*statements)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage, name)


def spy(world: World) -> Spied:
    shelf = world.module("privacy").shelf
    shelf._storage = spied = Spied(shelf._storage)
    return spied


async def test_an_account_without_lists_is_asked_for_once(world: World) -> None:
    romeo, juliet, tybalt = [await world.online(f"{name}/x") for name in ("romeo", "juliet", "tybalt")]
    await has_list(romeo, "a", ITEM)  # somebody has one, so the filters stand on the road
    spied = spy(world)
    for _ in range(3):
        juliet.send(chat("tybalt@localhost"))
        await tybalt.receives("c:message")
    assert spied.read == 2
    assert world.module("privacy").shelf.known[juliet.jid.bare] is None


async def test_many_who_ask_at_once_read_once(world: World) -> None:
    romeo = await world.session("romeo/x")
    await has_list(romeo, "a", ITEM)
    shelf = world.module("privacy").shelf
    shelf.forget(ROMEO)
    spied = spy(world)
    found = await asyncio.gather(*(shelf.get(ROMEO) for _ in range(5)))
    assert all(each is found[0] for each in found)
    assert spied.read == 1


async def test_a_long_list_is_read_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "PAGE", 10)
    privacy = world.module("privacy")
    await world.account("romeo")
    await privacy.add(ROMEO, "long", privacy.denials(f"a{number}@x" for number in range(45)))
    privacy.shelf.forget(ROMEO)
    assert (await privacy.lists(ROMEO)).named["long"].size == 45


async def test_only_so_much_is_kept_of_those_who_are_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_ABSENT", 10)
    privacy = world.module("privacy")
    romeo = await world.session("romeo/x")
    await privacy.add(ROMEO, "a", privacy.denials(f"a{number}@x" for number in range(50)))
    for number in range(12):
        await privacy.lists(JID.parse(f"away{number}@localhost"))
    assert ROMEO in privacy.shelf.known, "who is here stays"
    assert len(privacy.shelf.known) == 11
    await romeo.close()
    await world.session("juliet/x")
    await privacy.lists(JID.parse("another@localhost"))
    assert ROMEO not in privacy.shelf.known
    assert privacy.shelf._weight <= 10


async def test_who_comes_back_is_not_let_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_ABSENT", 3)
    privacy = world.module("privacy")
    await world.account("romeo")
    await privacy.add(ROMEO, "a", privacy.denials(["a@x"]))
    romeo = await world.online("romeo/x")
    await applies(romeo, ITEM, how="active")
    for number in range(10):
        await privacy.lists(JID.parse(f"away{number}@localhost"))
    lists = privacy.shelf.known[ROMEO]
    assert lists is not None
    assert list(lists.active.values()) == [lists.named["test"]]


async def test_a_failed_write_leaves_nothing_behind(world: World) -> None:
    romeo, tybalt = await world.online("romeo/x"), await world.online("tybalt/x")
    await applies(romeo, "<item type='jid' value='mercutio@localhost' action='deny' order='1'/>", how="active")
    spied = spy(world)
    spied.broken = True
    assert await fails(romeo, query(f"<list name='test'>{ITEM}</list>")) == "internal-server-error"
    assert await fails(romeo, query("<default name='test'/>")) == "internal-server-error"
    spied.broken = False
    assert "mercutio" in await the_list(romeo, "test")
    reply = await romeo.ask(query("", "get"))
    assert [each.tag.partition("}")[2] for each in reply[0]] == ["active", "list"], "the active list is active still"
    tybalt.send(chat("romeo@localhost"))
    await tybalt.ping()
    await romeo.pending()
    mercutio = await world.online("mercutio/x")
    mercutio.send(chat("romeo@localhost"))
    await mercutio.receives_error("service-unavailable")


async def test_a_change_is_read_back_only_once_it_is_written(world: World) -> None:
    privacy = world.module("privacy")
    await world.account("romeo")
    spied = spy(world)
    adding = asyncio.ensure_future(privacy.add(ROMEO, "a", privacy.denials(["a@x"])))
    await spied.wrote.wait()
    privacy.shelf.forget(ROMEO)
    assert (await privacy.lists(ROMEO)).named["a"].size == 1
    await adding


async def test_lists_of_an_export_are_taken_over(world: World) -> None:
    export = etree.fromstring(
        "<query xmlns='jabber:iq:privacy'><default name='public'/>"
        "<list name='public'><item type='jid' value='tybalt@example.com' action='deny' order='1'/>"
        "<item action='allow' order='2'/></list>"
        "<list name='private'><item type='subscription' value='both' action='allow' order='10'/>"
        "<item type='group' value='Unknown yet' action='deny' order='15'/></list></query>"
    )
    privacy = world.module("privacy")
    assert await privacy.import_account(ROMEO, export)
    assert not await privacy.import_account(ROMEO, etree.fromstring("<query xmlns='jabber:iq:roster'/>"))
    romeo = await world.session("romeo/x")
    reply = await succeeds(romeo, query("", "get"))
    assert [each.get("name") for each in reply[0]] == ["public", "private", "public"]
    assert await the_list(romeo, "private") == (
        "<item type='subscription' value='both' action='allow' order='10'/>"
        "<item type='group' value='Unknown yet' action='deny' order='15'/>"
    )
