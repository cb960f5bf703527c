"""One stanza to many resources of a host."""

import asyncio

import pytest

from tests.kit.world import a_world
from xmppd.routing.event import Event
from xmppd.routing.hooks import STOP, Stage, Stop
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

ROOM = JID.parse("lobby@rooms.localhost/nick")
SAID = Stanza("message", None, ROOM, "groupchat", "1", "", b"<body>hello</body>")


async def test_who_begins_to_look_at_copies_is_asked_about_those_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy for somebody unknown waits for the disk; meanwhile Bob blocks whom the next one is from."""
    async with a_world() as world:
        bob = await world.session("bob/phone")
        waits, goes_on = asyncio.Event(), asyncio.Event()
        known = world.host.accounts.known

        async def exists(name: str) -> bool:
            waits.set()
            await goes_on.wait()
            return False

        def refuse(event: Event) -> Stop:
            return STOP

        monkeypatch.setattr(world.host.accounts, "known", lambda name: None if name == "ghost" else known(name))
        monkeypatch.setattr(world.host.accounts, "exists", exists)
        work = asyncio.create_task(world.host.copies.spread(SAID, [JID.parse("ghost@localhost/a"), bob.jid]))
        await waits.wait()
        world.host.hooks.session_receive.add(refuse, Stage.FILTER)
        goes_on.set()
        assert await work == ["ghost@localhost/a"]
        world.host.hooks.session_receive.remove(refuse)
        await bob.receives_nothing()


async def test_a_copy_is_for_whom_it_is_sent_to_however_they_are_written() -> None:
    async with a_world() as world:
        readers = [await world.session(f"{name}/it's me") for name in ("alice", "bob")]
        assert await world.host.copies.spread(SAID, [each.jid for each in readers]) == []
        for each in readers:
            assert (await each.receive()).get("to") == each.jid
