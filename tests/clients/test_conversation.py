"""What two people do with two clients: befriend each other, talk, tidy the roster, be away."""

import pytest

from .conftest import Stage

PAIRS = [
    ("slixmpp", "slixmpp"),
    ("profanity", "profanity"),
    ("libpurple", "libpurple"),
    ("profanity", "libpurple"),
    ("libpurple", "slixmpp"),
    ("slixmpp", "profanity"),
    ("gajim", "gajim"),
    ("gajim", "profanity"),
    ("libpurple", "gajim"),
]
pytestmark = [pytest.mark.client, pytest.mark.parametrize(("first", "second"), PAIRS)]


async def test_friends_see_each_other_come_change_and_go(stage: Stage, first: str, second: str) -> None:
    alice, bob = await stage.friends(first, second)
    await alice.becomes("away", "lunch")
    await bob.sees(alice.jid, "away")
    await bob.becomes("dnd", "thinking")
    await alice.sees(bob.jid, "dnd")
    await alice.becomes("online")
    await bob.sees(alice.jid, "online")
    await bob.logs_out()
    await alice.sees(bob.jid, "offline")
    await bob.logs_in()
    await alice.sees(bob.jid, "online")
    await bob.sees(alice.jid, "online")


async def test_friends_talk_both_ways(stage: Stage, first: str, second: str) -> None:
    alice, bob = await stage.friends(first, second)
    await alice.says(bob.jid, "hello bob")
    await bob.hears(alice.jid, "hello bob")
    await bob.says(alice.jid, "hello alice")
    await alice.hears(bob.jid, "hello alice")
    await alice.says(bob.jid, "2 < 3 & 'ěščř' > \"Grüße\"")
    await bob.hears(alice.jid, "2 < 3 & 'ěščř' > \"Grüße\"")


async def test_a_message_to_someone_away_waits_for_him(stage: Stage, first: str, second: str) -> None:
    alice, bob = await stage.friends(first, second)
    await bob.logs_out()
    await alice.sees(bob.jid, "offline")
    await alice.says(bob.jid, "call me when you are back")
    await alice.says(bob.jid, "no hurry")
    await bob.logs_in()
    await bob.hears(alice.jid, "call me when you are back")
    await bob.hears(alice.jid, "no hurry")
