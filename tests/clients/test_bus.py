"""People take part in the invalidation bus with a client that knows nothing of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from xmppd.client.bus import Bus

from .conftest import Stage

PATIENCE = 60.0  # seconds
pytestmark = pytest.mark.client
anyone = pytest.mark.parametrize("kind", ["profanity", "slixmpp", "libpurple", "gajim"])


@pytest.fixture
async def bus(stage: Stage) -> AsyncIterator[Bus]:
    """A member of a room that it has made."""
    web = stage.account("web")
    room = f"bus-of-{web.user}@conference.{web.host}"
    where = {"host": "127.0.0.1", "port": web.starttls_port, "ca_certs": str(web.authority)}
    bus = Bus(f"{web.user}@{web.host}", web.password, room, name="web1", **where)
    await bus.start(PATIENCE)
    assert bus.sure
    yield bus
    await bus.close()


@anyone
async def test_what_is_typed_invalidates(stage: Stage, bus: Bus, kind: str) -> None:
    dropped = asyncio.Event()
    bus.on_invalidate(lambda what: dropped.set() if "user:42" in what.keys else None)
    cache = bus.cache()
    await cache.get_or_load("user:42", lambda: 1)
    alice = await stage.enter(kind, "alice")
    await alice.logs_in()
    await alice.enters(bus.settings.room, "Alice")
    await alice.says_in(bus.settings.room, "user:42")
    await asyncio.wait_for(dropped.wait(), PATIENCE)
    assert cache.get("user:42") is None


@anyone
async def test_who_watches_sees_ids_and_is_not_waited_for(stage: Stage, bus: Bus, kind: str) -> None:
    alice = await stage.enter(kind, "alice")
    await alice.logs_in()
    await alice.enters(bus.settings.room, "Alice")
    receipt = await bus.invalidate("user:42", confirm=True, timeout=PATIENCE)
    await alice.hears_in(bus.settings.room, "web1", "user:42")
    assert receipt
    assert not receipt.confirmed
