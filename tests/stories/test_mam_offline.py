"""Offline messages and the archive agree: who reads the archive does not get them twice, who does not gets them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.world import World, a_world
from tests.stories.archives import HINTS, MAM, MODULES, form, page, rsm, say
from tests.stories.test_offline import stored, texts
from tests.stories.test_offline_admin import later
from xmppd.xmpp.timestamps import format_datetime

DAY = 86_400


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES | {"mam": {"expire_days": 30}}) as made:
        await made.account("bob")
        yield made


async def test_who_does_not_use_the_archive_gets_them_as_before(world: World) -> None:
    """And each carries its id in the archive, so that a client that asks later knows it."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/pidgin")
    await say(alice, "one", "two")
    bob.send("<presence/>")
    messages = [await bob.receive() for _ in range(2)]
    assert [message.findtext("{jabber:client}body") for message in messages] == ["one", "two"]
    stamps = [message.find("{urn:xmpp:sid:0}stanza-id") for message in messages]
    found = await page(bob)
    assert [stamp.get("id") for stamp in stamps if stamp is not None] == found.ids
    while await stored(world):
        await bob.ping()


async def test_who_has_looked_through_the_archive_does_not_get_them_again(world: World) -> None:
    """XEP-0313 5.1.1; nor does the next one, for they are delivered."""
    alice = await world.session("alice/phone")
    await say(alice, "one", "two")
    bob = await world.session("bob/phone")
    assert (await page(bob)).texts == ["one", "two"]
    bob.send("<presence/>")
    await bob.receives_nothing()
    while await stored(world):
        await bob.ping()
    pidgin = await world.online("bob/pidgin", "")
    pidgin.send("<presence/>")
    await pidgin.receives_nothing()


