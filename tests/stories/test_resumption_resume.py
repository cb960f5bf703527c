"""XEP-0198 5: a session goes on over another connection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client, show
from tests.kit.world import World, a_world
from xmppd.routing.hooks import SessionEvent
from xmppd.xmpp.stanza import Element

from .managed import (
    SM,
    acknowledge,
    bodies,
    enable,
    handled,
    heard_nothing,
    managed,
    resume,
    returning,
    tag,
    turn,
    vanish,
)
from .test_resumption import CHAT, MODULES, Slow, limited, says

ERRORS = {"s": "urn:ietf:params:xml:ns:xmpp-stanzas"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


async def comes_back(world: World, client: Client, id: str, h: int = 0) -> Client:
    """The same client on a new connection, its session resumed."""
    again = await returning(world, client.jid.local)
    answer = await resume(again, id, h)
    assert answer.tag == tag("resumed"), show(answer)
    again.jid = client.jid
    return again


def condition(failed: Element) -> str:
    """The condition of a `<failed/>`."""
    assert failed.tag == tag("failed"), show(failed)
    (found,) = failed.xpath("s:*", namespaces=ERRORS)
    return str(found.tag).rpartition("}")[2]


async def test_5_the_stream_is_resumed(world: World) -> None:
    """Examples 13 and 14."""
    alice, id = await managed(world, "alice/phone")
    alice.send("<presence/>" * 3)
    await alice.ping()
    await vanish(world, alice)
    again = await returning(world, "alice")
    resumed = await resume(again, id, 4)
    assert resumed.tag == tag("resumed")
    assert dict(resumed.attrib) == {"h": "4", "previd": id}


async def test_5_what_was_lost_is_sent_again_in_order(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2, 3)
    await bodies(alice, "1", "2", "3")
    await vanish(world, alice)
    await says(bob, 4, 5)
    again = await comes_back(world, alice, id, 1)
    await says(bob, 6)
    got = await bodies(again, "2", "3", "4", "5", "6")
    assert all(each.find("{urn:xmpp:delay}delay") is None for each in got), "nothing was late"
    acknowledge(again, 6)
    await again.ping()


async def test_5_the_counts_are_carried_over(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    alice.send(CHAT.format("bob", "hi") * 2)
    assert await handled(alice) == 2
    await says(bob, 1, 2)
    await bodies(alice, "1", "2")
    await vanish(world, alice)
    again = await comes_back(world, alice, id, 2)
    again.send(CHAT.format("bob", "hi"))
    await says(bob, 3)
    await bodies(again, "3")
    assert await handled(again) == 3
    await vanish(world, again)
    third = await comes_back(world, again, id, 3)
    await third.receives_nothing()
    assert await handled(third) == 4


async def test_5_the_session_is_what_it_was(world: World) -> None:
    """No new presence, the same address and priority; the roster's interest stays."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.friends(alice, bob)
    alice.send("<presence><show>away</show><priority>7</priority></presence>")
    await alice.pending()
    id = (await enable(alice)).get("id") or ""
    await bob.pending()
    await vanish(world, alice)
    await bob.receives_nothing()
    again = await comes_back(world, alice, id)
    await bob.receives_nothing()
    session = world.host.sessions.find(alice.jid)
    assert session is not None
    assert (session.priority, session.detached) == (7, False)
    await says(again, "hello", to="bob")
    (said,) = await bodies(bob, "hello")
    assert said.get("from") == "alice@localhost/phone"


async def test_5_the_old_connection_may_not_be_known_to_be_dead(world: World) -> None:
    """Example 16: it is closed with a conflict."""
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1, 2)
    again = await comes_back(world, alice, id)
    await bodies(again, "1", "2")
    await bodies(alice, "1", "2")
    await alice.receives_stream_error("conflict")
    await says(bob, 3)
    await bodies(again, "3")
    assert await handled(again) == 0


async def test_5_what_the_old_connection_began_is_finished_first(world: World) -> None:
    """A stanza that is being handled counts, what waits behind it does not: its client sends it again."""
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    gate = asyncio.Event()

    async def wait(event: Any) -> None:
        if event.stanza.kind == "message" and not gate.is_set():
            await gate.wait()

    world.host.hooks.session_send.add(wait)
    alice.send(CHAT.format("bob", 1) + CHAT.format("bob", 2))
    await bob.ping()
    while not gate._waiters:  # type: ignore[attr-defined]
        await turn()
    again = await returning(world, "alice")
    again.send(f"<resume xmlns='{SM}' previd='{id}' h='0'/>")
    await bob.ping()
    assert heard_nothing(again)
    gate.set()
    assert (await again.receive()).get("h") == "1"
    await bodies(bob, "1")
    again.send(CHAT.format("bob", 2))
    assert await handled(again) == 2
    await bodies(bob, "2")


