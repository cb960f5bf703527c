"""XEP-0124 8 and 11 while a handler waits: `requests` bounds what a client may have sent that is not handled yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.kit.bosh import HTTPBIND, bosh, condition
from tests.kit.client import NAMES
from tests.kit.world import World
from xmppd.routing.event import Event
from xmppd.routing.hooks import Stage
from xmppd.xmpp import namespaces as ns

from .doors import a_web, message

EMPTY = f"<body xmlns='{HTTPBIND}'/>".encode()
LARGE = "x" * 100_000


@pytest.fixture
async def gate(web: World) -> AsyncIterator[asyncio.Event]:
    """Messages to carol wait until it is set."""
    await web.account("carol")
    gate = asyncio.Event()

    async def wait(event: Event) -> None:
        if event.stanza.to is not None and event.stanza.to.local == "carol":
            await gate.wait()

    web.host.hooks.session_send.add(wait, Stage.FILTER, ("message",))
    yield gate
    gate.set()


async def test_11_a_request_is_not_answered_before_what_it_brought_is_handled(web: World, gate: asyncio.Event) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    first = await alice.post(message("carol@localhost"))
    await alice.turn()
    second = await alice.post(message(bob.jid))
    await alice.turn()
    assert first.silent
    await bob.receives_nothing()
    gate.set()
    assert (await alice.answer(first)).body == EMPTY
    await bob.receives("c:message[c:body='hello']")
    await alice.turn()
    assert second.silent


async def test_11_the_request_held_before_it_is_answered_as_ever(web: World, gate: asyncio.Event) -> None:
    alice = await bosh(web, "alice/page")
    held = await alice.post()
    await alice.turn()
    await alice.post(message("carol@localhost"))
    assert (await alice.answer(held)).body == EMPTY


async def test_11_who_sends_more_requests_than_that_is_sent_away(web: World, gate: asyncio.Event) -> None:
    alice = await bosh(web, "alice/page")
    connections = []
    for _ in range(3):
        connections.append(await alice.post(message("carol@localhost")))
        await alice.turn()
    assert [condition(await alice.answer(each)) for each in connections] == [
        "other-request",
        "other-request",
        "policy-violation",
    ]


async def test_8_what_waits_to_be_handled_is_answered_in_time_all_the_same(web: World, gate: asyncio.Event) -> None:
    alice = await bosh(web, "alice/page", wait=30)
    waiting = await alice.post(message("carol@localhost"))
    await alice.turn()
    await web.advance(20)
    await alice.turn()
    assert waiting.silent
    await web.advance(10)
    assert (await alice.answer(waiting)).body == EMPTY


@pytest.mark.parametrize("terms", [{"wait": 0}, {"hold": 0, "wait": 1}])
async def test_12_a_poll_is_answered_when_what_it_brought_is_handled_or_in_time(
    web: World, gate: asyncio.Event, terms: dict[str, int]
) -> None:
    alice = await bosh(web, "alice/page", **terms)
    waiting = await alice.post(message("carol@localhost"))
    await alice.turn()
    assert waiting.silent
    await web.advance(2)
    assert (await alice.answer(waiting)).body == EMPTY
    again = await alice.post(message("carol@localhost"))
    await alice.turn()
    assert again.silent
    gate.set()
    assert (await alice.answer(again)).body == EMPTY


async def test_8_what_others_say_comes_meanwhile(web: World, gate: asyncio.Event) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    waiting = await alice.post(message("carol@localhost"))
    await alice.turn()
    bob.send(message(alice.jid, "meanwhile"))
    assert (await alice.answer(waiting)).xml.findtext("c:message/c:body", namespaces=NAMES) == "meanwhile"


async def test_8_behind_much_that_waits_it_comes_with_the_answer_to_that(web: World, gate: asyncio.Event) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    waiting = await alice.post(message("carol@localhost", LARGE))
    await alice.turn()
    bob.send(message(alice.jid, "behind it"))
    await bob.ping()
    await alice.turn()
    assert waiting.silent
    gate.set()
    assert (await alice.answer(waiting)).xml.findtext("c:message/c:body", namespaces=NAMES) == "behind it"


async def test_9_1_what_waits_is_acknowledged_it_has_arrived(web: World, gate: asyncio.Event) -> None:
    alice = await bosh(web, "alice/page", ack=1)
    first = await alice.post(message("carol@localhost"))
    await alice.turn()
    await alice.post(message("carol@localhost"))
    await alice.turn()
    gate.set()
    assert (await alice.answer(first)).xml.get("ack") == str(alice.rid)


async def test_10_a_pause_is_answered_at_once_and_what_waits_is_handled_all_the_same(
    web: World, gate: asyncio.Event
) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    first = await alice.post(message("carol@localhost"))
    await alice.turn()
    pause = await alice.post(message(bob.jid), pause=120)
    for waiting in (first, pause):
        assert (await alice.answer(waiting)).body == EMPTY
    gate.set()
    await bob.receives("c:message[c:body='hello']")


async def test_13_the_end_waits_for_its_turn(web: World, gate: asyncio.Event) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    first = await alice.post(message("carol@localhost"))
    second = await alice.post(message(bob.jid, "one"))
    await alice.turn()
    last = await alice.post(message(bob.jid, "two"), type="terminate")
    await alice.turn()
    assert first.silent
    gate.set()
    assert condition(await alice.answer(first)) == ""
    for text in ("one", "two"):
        await bob.receives(f"c:message[c:body='{text}']")
    for waiting in (second, last):
        assert (await alice.answer(waiting)).body == EMPTY


async def test_14_3_a_request_that_waits_may_be_repeated_and_is_handled_once(web: World, gate: asyncio.Event) -> None:
    alice, carol = await bosh(web, "alice/page"), await web.session("carol/phone")
    first = await alice.post(message("carol@localhost/phone"))
    await alice.turn()
    again = await alice.post(message("carol@localhost/phone"), rid=alice.rid)
    assert (await alice.answer(first)).xml.get("type") == "error"
    gate.set()
    await carol.receives("c:message[c:body='hello']")
    await carol.receives_nothing()
    await alice.turn()
    assert again.silent


async def test_17_2_who_gets_round_the_window_is_sent_away_past_a_number_of_bytes(
    web: World, gate: asyncio.Event
) -> None:
    alice = await bosh(web, "alice/page")
    answers = []
    while not answers or condition(answers[-1]) is None:
        answers.append(await alice.ask_server(message("carol@localhost", LARGE), pause=10))
    assert condition(answers[-1]) is not None
    assert condition(await alice.ask_server()) == "policy-violation"
    limits = web.server.config.limits
    assert len(answers) * len(LARGE) <= 3 * limits.max_http_body + 2 * len(LARGE)


async def test_who_asks_for_acknowledgements_and_fetches_none_is_cut_off() -> None:
    async with a_web(limits={"max_queue": 65536}) as web:
        alice = await bosh(web, "alice/page")
        alice.send(f"<enable xmlns='{ns.SM}'/>")
        assert (await alice.receive()).tag == f"{{{ns.SM}}}enabled"
        for _ in range(3):
            await alice.ask_server(f"<r xmlns='{ns.SM}'/>" * 1000, pause=10)
        assert not web.host.sessions.of(alice.jid.bare)
