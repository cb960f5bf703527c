"""XEP-0124 17.2: a mistake of the server's own costs one session, which is told so, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.bosh import FIRST_RID, body, bosh, condition
from tests.kit.world import World
from xmppd.http import bosh_door
from xmppd.http.bosh import BoshClient
from xmppd.wire.bosh import Bosh as Machine

from .doors import message

MISTAKE = "internal-server-error"


def failing_for_the_first(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """From now on this method fails for whomever it is called on first."""
    method, first = getattr(owner, name), []

    def fail(self: Any, *arguments: Any) -> Any:
        if not first:
            first.append(self)
        if self is first[0]:
            raise LookupError("a mistake of ours")
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, fail)


async def test_the_session_of_a_request_ends_and_its_connection_does_not(
    web: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await bosh(web, "alice/page"), await bosh(web, "bob/page")
    held = await alice.post()
    await alice.turn()
    failing_for_the_first(monkeypatch, Machine, "arrive")
    second = await alice.post()
    assert condition(await alice.answer(second)) == MISTAKE
    assert condition(await alice.answer(held)) == "other-request"
    assert condition(await alice.ask_server()) == MISTAKE, "on one of the same connections"
    assert not web.host.sessions.of(alice.jid.bare)
    await bob.ping()


async def test_who_asks_for_a_session_is_told(web: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> bytes:
        raise LookupError("a mistake of ours")

    client = await bosh(web)
    with monkeypatch.context() as patched:
        patched.setattr(bosh_door, "_content", fail)
        connection = await client.put(body(rid=FIRST_RID, to="localhost", ver="1.11"))
        assert condition(await client.answer(connection)) == MISTAKE
    connection.send("POST", "/http-bind", body(rid=FIRST_RID, to="localhost", ver="1.11"))
    assert condition(await client.answer(connection)) is None


async def test_what_others_wait_for_is_sent(web: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await bosh(web, "alice/page"), await bosh(web, "bob/page")
    carol = await web.session("carol/phone")
    held = await alice.post(), await bob.post()
    await alice.turn()
    failing_for_the_first(monkeypatch, Machine, "flush")
    carol.send(message(alice.jid) + message(bob.jid) + message(carol.jid))
    await carol.receives("c:message")
    assert condition(await alice.answer(held[0])) == MISTAKE
    assert condition(await bob.answer(held[1])) is None
    await bob.receives("c:message")


async def test_the_clock_looks_at_all_others(web: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await bosh(web, "alice/page"), await bosh(web, "bob/page")
    held = await alice.post(), await bob.post()
    await alice.turn()
    failing_for_the_first(monkeypatch, Machine, "due")
    await web.advance(61)
    assert {condition(await alice.answer(held[0])), condition(await bob.answer(held[1]))} == {MISTAKE, None}


async def test_at_shutdown_all_others_are_told(web: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = [await bosh(web, f"{name}/page") for name in ("alice", "bob", "carol")]
    held = [await client.post() for client in clients]
    await clients[0].turn()
    failing_for_the_first(monkeypatch, BoshClient, "fail")
    web.server.doors[-1].say_goodbye()
    told = [condition(await client.answer(each)) for client, each in zip(clients, held, strict=True)]
    assert sorted(map(str, told)) == ["remote-connection-failed", "system-shutdown", "system-shutdown"]