async def test_what_came_after_the_query_is_delivered(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one")
    assert (await page(bob)).texts == ["one"]
    await say(alice, "two")
    bob.send("<presence/>")
    assert await texts(bob) == ["two"]


async def test_pages_that_do_not_reach_the_end_are_no_sign_of_having_read_it(world: World) -> None:
    """Who pages forwards has read all with the last page, who pages backwards with the first."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one", "two", "three")
    assert (await page(bob, rsm(max=2))).texts == ["one", "two"]
    bob.send("<presence/>")
    assert await texts(bob) == ["one", "two", "three"]
    await bob.close()
    await say(alice, "four", "five")
    again = await world.session("bob/desk")
    newest = await page(again, rsm(max=1, before=""))
    assert newest.texts == ["five"]
    await say(alice, "six")
    assert (await page(again, rsm(max=1, before=newest.edge("first")))).texts == ["four"]
    again.send("<presence/>")
    assert await texts(again) == ["six"]


async def test_what_is_not_archived_is_delivered(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one")
    hint = f"<no-permanent-store xmlns='{HINTS}'/>"
    alice.send(f"<message to='bob@localhost' type='chat'><body>off the record</body>{hint}</message>")
    await say(alice, "two")
    assert (await page(bob)).texts == ["one", "two"]
    bob.send("<presence/>")
    assert await texts(bob) == ["off the record"]


async def test_a_sender_cannot_pretend_that_it_is_archived(world: World) -> None:
    """What looks like the archive's own mark, quoted inside of the message."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    mark = f"<stanza-id xmlns='urn:xmpp:sid:0' by='bob@localhost' id='{1:026x}'/>"
    hint = f"<no-permanent-store xmlns='{HINTS}'/>"
    body = f"<body>heard<![CDATA[{mark}]]></body>"
    alice.send(f"<message to='bob@localhost' type='chat'>{hint}{body}<![CDATA[{mark}]]></message>")
    alice.send(f"<message to='bob@localhost' type='chat'>{hint}<body>too</body>{mark}</message>")
    await alice.ping()
    await page(bob)
    bob.send("<presence/>")
    assert [text and text.partition("<")[0] for text in await texts(bob)] == ["heard", "too"]


async def test_who_asks_for_what_is_new_is_given_what_is_older(world: World) -> None:
    """A complete answer to a query with `start`: what was stored before that moment it has not read."""
    alice = await world.session("alice/phone")
    await say(alice, "old")
    await later(world, 2)
    alice = await world.session("alice/phone")
    await say(alice, "new")
    bob = await world.session("bob/phone")
    start = format_datetime(world.clock.time() - DAY)
    found = await page(bob, form(start=start))
    assert (found.texts, found.complete) == (["new"], True)
    bob.send("<presence/>")
    assert await texts(bob) == ["old"]


@pytest.mark.parametrize("first", ["rsm", "form"])
async def test_who_goes_on_behind_a_message_is_given_what_is_older(world: World, first: str) -> None:
    """By RSM or by the form; pages that follow on each other are one."""
    alice, phone = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one", "two", "three", "four")
    ids = (await page(phone)).ids
    bob = await world.session("bob/desk")
    asked = rsm(after=ids[1], max=1) if first == "rsm" else form(after_id=ids[1]) + rsm(max=1)
    assert (await page(bob, asked)).texts == ["three"]
    assert (await page(bob, rsm(after=ids[2]))).texts == ["four"]
    bob.send("<presence/>")
    assert await texts(bob) == ["one", "two"]


@pytest.mark.parametrize(("name", "given"), [("phone", []), ("tablet", ["one", "two"])])
async def test_who_comes_again_goes_on_from_there(world: World, name: str, given: list[str]) -> None:
    """A client that was lost before it was available has read what is older than it asks for; another has not."""
    alice, phone = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one", "two")
    last = (await page(phone)).edge("last")
    await phone.close()
    await say(alice, "three")
    again = await world.session(f"bob/{name}")
    assert (await page(again, rsm(after=last))).texts == ["three"]
    again.send("<presence/>")
    assert await texts(again) == given


@pytest.mark.parametrize(("behind", "given"), [("one", []), ("two", ["zero", "one", "two"])])
async def test_after_a_restart_who_goes_on_from_before_it_has_what_is_older(
    tmp_path: Path, behind: str, given: list[str]
) -> None:
    """The server has forgotten what was read; a message that came since then is no sign."""
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
        await say(alice, "zero", "one")
        assert (await page(bob)).texts == ["zero", "one"]
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
        await say(alice, "two")
        found = await page(await world.session("bob/tablet"))
        ids = dict(zip(found.texts, found.ids, strict=True))
        assert (await page(bob, rsm(after=ids[behind]))).complete
        bob.send("<presence/>")
        assert await texts(bob) == given


async def test_after_a_restart_who_begins_at_the_end_has_nothing(tmp_path: Path) -> None:
    """A new client that asks where the archive ends, and goes on from there."""
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        await world.account("bob")
        await say(await world.session("alice/phone"), "one", "two")
    async with a_world(modules=MODULES, data_dir=str(tmp_path)) as world:
        bob = await world.session("bob/tablet")
        end = (await bob.ask(f"<iq type='get'><metadata xmlns='{MAM}'/></iq>")).find(f"{{{MAM}}}metadata/{{{MAM}}}end")
        assert end is not None
        assert (await page(bob, rsm(after=end.get("id")))).complete
        bob.send("<presence/>")
        assert await texts(bob) == ["one", "two"]


async def test_who_reads_the_last_ones_is_given_those_before(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one", "two", "three")
    assert (await page(bob, rsm(max=1, before=""))).texts == ["three"]
    bob.send("<presence/>")
    assert await texts(bob) == ["one", "two"]


async def test_what_was_purged_is_delivered(world: World) -> None:
    """The archive has nothing of it any more, whatever the options say."""
    alice = await world.session("alice/phone")
    await say(alice, "old")
    await later(world, 2)
    alice = await world.session("alice/phone")
    await say(alice, "new")
    await world.server.commands.call("delete_old_mam_messages", ("chat", "1"))
    bob = await world.session("bob/phone")
    assert (await page(bob)).texts == ["new"]
    bob.send("<presence/>")
    assert await texts(bob) == ["old"]


async def test_an_empty_page_at_the_end_is_a_page(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one", "two")
    first = await page(bob, rsm(max=1))
    second = await page(bob, rsm(max=1, after=first.edge("last")))
    empty = await page(bob, rsm(max=1, after=second.edge("last")))
    assert (empty.texts, empty.complete) == ([], True)
    bob.send("<presence/>")
    await bob.receives_nothing()


@pytest.mark.parametrize("asked", [form(with_="carol@localhost"), "metadata"])
async def test_a_question_for_something_special_is_no_sign_of_using_the_archive(world: World, asked: str) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one")
    if asked == "metadata":
        await bob.ask(f"<iq type='get'><metadata xmlns='{MAM}'/></iq>")
    else:
        await page(bob, asked)
    bob.send("<presence/>")
    assert await texts(bob) == ["one"]


async def test_a_session_that_says_at_binding_that_it_uses_the_archive(world: World) -> None:
    """As XEP-0386 4 wants it."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await say(alice, "one")
    session = world.host.sessions.find(bob.jid)
    assert session is not None
    world.module("mam").use_archive(session)
    await say(alice, "two")
    bob.send("<presence/>")
    assert await texts(bob) == ["two"]


async def test_what_the_archive_has_dropped_is_delivered(world: World) -> None:
    alice = await world.session("alice/phone")
    await say(alice, "one")
    await later(world, 31)
    bob = await world.session("bob/phone")
    await page(bob)
    bob.send("<presence/>")
    assert await texts(bob) == ["one"]


async def test_deleting_tells_how_far_it_is(world: World) -> None:
    alice = await world.session("alice/phone")
    await say(alice, "one", "two")
    await later(world, 2)
    told: list[tuple[int, int]] = []
    call = world.server.commands.call
    assert await call("delete_old_messages", ("1",), progress=lambda *now: told.append(now)) == 2
    assert told == [(2, 2)]
