"""Entering, leaving and what is said cost the same however many rooms there are: nothing goes through them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn, TypeVar

import pytest

from tests.kit.world import World
from xmppd.xmpp.jid import JID

from .coven import ROOM, bodies, enters, found, say, world

__all__ = ["world"]

MANY = 10_000
K = TypeVar("K")
V = TypeVar("V")


def refuse(*_: object) -> NoReturn:
    """Stands for every way through a whole collection."""
    raise AssertionError("somebody goes through all rooms")


class Many(dict[K, V]):
    """Finds one of many, and lets nobody go through them."""

    __iter__ = keys = values = items = copy = refuse


class Sequenced(list[V]):
    """The same in order; `bisect` reads some twenty of them."""

    looked_at = 0

    def __iter__(self) -> Iterator[V]:
        refuse()

    __contains__ = index = count = copy = sort = refuse

    def __getitem__(self, place: Any) -> Any:
        self.looked_at += 1
        return super().__getitem__(place)


@pytest.fixture
async def crowded(world: World) -> AsyncIterator[World]:
    """A service of many rooms, all of them public, half of them without anybody."""
    rooms = world.module("muc").rooms
    for number in range(MANY):
        room = rooms.create(JID(f"room{number:05}", "conference.localhost"))
        rooms.enlist(room)
        if number % 2:
            rooms._idle[room] = 0.0
    rooms.loaded, rooms._idle = Many(rooms.loaded), Many(rooms._idle)
    rooms.listed = Sequenced(rooms.listed)
    yield world
    rooms.loaded = {}  # to stop, one may go through them


async def test_who_enters_speaks_and_leaves_does_not_go_through_all_rooms(crowded: World) -> None:
    crone, hag = await crowded.online("crone1/desktop"), await crowded.online("hag66/pda")
    await found(crone, "firstwitch")
    await enters(hag, "thirdwitch")
    for stanza in (
        say("one"),
        f"<message type='groupchat' to='{ROOM}'><subject>Fire</subject></message>",
        f"<message type='chat' to='{ROOM}/thirdwitch'><body>psst</body></message>",
        f"<presence to='{ROOM}/witch'><status>busy</status></presence>",
    ):
        crone.send(stanza)
    await crone.ping()
    assert bodies(await hag.pending()) == ["one", "psst"]
    rooms = crowded.module("muc").rooms
    for client, name in ((crone, "witch"), (hag, "thirdwitch")):
        client.send(f"<presence type='unavailable' to='{ROOM}/{name}'/>")
        await client.pending()
    assert "coven" not in rooms.loaded
    assert len(rooms.listed) == MANY
    assert rooms.listed.looked_at <= 4 * 20, "once or twice listed, and taken off the list"


async def test_who_loses_the_connection_does_not_either(crowded: World) -> None:
    crone, hag = await crowded.online("crone1/desktop"), await crowded.online("hag66/pda")
    await found(crone, "firstwitch")
    await enters(hag, "thirdwitch")
    await hag.close()
    await crone.pending()
    assert len(crowded.module("muc").rooms.loaded["coven"].occupants) == 1
    await crowded.host.remove_account(crone.jid.bare)
    assert crowded.module("muc").rooms.count == MANY
