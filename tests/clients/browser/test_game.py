"""The chat inside the game: one player over WebSocket on a desktop, one over BOSH on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .place import Place

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from .player import Player

pytestmark = pytest.mark.client


async def two(browser: Browser, game: Place) -> tuple[Player, Player]:
    """Alice and bob come in and become friends."""
    from .player import PHONE, Player

    alice = await Player.comes(browser, game, "alice", "websocket")
    bob = await Player.comes(browser, game, "bob", "bosh", PHONE)
    await alice.befriends("bob")
    await alice.sees("bob", "lobby")
    await bob.sees("alice", "lobby")
    return alice, bob


async def test_friends_see_what_each_other_does_and_keep_notes(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await bob.plays()
    await alice.sees("bob", "game")
    await alice.notes("bob", "plays only ranked")
    await alice.shows("game-friends-desktop")
    await bob.shows("game-playing-phone")
    await alice.page.reload()
    again = await type(alice).comes(browser, game, "alice", "bosh")
    await again.has_note("bob", "plays only ranked")
    assert not alice.troubles + bob.troubles


async def test_they_whisper_type_and_sit_in_the_lobby(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await alice.whispers("bob", "are you there?")
    await bob.reads("alice", "are you there?")
    await bob.types("alice", "ye")
    await alice.sees_typing("bob", "bob")
    await bob.says("alice", "s, <b>here</b> & now")
    await alice.reads("bob", "are you there?", "s, <b>here</b> & now")
    await alice.is_with("alice", "bob")
    await bob.says("Lobby", "who is in?")
    await alice.reads("Lobby", "who is in?")
    await alice.says("Lobby", "me")
    for player in (alice, bob):
        await player.reads("Lobby", "who is in?", "me")
    await alice.shows("game-lobby-desktop")
    await bob.shows("game-lobby-phone")
    assert not alice.troubles + bob.troubles


async def test_who_turns_to_another_tab_is_away(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await bob.looks_away()
    await alice.sees("bob", "away")
    await bob.looks_away(False)
    await alice.sees("bob", "lobby")
    assert not alice.troubles + bob.troubles


async def test_it_is_shown_how_late_things_are(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    for player in (alice, bob):
        await player.sees_how_late_things_are()
    assert not alice.troubles + bob.troubles


async def test_who_is_ignored_is_not_heard(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await alice.ignores("bob")
    await bob.sees("alice", "offline")
    await bob.whispers("alice", "hello?")
    await bob.reads("alice", "hello?")
    await alice.ignores("bob")
    await bob.sees("alice", "lobby")
    await bob.says("alice", "and now?")
    await alice.reads("bob", "and now?")
    assert not alice.troubles + bob.troubles


@pytest.mark.parametrize("break_", ["cut", "stall"])
async def test_a_broken_network_loses_nothing_and_shows_nothing_twice(
    browser: Browser, game: Place, break_: str
) -> None:
    alice, bob = await two(browser, game)
    await alice.whispers("bob", "one")
    await bob.reads("alice", "one")
    if break_ == "stall":
        game.stall()
        await alice.says("bob", "two")
    game.cut()
    await alice.says("bob", "three")
    await bob.says("alice", "four")
    texts = ["one", "two", "three", "four"] if break_ == "stall" else ["one", "three", "four"]
    for player, tab in ((alice, "bob"), (bob, "alice")):
        await player.is_online()
        await player.opens(tab)
        lines = player.page.locator("#talk li span")
        await lines.filter(has_text="four").wait_for()
        await lines.filter(has_text="three").wait_for()
        assert sorted(await lines.all_text_contents()) == sorted(texts)
    assert not alice.troubles + bob.troubles


async def test_a_restarted_server_loses_nothing(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await alice.whispers("bob", "one")
    await bob.reads("alice", "one")
    await game.stop()
    await alice.loses_the_line()
    await bob.loses_the_line()
    await alice.says("bob", "two")
    await bob.says("Lobby", "is anybody here?")
    await game.start()
    await alice.is_online()
    await bob.is_online()
    await bob.reads("alice", "one", "two")
    await alice.reads("bob", "one", "two")
    await alice.reads("Lobby", "is anybody here?")
    await alice.says("Lobby", "I am")
    await bob.reads("Lobby", "is anybody here?", "I am")
    await alice.sees("bob", "lobby")
    await alice.shows("game-after-restart-desktop")
    assert not alice.troubles + bob.troubles


async def test_a_player_changes_the_door(browser: Browser, game: Place) -> None:
    alice, bob = await two(browser, game)
    await alice.page.select_option("#door", "bosh")
    await bob.page.select_option("#door", "websocket")
    await alice.is_online()
    await bob.is_online()
    await alice.whispers("bob", "through another door")
    await bob.reads("alice", "through another door")
    assert not alice.troubles + bob.troubles