async def test_5_another_account_cannot_resume_it(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    await world.account("mallory")
    mallory = await returning(world, "mallory")
    assert condition(await resume(mallory, id)) == "item-not-found"
    await vanish(world, alice)
    assert condition(await resume(mallory, id)) == "item-not-found"
    await comes_back(world, alice, id)


async def test_5_an_unknown_id_is_not_found_and_the_client_may_bind(world: World) -> None:
    await world.account("alice")
    alice = await returning(world, "alice")
    failed = await resume(alice, "some-long-sm-id", 7)
    assert (condition(failed), failed.get("h")) == ("item-not-found", None)
    await alice.bind("phone")
    await enable(alice)


async def test_5_guesses_are_limited() -> None:
    async with limited(max_failures_per_connection=3) as world:
        await world.account("alice")
        alice = await returning(world, "alice")
        for _ in range(2):
            assert condition(await resume(alice, "guess")) == "item-not-found"
        alice.send(f"<resume xmlns='{SM}' previd='guess' h='0'/>")
        await alice.receives_stream_error("policy-violation")


async def test_5_after_the_time_it_is_not_found_and_the_count_is_told(world: World) -> None:
    """Example 15."""
    alice, id = await managed(world, "alice/phone", "resume='true' max='60'")
    alice.send("<presence/>" * 3)
    await alice.ping()
    await vanish(world, alice)
    await world.advance(59)
    assert world.host.sessions.find(alice.jid) is not None
    await world.advance(2)
    assert world.host.sessions.find(alice.jid) is None
    again = await returning(world, "alice")
    failed = await resume(again, id)
    assert (condition(failed), failed.get("h")) == ("item-not-found", "4")
    await world.account("mallory")
    assert (await resume(await returning(world, "mallory"), id)).get("h") is None
    await again.bind("phone")


async def test_5_the_time_begins_anew_with_each_loss(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    for _ in range(3):
        await vanish(world, alice)
        await world.advance(200)
        alice = await comes_back(world, alice, id)


@pytest.mark.parametrize("attributes", ["h='0'", "previd='{id}'", "previd='{id}' h='-1'", "previd='{id}' h='x'"])
async def test_5_resume_has_a_count_and_an_id(world: World, attributes: str) -> None:
    alice, id = await managed(world, "alice/phone")
    await vanish(world, alice)
    again = await returning(world, "alice")
    again.send(f"<resume xmlns='{SM}' {attributes.format(id=id)}/>")
    assert condition(await again.receive()) == "bad-request"
    assert (await resume(again, id)).tag == tag("resumed")


async def test_5_not_behind_a_binding(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    await vanish(world, alice)
    again = await world.session("alice/other")
    assert condition(await resume(again, id)) == "unexpected-request"


async def test_5_a_session_without_resumption_cannot_be_resumed(world: World) -> None:
    alice, id = await managed(world, "alice/phone", "resume='false'")
    assert id == ""
    await vanish(world, alice)
    again = await returning(world, "alice")
    assert condition(await resume(again, "")) == "bad-request"


async def test_5_too_high_a_count_ends_the_new_stream_alone(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    await vanish(world, alice)
    again = await returning(world, "alice")
    again.send(f"<resume xmlns='{SM}' previd='{id}' h='3'/>")
    error = await again.receive()
    assert error.xpath("*[local-name()='handled-count-too-high'][@h='3'][@send-count='0']"), show(error)
    await comes_back(world, alice, id)


async def test_5_a_stream_error_leaves_the_stream_unfinished(world: World) -> None:
    """XEP-0198 7: only its own end ends the session."""
    alice, id = await managed(world, "alice/phone")
    await alice.ping()
    alice.send("<not><well></formed>")
    assert (await alice.receive()).get("h") == "1", "said before the stream ends"
    await alice.receives_stream_error("not-well-formed")
    (session,) = world.host.sessions.of(alice.jid.bare)
    while not session.detached:
        await turn()
    await comes_back(world, alice, id)


async def test_5_who_closed_the_stream_cannot_come_back(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    await alice.close()
    again = await returning(world, "alice")
    assert condition(await resume(again, id)) == "item-not-found"


async def test_5_not_even_before_the_connection_is_gone(world: World) -> None:
    """The end of the stream waits for a write; who comes back meanwhile is late, and the session still ends."""
    alice, id = await managed(world, "alice/phone")
    slow = Slow()

    def owe(event: Any) -> None:
        event.owe(slow)

    world.host.hooks.session_send.add(owe)
    (session,) = world.host.sessions.of(alice.jid.bare)
    alice.send(CHAT.format("bob", 1) + "</stream:stream>")
    while not session.door.final:  # type: ignore[attr-defined]
        await turn()
    again = await returning(world, "alice")
    assert condition(await resume(again, id)) == "item-not-found"
    world.host.hooks.session_send.remove(owe)
    slow.finish()
    while world.host.sessions.of(alice.jid.bare):
        await turn()


async def test_5_who_was_sent_away_cannot_come_back(world: World) -> None:
    _, id = await managed(world, "alice/phone")
    await world.server.commands.call("kick_user", ["alice", "localhost"])
    again = await returning(world, "alice")
    assert condition(await resume(again, id)) == "item-not-found"
    bob, id = await managed(world, "bob/phone")
    await vanish(world, bob)
    await world.server.commands.call("kick_user", ["bob", "localhost"])
    assert condition(await resume(await returning(world, "bob"), id)) == "item-not-found"


async def test_5_the_same_resource_bound_anew_ends_the_detached_session(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    await says(bob, 1)
    anew = await world.session("alice/phone")
    assert len(world.host.sessions.of(alice.jid.bare)) == 1
    anew.send("<presence/>")
    await anew.receives("c:presence")
    (late,) = await bodies(anew, "1")
    assert late.find("{urn:xmpp:delay}delay") is not None
    assert condition(await resume(await returning(world, "alice"), id)) == "item-not-found"


async def test_an_account_has_a_few_detached_sessions_only() -> None:
    async with limited(max_detached_per_user=2) as world:
        people = [await managed(world, f"alice/{number}") for number in range(3)]
        for client, _ in people:
            await vanish(world, client)
        left = [session.jid.resource for session in world.host.sessions.of(people[0][0].jid.bare)]
        assert left == ["1", "2"]


async def test_a_server_has_so_many_detached_sessions_only() -> None:
    async with limited(max_detached=2) as world:
        for name in ("alice", "bob", "carol"):
            await vanish(world, (await managed(world, f"{name}/phone"))[0])
        assert sorted(session.jid.local for session in world.host.sessions) == ["bob", "carol"]


async def test_a_detached_session_keeps_so_much_only() -> None:
    """What is more ends it; nothing is lost."""
    async with limited(max_ack_queue=100) as world:
        alice, id = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await vanish(world, alice)
        await says(bob, *range(120))
        assert world.host.sessions.find(alice.jid) is None
        assert condition(await resume(await returning(world, "alice"), id)) == "item-not-found"
        anew = await world.session("alice/phone")
        anew.send("<presence/>")
        await anew.receives("c:presence")
        await bodies(anew, *map(str, range(120)))


async def test_modules_hear_of_loss_and_return(world: World) -> None:
    told: list[tuple[str, str, bool]] = []
    hooks = world.host.hooks

    def detached(event: SessionEvent) -> None:
        told.append(("detached", event.session.jid, event.session.detached))

    def resumed(event: SessionEvent) -> None:
        told.append(("resumed", event.session.jid, event.session.detached))

    hooks.session_detached.add(detached)
    hooks.session_resumed.add(resumed)
    alice, id = await managed(world, "alice/phone")
    await vanish(world, alice)
    again = await comes_back(world, alice, id)
    await comes_back(world, again, id)
    jid = "alice@localhost/phone"
    assert told == [("detached", jid, True), ("resumed", jid, False), ("resumed", jid, False)]


async def seen(world: World) -> dict[str, object]:
    """What an operator is shown of the only session."""
    rows = await world.server.commands.call("connected_users_info")
    assert isinstance(rows, list)
    (row,) = rows
    assert isinstance(row, dict)
    return row


async def test_operators_see_who_is_detached(world: World) -> None:
    alice, _ = await managed(world, "alice/phone")
    row = await seen(world)
    assert (row["connection"], row["ip"]) == ("c2s", "127.0.0.1")
    await vanish(world, alice)
    row = await seen(world)
    assert (row["connection"], row["ip"]) == ("detached", "127.0.0.1")


async def test_a_resumed_stream_is_encrypted_anew(world: World) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await says(bob, 1)
    await vanish(world, alice)
    again = await world.dial()
    await again.open()
    await again.secure()
    await again.login("alice", "alice")
    assert (await resume(again, id)).tag == tag("resumed")
    await bodies(again, "1")
    (session,) = world.host.sessions.of(alice.jid.bare)
    assert session.door.describe()["connection"] == "c2s_tls"
