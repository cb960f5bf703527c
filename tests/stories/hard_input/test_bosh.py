"""BOSH clients that send more than is handled, and take leave with much unread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tests.kit.bosh import Bosh, bosh, condition
from tests.kit.http import Http
from tests.stories.hard_input.calm import Calm
from tests.stories.hard_input.test_memory import stays_flat
from tests.stories.web.doors import a_web, message
from xmppd.routing.event import Event
from xmppd.routing.hooks import Stage

LARGE = "x" * 100_000
SETS = 200  # in one request
PRIVATE = "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>"


@pytest.fixture
async def calm() -> AsyncIterator[Calm]:
    """A server with a door for BOSH, and two people on it who chat."""
    modules: dict[str, object] = {"ping": {}, "private": {}}
    async with a_web(modules=modules, limits={"max_sessions_per_user": 100}) as web:
        yield Calm(web, await web.session("bob/x"), await web.session("carol/x"))


@pytest.fixture
async def gate(calm: Calm) -> AsyncIterator[asyncio.Event]:
    """Messages to nobody wait until it is set."""
    gate = asyncio.Event()

    async def wait(event: Event) -> None:
        if event.stanza.to is not None and event.stanza.to.local == "nobody":
            await gate.wait()

    calm.world.host.hooks.session_send.add(wait, Stage.FILTER, ("message",))
    yield gate
    gate.set()


def session(calm: Calm, client: Bosh) -> Any:
    """The server's end of it."""
    door: Any = calm.world.server.doors[-1]
    return door.bosh.sessions[client.sid]


async def test_requests_without_end_while_a_handler_waits_end_the_session(calm: Calm, gate: asyncio.Event) -> None:
    eve = await bosh(calm.world, "eve/x")
    connections: list[Http] = [await eve.post(message("nobody@localhost", LARGE)) for _ in range(60)]
    assert None not in [condition(await eve.answer(connection)) for connection in connections]
    gate.set()
    await calm.chat()
    assert not calm.world.host.sessions.of(eve.jid.bare)


async def test_who_sends_as_fast_as_it_is_answered_is_handled_at_the_servers_pace(calm: Calm) -> None:
    alice = await bosh(calm.world, "alice/x")
    numbers = count()
    flying: deque[Http] = deque()
    for _ in range(8):
        inside = "".join(f"<iq type='set' id='{next(numbers)}'>{PRIVATE}</iq>" for _ in range(SETS))
        flying.append(await alice.post(inside))
        if len(flying) == 2:
            await alice.answer(flying.popleft())
        ours = session(calm, alice)
        assert len(ours._rest) <= SETS
        assert ours.wire.backlog is None or ours.wire.backlog.size <= 2 * len(inside) + 4096
    alice.waiting.extend(flying)
    assert [each.get("id") for each in await alice.pending()] == [str(number) for number in range(8 * SETS)]
    await calm.chat()


async def storm(calm: Calm, numbers: count[int]) -> None:
    """Sessions that end with much unread: most of it goes with their last answers."""
    for _ in range(30):
        eve = await bosh(calm.world, f"eve/{next(numbers)}")
        for _ in range(4):
            calm.one.send(f"<message to='{eve.jid}' type='headline'><body>{LARGE}</body></message>")
        await calm.one.ping()
        last = await eve.ask_server("<presence xmlns='jabber:client' from='bob@localhost'/>")
        assert condition(last) == "remote-stream-error"
        assert len(last.body) > 2 * len(LARGE)
        await eve.drop()
        calm.world.clients.remove(eve)
    await calm.chat()


@pytest.mark.slow
async def test_last_answers_are_not_kept(calm: Calm) -> None:
    await stays_flat(calm, storm)
