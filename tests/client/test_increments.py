"""Privacy lists by increments from a slixmpp client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError

from tests.client.people import people, until, within
from tests.kit.world import a_world
from xmppd.client.increments import Increments, Item, PrivacyChanged

ONE, TWO = "sum1234@pvp.example", "sum5678@pvp.example"


@asynccontextmanager
async def two_devices() -> AsyncIterator[tuple[ClientXMPP, ClientXMPP]]:
    """Two sessions of one account."""
    modules: dict[str, Any] = {name: {} for name in ("roster", "presence", "disco", "ping", "privacy")}
    modules["xmppd.extensions.privacy_increments"] = {}
    async with a_world(modules=modules) as world, people(world, "me/game", "me/phone") as (game, phone):
        for xmpp in (game, phone):
            Increments.of(xmpp)
            xmpp.send_presence()
        yield game, phone


async def test_items_are_added_and_removed() -> None:
    async with two_devices() as (game, _):
        lists = Increments.of(game)
        assert await within(lists.supported())
        await within(lists.add("LOL", ONE, TWO))
        assert [(item.value, item.action) for item in await within(lists.get("LOL"))] == [(ONE, "deny"), (TWO, "deny")]
        await within(lists.remove("LOL", ONE))
        assert [item.value for item in await within(lists.get("LOL"))] == [TWO]
        await within(lists.add("LOL"))


async def test_an_item_comes_back_as_it_was_written() -> None:
    async with two_devices() as (game, _):
        lists = Increments.of(game)
        items = [
            Item(ONE, "allow", order=1, stanzas=frozenset({"message", "presence-in"})),
            Item("none", type="subscription", order=2),
            Item("", "allow", type="", order=7, stanzas=frozenset({"iq", "presence-out"})),
        ]
        await within(lists.add("LOL", *items))
        assert await within(lists.get("LOL")) == items
        await within(lists.remove("LOL", *items[1:]))
        assert await within(lists.get("LOL")) == items[:1]


async def test_what_is_not_there_cannot_be_removed() -> None:
    async with two_devices() as (game, _):
        await within(Increments.of(game).add("LOL", ONE))
        with pytest.raises(IqError) as refused:
            await within(Increments.of(game).remove("LOL", ONE, TWO))
        assert refused.value.condition == "item-not-found"
        assert len(await within(Increments.of(game).get("LOL"))) == 1


async def test_who_speaks_in_increments_hears_them() -> None:
    async with two_devices() as (game, phone):
        heard: list[PrivacyChanged] = []
        await within(Increments.of(phone).add("other", TWO))
        phone.add_event_handler("privacy_changed", heard.append)
        await within(Increments.of(game).add("LOL", Item(ONE, order=1)))
        await within(Increments.of(game).remove("LOL", ONE))
        await until(lambda: heard and heard[-1].removed)
        added, removed = heard[-2:]
        assert added == PrivacyChanged("LOL", added=(Item(ONE, order=1),))
        assert [item.value for item in removed.removed] == [ONE]


async def test_who_does_not_is_told_that_the_list_is_another_one() -> None:
    async with two_devices() as (game, phone):
        heard: list[PrivacyChanged] = []
        phone.add_event_handler("privacy_changed", heard.append)
        await within(Increments.of(game).add("LOL", ONE))
        await until(lambda: heard)
        assert heard == [PrivacyChanged("LOL")]
