"""RFC 6120 8.1.2.1: the server says who a stanza is from."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.world import World, a_world

BODY = "<body>hi</body></message>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "tests.stories.appearing": {}}) as made:
        yield made


@pytest.mark.parametrize(
    "claimed", ["", " from='alice@localhost'", " from='alice@localhost/phone'", " from='ALICE@localhost/phone'"]
)
async def test_from_is_the_full_address_whatever_was_left_out(world: World, claimed: str) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/desk")
    alice.send(f"<message to='bob@localhost/desk'{claimed}>{BODY}")
    await bob.receives("c:message[@from='alice@localhost/phone']")


@pytest.mark.parametrize(
    "claimed",
    ["eve@localhost", "alice@localhost/laptop", "alice@elsewhere.test/phone", "localhost", "alice@localhost/Phone"],
)
async def test_who_lies_is_closed(world: World, claimed: str) -> None:
    """8.1.2.1: `invalid-from`."""
    await world.session("alice/laptop")
    alice, bob = await world.session("alice/phone"), await world.session("bob/desk")
    alice.send(f"<message to='bob@localhost/desk' from='{claimed}'>{BODY}")
    await alice.receives_stream_error("invalid-from")
    await bob.receives_nothing()


async def test_nothing_behind_a_lie_is_handled(world: World) -> None:
    """4.9.1.1: a stream error ends the stream, also for what came in with the lie."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/desk")
    alice.send(f"<message to='bob@localhost/desk' from='eve@localhost'>{BODY}<message to='bob@localhost/desk'>{BODY}")
    await alice.receives_stream_error("invalid-from")
    await bob.receives_nothing()


@pytest.mark.parametrize("kind", ["message", "presence", "iq"])
async def test_an_address_that_is_none_is_no_address(world: World, kind: str) -> None:
    """8.3.3.8: `jid-malformed`, and the stream goes on."""
    alice = await world.session("alice/phone")
    alice.send(
        f"<{kind} to='@@' type='{'get' if kind == 'iq' else 'chat' if kind == 'message' else 'subscribe'}' id='1'/>"
    )
    error = await alice.receives_error("jid-malformed")
    assert error.get("id") == "1"
    await alice.receives_nothing()


async def test_to_is_left_as_it_was_written_for(world: World) -> None:
    """RFC 6121 8.5.2.1.1: a message to the account keeps its bare `to` at each resource."""
    alice = await world.session("alice/phone")
    desk, lap = await world.online("bob/desk"), await world.online("bob/lap")
    alice.send(f"<message to='Bob@LOCALHOST' type='chat'>{BODY}")
    await desk.receives("c:message[@to='bob@localhost']")
    await lap.receives("c:message[@to='bob@localhost']")


async def test_the_language_of_the_stream_is_the_stanzas(world: World) -> None:
    """RFC 6120 4.7.4: a stanza without `xml:lang` has the stream's."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/desk")
    alice.send(f"<message to='bob@localhost/desk'>{BODY}<message to='bob@localhost/desk' xml:lang='de'>{BODY}")
    await bob.receives("c:message[@xml:lang='en']")
    await bob.receives("c:message[@xml:lang='de']")
