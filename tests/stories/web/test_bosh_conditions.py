"""XEP-0124 17.2: every condition that ends a session, each from what really causes it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.kit.bosh import HTTPBIND, Bosh, bosh, condition
from tests.kit.client import NAMES
from tests.kit.http import Answer
from tests.kit.world import World
from xmppd.xmpp import namespaces as ns

from .doors import a_web, http_door

ELSEWHERE = "https://b.example/http-bind?a&b"


def stranger(web: World) -> Bosh:
    client = Bosh(web)
    web.clients.append(client)
    return client


async def torn(web: World) -> Answer:
    return await (await bosh(web, "alice/page")).ask_server("<presence xmlns='jabber:client'>")


async def to_nobody(web: World) -> Answer:
    return await stranger(web).create(to="elsewhere.example")


async def to_none_of_several(web: World) -> Answer:
    return await stranger(web).create(to=None)


async def to_nothing(web: World) -> Answer:
    return await stranger(web).create(to="")


async def crash(web: World) -> Answer:
    async def fail(user: str) -> None:
        raise LookupError(user)

    client = stranger(web)
    await client.create()
    web.host.accounts.credentials = fail  # type: ignore[method-assign]
    first = b64encode(b"n,,n=alice,r=abc").decode()
    return await client.ask_server(f"<auth xmlns='{ns.SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")


async def guess(web: World) -> Answer:
    client = stranger(web)
    client.sid = "guessed"
    return await client.ask_server()


async def too_fast(web: World) -> tuple[Answer, Answer]:
    alice = await bosh(web, "alice/page")
    first = await alice.post()
    await alice.turn()
    second = await alice.post()
    return await alice.answer(first), await alice.answer(second)


async def beside_who_is_too_fast(web: World) -> Answer:
    return (await too_fast(web))[0]


async def who_is_too_fast(web: World) -> Answer:
    return (await too_fast(web))[1]


async def cut_off(web: World) -> Answer:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    for _ in range(10):
        bob.send(f"<message to='{alice.jid}' type='headline'><body>{'x' * 10000}</body></message>")
    await bob.ping()
    return await alice.ask_server()


async def not_logged_in(web: World) -> Answer:
    return await (await bosh(web)).ask_server("<presence xmlns='jabber:client'/>")


async def shutdown(web: World) -> Answer:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post()
    await alice.turn()
    web.server.doors[-1].say_goodbye()
    return await alice.answer(waiting)


async def in_clear(web: World) -> Answer:
    return await stranger(web).create()


async def too_much_acknowledged(web: World) -> Answer:
    alice = await bosh(web, "alice/page")
    alice.send(f"<enable xmlns='{ns.SM}'/>")
    await alice.receive()
    return await alice.ask_server(f"<a xmlns='{ns.SM}' h='99'/>")


TWO_HOSTS: dict[str, Any] = {"hosts": ["a.example", "b.example"]}
SENT_AWAY = {"door": http_door(see_other_uri=["wss://b.example/xmpp-websocket", ELSEWHERE])}
CAUSES: list[tuple[str, Callable[[World], Awaitable[Answer]], dict[str, Any]]] = [
    ("bad-request", torn, {}),
    ("host-unknown", to_nobody, {}),
    ("improper-addressing", to_none_of_several, TWO_HOSTS),
    ("improper-addressing", to_nothing, TWO_HOSTS),
    ("internal-server-error", crash, {}),
    ("item-not-found", guess, {}),
    ("other-request", beside_who_is_too_fast, {}),
    ("policy-violation", who_is_too_fast, {}),
    ("remote-connection-failed", cut_off, {"limits": {"max_queue": 65536}}),
    ("remote-stream-error", not_logged_in, {}),
    ("see-other-uri", shutdown, SENT_AWAY),
    ("see-other-uri", in_clear, {"door": http_door(cleartext="never", urls={"bosh": ELSEWHERE})}),
    ("system-shutdown", shutdown, {}),
    ("system-shutdown", shutdown, {"door": http_door(see_other_uri="wss://b.example/xmpp-websocket")}),
    ("undefined-condition", too_much_acknowledged, {}),
]


@pytest.mark.parametrize(("expected", "cause", "config"), CAUSES, ids=lambda each: getattr(each, "__name__", None))
async def test_17_2_a_session_ends_with_the_condition_that_fits(
    expected: str, cause: Callable[[World], Awaitable[Answer]], config: dict[str, Any]
) -> None:
    async with a_web(**config) as web:
        answer = await cause(web)
        assert (answer.status, condition(answer)) == (200, expected)
        if expected == "see-other-uri":
            assert [(each.tag, each.text) for each in answer.xml] == [(f"{{{HTTPBIND}}}uri", ELSEWHERE)]


async def test_17_2_an_undefined_condition_says_more(web: World) -> None:
    answer = await too_much_acknowledged(web)
    assert answer.xml.find("stream:error/e:undefined-condition", NAMES) is not None
    assert answer.xml.find(f"stream:error/{{{ns.SM}}}handled-count-too-high", NAMES) is not None


async def test_17_2_who_came_by_https_is_not_sent_to_where_there_is_none() -> None:
    door = http_door(see_other_uri="http://b.example/http-bind", trusted_proxies=["127.0.0.1"])
    async with a_web(door) as web:
        alice = stranger(web)
        alice.headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5"}
        await alice.create()
        waiting = await alice.post()
        await alice.turn()
        web.server.doors[-1].say_goodbye()
        assert condition(await alice.answer(waiting)) == "system-shutdown"


async def test_0206_a_restart_need_not_name_one_of_several_hosts_again() -> None:
    async with a_web(**TWO_HOSTS) as web:
        await web.account("alice")
        client = await bosh(web)
        await client.receive()
        await client.authenticate("alice", "alice")
        answer = await client.ask_server(xmlns__xmpp="urn:xmpp:xbosh", xmpp__restart="true")
        assert answer.xml[0].tag == f"{{{ns.STREAM}}}features"
