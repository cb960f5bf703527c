"""Two people who talk in a room while others storm it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from tests.kit.client import Client, error_of
from tests.kit.component import doors
from tests.kit.world import World, a_world
from tests.stories.muc.coven import ROOM, enters, found, say
from xmppd.xmpp.stanza import Element


class Coven:
    """`one` owns the room, `other` is in it; `talk` shows that the storm has not reached them."""

    def __init__(self, world: World, one: Client, other: Client) -> None:
        self.world, self.one, self.other = world, one, other
        self._numbers = count()

    async def talk(self) -> None:
        """Each says something and both hear it; nothing else has come."""
        assert await self.hear() == []

    async def hear(self) -> list[Element]:
        """Each says something and both hear it; returns what else has come to `other`."""
        await self.world.advance(60)
        seen = []
        for speaker in (self.one, self.other):
            id = f"calm{next(self._numbers)}"
            speaker.send(say("still here", id=id))
            await speaker.ping()
            for reader in (self.one, self.other):
                stanzas = await reader.pending()
                own = [each for each in stanzas if each.get("id") == id]
                assert len(own) == 1
                assert error_of(own[0]) == ""
                if reader is self.other:
                    seen += [each for each in stanzas if each not in own]
        return seen

    def nicks(self) -> list[str]:
        """Who is in the room."""
        return [occupant.nick for occupant in self.world.module("muc").rooms.loaded["coven"].occupants]


@asynccontextmanager
async def a_coven(**options: Any) -> AsyncIterator[Coven]:
    """A server with a room and a door for components; `options` are those of the module `muc`."""
    modules: dict[str, Any] = {name: {} for name in ("ping", "presence", "roster", "disco", "offline")}
    async with a_world(modules=modules | {"muc": options}, listen=doors()) as world:
        one, other = await world.online("bob/x"), await world.online("carol/x")
        await found(one, "Bob", persistentroom="1")
        await enters(other, "Carol")
        await one.pending()
        yield Coven(world, one, other)


async def errors(client: Client, stanzas: list[str]) -> list[str]:
    """Send them all, and return the conditions of the errors that come back."""
    conditions = []
    for at in range(0, len(stanzas), 500):
        client.send("".join(stanzas[at : at + 500]))
        conditions += [condition for each in await client.pending() if (condition := error_of(each))]
    return conditions


__all__ = ["ROOM", "Coven", "a_coven", "errors"]
