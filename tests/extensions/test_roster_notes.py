"""Roster notes on the wire: each example and rule of docs/protocols/roster_notes.md."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.extensions.noting import (
    EXTENSION,
    GET,
    NS_NOTES,
    RIOT,
    SUMMONER,
    a_world_with_notes,
    interested,
    note_in,
    notes,
    put,
    records,
)
from tests.kit.client import Client, error_of
from tests.kit.world import World

PUBLISHED = f"""<iq type='set' id='n1'><query xmlns='jabber:iq:roster'>
  <item jid='{SUMMONER}' name='0xDEADB33F'><group>General</group>
    <note>{RIOT}</note></item></query></iq>"""
SHOWN = (
    "<query xmlns='jabber:iq:roster' ver='1700000000000'>"
    f"<item jid='{SUMMONER}' name='0xDEADB33F' subscription='none'><group>General</group>"
    f"<note>{RIOT}</note></item></query>"
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world_with_notes() as made:
        yield made


async def bytes_for(client: Client, request: str) -> bytes:
    """What the server writes on the wire, up to the answer of a ping behind the request."""
    client.send(f"{request}<iq type='get' id='end' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    return (await client.reader.readuntil(b" id='end' type='result'/>")).rpartition(b"<iq ")[0]


async def test_the_published_example_byte_for_byte(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    assert (
        await bytes_for(alice, PUBLISHED)
        == (
            "<iq from='alice@localhost' to='alice@localhost/game' id='push1700000000000' type='set'>"
            f"{SHOWN}</iq><iq to='alice@localhost/game' id='n1' type='result'/>"
        ).encode()
    )
    assert (
        await bytes_for(alice, GET.replace("<iq ", "<iq id='g1' "))
        == (f"<iq to='alice@localhost/game' id='g1' type='result'>{SHOWN}</iq>").encode()
    )


async def test_every_other_resource_gets_the_push_with_the_note(world: World) -> None:
    alice, other = await world.session("alice/game"), await interested(await world.session("alice/phone"))
    alice.send(PUBLISHED)
    push = await other.receives(f"c:iq[@type='set'][roster:query/roster:item/roster:note='{RIOT}']")
    assert push.get("from") == "alice@localhost"
    assert await notes(other) == {SUMMONER: RIOT}


async def test_a_contact_never_sees_it(world: World) -> None:
    alice, bob = await world.online("alice/game"), await interested(await world.online("bob/game"))
    await world.friends(alice, bob)
    await put(alice, "bob@localhost", "<note>steals every kill</note>")
    await put(bob, "alice@localhost", "<note>good healer</note>")
    assert [note_in(each) for each in await bob.pending()] == ["good healer"]
    assert await notes(bob) == {"alice@localhost": "good healer"}
    asked = await bob.ask("<iq type='get' to='alice@localhost'><query xmlns='jabber:iq:roster'/></iq>")
    assert error_of(asked) == "forbidden"


async def test_a_stock_client_that_edits_the_contact_leaves_the_note(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    alice.send(PUBLISHED)
    await alice.pending()
    await put(alice, SUMMONER, "<group>Ranked</group>", name="Deadbeef")
    push = await alice.receives(f"c:iq[@type='set'][roster:query/roster:item[@name='Deadbeef'][roster:note='{RIOT}']]")
    assert push.findtext(".//{jabber:iq:roster}group") == "Ranked"
    assert await notes(alice) == {SUMMONER: RIOT}


async def test_a_subscription_leaves_the_note(world: World) -> None:
    alice, bob = await interested(await world.online("alice/game")), await world.online("bob/game")
    await put(alice, "bob@localhost", "<note>met in ranked</note>")
    await alice.pending()
    alice.send("<presence to='bob@localhost' type='subscribe'/>")
    await alice.receives("c:iq[roster:query/roster:item[@ask='subscribe'][roster:note='met in ranked']]")
    bob.send("<presence to='alice@localhost' type='subscribed'/>")
    await bob.ping()
    pushes = [each for each in await alice.pending() if each.tag.endswith("iq")]
    assert [note_in(push) for push in pushes] == ["met in ranked"]


async def test_an_empty_note_removes_it(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    for empty in ("<note/>", "<note></note>"):
        await put(alice, SUMMONER, f"<note>{RIOT}</note>")
        await alice.receives("c:iq[roster:query/roster:item/roster:note]")
        await put(alice, SUMMONER, empty)
        await alice.receives("c:iq[roster:query/roster:item[not(roster:note)]]")
        assert await notes(alice) == {SUMMONER: ""}
        assert await records(world) == []


async def test_removing_the_item_removes_the_note(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    await alice.ask(
        f"<iq type='set'><query xmlns='jabber:iq:roster'><item jid='{SUMMONER}' subscription='remove'>"
        "<note>not this one either</note></item></query></iq>"
    )
    assert await records(world) == []
    await put(alice, SUMMONER)
    assert await notes(alice) == {SUMMONER: ""}


async def test_an_administrator_who_removes_the_item_removes_the_note(world: World) -> None:
    alice = await world.session("alice/game")
    await put(alice, "bob@localhost", f"<note>{RIOT}</note>")
    await world.server.commands.call("delete_rosteritem", ["alice", "localhost", "bob", "localhost"])
    assert await records(world) == []


async def test_a_note_too_long_changes_nothing(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    await put(alice, SUMMONER, f"<note>{RIOT}</note>", name="old")
    await alice.pending()
    before = await alice.ask(GET)
    assert error_of(await put(alice, SUMMONER, f"<note>{'ö' * 1001}</note>", name="new")) == "not-acceptable"
    await alice.receives_nothing()
    after = await alice.ask(GET)
    assert after[0].get("ver") == before[0].get("ver")
    assert (after[0][0].get("name"), note_in(after)) == ("old", RIOT)
    assert error_of(await put(alice, SUMMONER, f"<note>{'ö' * 1000}</note>")) == ""
    assert await notes(alice) == {SUMMONER: "ö" * 1000}


async def test_the_longest_note_is_an_option() -> None:
    async with a_world_with_notes(options={"max_length": 5}) as world:
        alice = await world.session("alice/game")
        assert error_of(await put(alice, SUMMONER, "<note>sixsix</note>")) == "not-acceptable"
        assert error_of(await put(alice, SUMMONER, "<note>fives</note>")) == ""


@pytest.mark.parametrize("inside", ["<note>a</note><note>b</note>", "<note>a <b>bold</b> one</note>"])
async def test_a_note_is_one_plain_text(world: World, inside: str) -> None:
    alice = await world.session("alice/game")
    assert error_of(await put(alice, SUMMONER, inside)) == "bad-request"
    assert await notes(alice) == {}


async def test_a_note_of_another_namespace_is_none_of_ours(world: World) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, "<note xmlns='urn:example:other'>theirs</note>")
    assert await notes(alice) == {SUMMONER: ""}


async def test_changing_only_the_note_is_a_roster_change(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    await put(alice, SUMMONER, "<note>before</note>")
    first = await alice.receives("c:iq[roster:query/roster:item[roster:note='before']]")
    await put(alice, SUMMONER, "<note>after</note>")
    second = await alice.receives("c:iq[roster:query/roster:item[roster:note='after']]")
    assert int(second[0].get("ver", "0")) > int(first[0].get("ver", "0"))


async def test_a_client_with_an_older_version_is_pushed_what_changed_with_its_note(world: World) -> None:
    alice = await interested(await world.session("alice/game"))
    await put(alice, SUMMONER, "<note>before</note>")
    version = (await alice.ask(GET))[0].get("ver")
    await put(alice, SUMMONER, "<note>after</note>")
    other = await world.session("alice/phone")
    result = await other.ask(f"<iq type='get'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>")
    assert len(result) == 0
    await other.receives("c:iq[@type='set'][roster:query/roster:item/roster:note='after']")


@pytest.mark.parametrize(
    "note", ["<b>&amp;</b> \"'", "]]>", "  two\n lines\t\r end  ", "\uff26\uff55ll e\u0301 \ufb01 🎮 \u202e\ufeff", " "]
)
async def test_a_note_comes_back_as_it_was_written(world: World, note: str) -> None:
    alice = await interested(await world.session("alice/game"))
    written = "".join(f"&#{ord(letter)};" for letter in note)
    await put(alice, SUMMONER, f"<note>{written}</note>")
    assert note_in(await alice.receive()) == note
    assert await notes(alice) == {SUMMONER: note}


async def test_a_note_as_cdata_is_its_text(world: World) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, "<note><![CDATA[a < b]]></note>")
    assert await notes(alice) == {SUMMONER: "a < b"}


async def test_a_note_survives_a_logout_and_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        async with a_world_with_notes(tmp_path) as world:
            alice = await world.session("alice/game")
            if not await notes(alice):
                await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    async with a_world_with_notes(tmp_path) as world:
        assert await notes(await world.session("alice/game")) == {SUMMONER: RIOT}


async def test_nothing_is_kept_of_a_removed_account(world: World) -> None:
    alice, bob = await world.session("alice/game"), await world.session("bob/game")
    await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    await put(bob, SUMMONER, "<note>stays</note>")
    await world.server.commands.call("unregister", ["alice", "localhost"])
    assert [row[0] for row in await records(world)] == ["bob@localhost"]
    await alice.drop()


async def test_it_is_announced(world: World) -> None:
    alice = await world.session("alice/game")
    for to in ("localhost", "alice@localhost"):
        result = await alice.ask(
            f"<iq type='get' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        )
        assert result.xpath(f"*/*[@var='{NS_NOTES}']"), to


async def test_it_leaves_nothing_behind_when_it_is_switched_off(world: World) -> None:
    alice = await world.session("alice/game")
    await put(alice, SUMMONER, f"<note>{RIOT}</note>")
    loader = world.server._loaders["localhost"]
    await loader.unload(EXTENSION)
    assert world.module("roster").parts == []
    await put(alice, SUMMONER, "<note>unseen</note>")
    assert await notes(alice) == {SUMMONER: ""}
