"""Roster notes from a slixmpp client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError

from tests.client.people import people, until, within
from tests.kit.world import a_world
from xmppd.client.notes import NoteChanged, Notes

FRIEND = "sum9876@pvp.example"
TEXT = "Versatile dude, plays only ranked, not a big fan of ARAMs"


@asynccontextmanager
async def two_devices() -> AsyncIterator[tuple[ClientXMPP, ClientXMPP]]:
    """Two sessions of one account whose roster has a friend."""
    modules: dict[str, Any] = {name: {} for name in ("roster", "presence", "disco", "ping")}
    modules["xmppd.extensions.roster_notes"] = {"max_length": 100}
    async with a_world(modules=modules) as world, people(world, "me/game", "me/phone") as (game, phone):
        for xmpp in (game, phone):
            Notes.of(xmpp)
            await within(xmpp.get_roster())
        update: Any = game.update_roster(JID(FRIEND), name="0xDEADB33F", groups=["General"])
        await within(update)
        await until(lambda: phone.client_roster.has_jid(FRIEND))
        yield game, phone


async def test_a_note_is_kept_and_comes_with_the_roster() -> None:
    async with two_devices() as (game, phone):
        notes = Notes.of(game)
        assert await within(notes.supported())
        await within(notes.set_note(FRIEND, TEXT))
        assert notes.note(f"{FRIEND}/anywhere") == TEXT
        phone.client_roster.version = ""
        phone.plugin.disable("xmppd_notes")  # type: ignore[attr-defined]
        assert list(Notes.of(phone)) == []
        await within(phone.get_roster())
        assert list(Notes.of(phone)) == [(FRIEND, TEXT)]


async def test_a_note_leaves_name_and_groups_alone() -> None:
    async with two_devices() as (game, _):
        await within(Notes.of(game).set_note(FRIEND, TEXT))
        await within(game.get_roster())
        friend = game.client_roster[FRIEND]
        assert (friend["name"], friend["groups"]) == ("0xDEADB33F", ["General"])


async def test_the_other_device_hears_of_it() -> None:
    async with two_devices() as (game, phone):
        heard: list[NoteChanged] = []
        phone.add_event_handler("roster_note", heard.append)
        await within(Notes.of(game).set_note(FRIEND, TEXT))
        await within(Notes.of(game).set_note(FRIEND, ""))
        await until(lambda: len(heard) == 2)
        assert heard == [NoteChanged(FRIEND, TEXT), NoteChanged(FRIEND, "")]
        assert Notes.of(phone).note(FRIEND) == ""


async def test_a_note_goes_with_its_contact() -> None:
    async with two_devices() as (game, phone):
        await within(Notes.of(game).set_note(FRIEND, TEXT))
        await until(lambda: Notes.of(phone).note(FRIEND) == TEXT)
        removal: Any = game.update_roster(JID(FRIEND), subscription="remove")
        await within(removal)
        await until(lambda: not list(Notes.of(phone)) and not list(Notes.of(game)))


async def test_a_note_that_is_too_long_is_refused_and_changes_nothing() -> None:
    async with two_devices() as (game, _):
        await within(Notes.of(game).set_note(FRIEND, TEXT))
        with pytest.raises(IqError) as refused:
            await within(Notes.of(game).set_note(FRIEND, "x" * 101))
        assert refused.value.condition == "not-acceptable"
        assert Notes.of(game).note(FRIEND) == TEXT


async def test_nobody_who_is_no_contact_gets_a_note() -> None:
    async with two_devices() as (game, _):
        with pytest.raises(KeyError, match="is not in the roster"):
            await Notes.of(game).set_note("stranger@pvp.example", "who?")


async def test_a_server_that_knows_no_notes_says_so() -> None:
    async with a_world(modules={"disco": {}}) as world, people(world, "me/game") as (me,):
        assert not await asyncio.wait_for(Notes.of(me).supported(), 10)
