"""XEP-0124 10, 13 and 17: how a session ends, and what is said to who asks after that."""

from __future__ import annotations

from typing import Any

from tests.kit.bosh import Bosh, bosh, condition
from tests.kit.client import NAMES, Client
from tests.kit.world import World

LARGE = "x" * 100_000


def door(web: World) -> Any:
    return web.server.doors[-1].bosh  # type: ignore[attr-defined]


async def fill(web: World, alice: Bosh, bob: Client, messages: int) -> None:
    """So many large messages wait for alice."""
    for number in range(messages):
        bob.send(f"<message to='{alice.jid}' type='headline' id='{number}'><body>{LARGE}</body></message>")
    await bob.ping()


async def replace(web: World) -> None:
    """Somebody else takes alice's resource."""
    await (await web.session("alice/page")).ping()


async def test_10_who_asks_for_a_session_that_was_idle_for_too_long_finds_none(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await web.advance(152)
    assert not door(web).buried.size
    assert condition(await alice.ask_server()) == "item-not-found"


async def test_17_2_the_error_is_told_again_to_who_has_missed_the_answer(web: World) -> None:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post()
    await alice.turn()
    await waiting.close()
    await replace(web)
    again = await alice.answer(await alice.post(rid=alice.rid))
    assert condition(again) == "remote-stream-error"
    assert again.xml.find("stream:error/e:conflict", NAMES) is not None


async def test_17_2_but_only_as_long_as_a_session_may_be_idle(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await replace(web)
    assert condition(await alice.ask_server()) == "remote-stream-error"
    await web.advance(151)
    alice.reconnect()
    assert condition(await alice.ask_server()) == "item-not-found"


async def test_17_2_the_error_is_told_however_much_is_queued_and_alone_is_kept(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    await fill(web, alice, bob, 8)
    answer = await alice.ask_server("<presence xmlns='jabber:client'>torn")
    assert condition(answer) == "bad-request"
    alice = await bosh(web, "alice/page")
    await fill(web, alice, bob, 8)
    answer = await alice.ask_server("<presence xmlns='jabber:client' from='bob@localhost'/>")
    assert condition(answer) == "remote-stream-error"
    assert answer.xml[-1].find("e:invalid-from", NAMES) is not None
    assert 0 < door(web).buried.size < 4096
