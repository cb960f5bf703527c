"""What two people do in a room with two clients: enter, talk, change nicks, put out, keep out, arrange, end it."""

import pytest
from slixmpp.exceptions import IqError

from .conftest import CLIENTS, Stage
from .drivers.base import Client
from .drivers.slix import Slix

PAIRS = [
    ("slixmpp", "slixmpp"),
    ("profanity", "profanity"),
    ("libpurple", "libpurple"),
    ("gajim", "gajim"),
    ("profanity", "libpurple"),
    ("libpurple", "slixmpp"),
    ("slixmpp", "profanity"),
    ("gajim", "profanity"),
    ("libpurple", "gajim"),
]
pytestmark = pytest.mark.client
both = pytest.mark.parametrize(("first", "second"), PAIRS)


async def a_room(stage: Stage, first: str, second: str) -> tuple[Client, Client, str]:
    """Alice has made a room, and Bob has entered it."""
    alice, bob = await stage.enter(first, "alice"), await stage.enter(second, "bob")
    await alice.logs_in()
    await bob.logs_in()
    room = f"room-of-{alice.access.user}@conference.{alice.access.host}"
    await alice.founds(room, "Alice")
    await bob.enters(room, "Bob")
    await alice.finds_in(room, "Alice", "Bob")
    await bob.finds_in(room, "Alice", "Bob")
    return alice, bob, room


@both
async def test_two_talk_in_a_room(stage: Stage, first: str, second: str) -> None:
    alice, bob, room = await a_room(stage, first, second)
    await alice.says_in(room, "hello all")
    await bob.hears_in(room, "Alice", "hello all")
    await bob.says_in(room, "2 < 3 & 'ěščř' > \"Grüße\"")
    await alice.hears_in(room, "Bob", "2 < 3 & 'ěščř' > \"Grüße\"")
    await bob.hears_in(room, "Bob", "2 < 3 & 'ěščř' > \"Grüße\"")
    await bob.leaves(room)
    await alice.finds_in(room, "Alice")


@both
async def test_a_change_of_nick_is_seen_by_both(stage: Stage, first: str, second: str) -> None:
    alice, bob, room = await a_room(stage, first, second)
    await bob.changes_nick(room, "Robert")
    await alice.finds_in(room, "Alice", "Robert")
    await bob.finds_in(room, "Alice", "Robert")
    await bob.says_in(room, "it is me")
    await alice.hears_in(room, "Robert", "it is me")


@both
async def test_who_is_kicked_is_out_and_may_come_back(stage: Stage, first: str, second: str) -> None:
    alice, bob, room = await a_room(stage, first, second)
    await alice.kicks(room, "Bob")
    await bob.is_outside(room)
    await alice.finds_in(room, "Alice")
    await bob.enters(room, "Bob")
    await alice.finds_in(room, "Alice", "Bob")


@both
async def test_who_is_banned_is_out_and_stays_out(stage: Stage, first: str, second: str) -> None:
    alice, bob, room = await a_room(stage, first, second)
    await alice.bans(room, bob.jid)
    await bob.is_outside(room)
    await alice.finds_in(room, "Alice")
    await bob.tries_to_enter(room, "Bob")
    await bob.is_kept_out(room)
    await alice.finds_in(room, "Alice")


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_room_made_persistent_is_there_when_all_have_left_under_its_title(stage: Stage, kind: str) -> None:
    alice, bob, room = await a_room(stage, kind, "slixmpp")
    assert isinstance(bob, Slix)
    await alice.configures(room, "Climbers of the north")
    await bob.until_titled(room, "Climbers of the north")
    await alice.leaves(room)
    await bob.finds_in(room, "Bob")
    await bob.leaves(room)
    await bob.until_titled(room, "Climbers of the north")
    await bob.enters(room, "Bob")


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if pair[0] != "libpurple"])
async def test_a_destroyed_room_is_left_by_all(stage: Stage, first: str, second: str) -> None:
    alice, bob, room = await a_room(stage, first, second)
    await alice.destroys(room)
    await bob.is_outside(room)
    witness = await stage.enter("slixmpp", "witness")
    await witness.logs_in()
    assert isinstance(witness, Slix)
    with pytest.raises(IqError, match="item-not-found"):
        await witness.title_of(room)
