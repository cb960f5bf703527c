"""XEP-0357 for what is said in rooms."""

from __future__ import annotations

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.muc.coven import enters, found, say

from .test_push import INACTIVE, PUSHING, enable, notified, summary, world

__all__ = ["world"]

MODULES = PUSHING | {"muc": {}}


async def a_room(alice: Client, bob: Client) -> None:
    """Both are in it."""
    alice.send("<presence/>")
    await found(alice, "alice")
    await enters(bob, "bob")
    await alice.pending()


@pytest.mark.parametrize("early", [True, False])
async def test_what_is_said_in_a_room_is_published(early: bool) -> None:
    """Whether it was enabled before or after the others came."""
    async with a_world(modules=MODULES) as world:
        alice, app, bob = [await world.online(name) for name in ("alice/phone", "push/app", "bob/ph")]
        if early:
            assert await enable(bob) == ""
        await a_room(alice, bob)
        if not early:
            assert await enable(bob) == ""
        bob.send(INACTIVE)
        await bob.ping()
        alice.send(say("Wherefore art thou, Romeo?"))
        assert summary(await notified(app))["message-count"] == "1"


async def test_where_nobody_has_enabled_anything_nobody_is_asked_about_rooms(world: World) -> None:
    heard = world.host.hooks.account_receive.of["groupchat"]
    bob = await world.online("bob/ph")
    assert await enable(bob) == ""
    now = world.host.hooks.account_receive.of["groupchat"]
    assert len(now) == len(heard) + 1
    assert await enable(bob, "another") == ""
    assert world.host.hooks.account_receive.of["groupchat"] == now
