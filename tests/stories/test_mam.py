"""XEP-0313: Message Archive Management, of accounts."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import error_of
from tests.kit.world import World, a_world
from tests.stories.archives import MAM, MODULES, RSM, asking, form, page, rsm, say
from tests.stories.test_offline import texts
from xmppd.xmpp.stanza import Stanza

SID = "{urn:xmpp:sid:0}stanza-id"
COUNT = [str(number) for number in range(10)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        await made.account("bob")
        yield made


async def test_a_user_queries_their_archive_for_messages(world: World) -> None:
    """Examples 2 to 4: each message, with the time and the id, then the end."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, "Hail to thee")
    await bob.receives("c:message")
    await world.advance(60)
    bob.send("<message to='alice@localhost/phone' id='8a54s' xml:lang='de'><body>grüß dich</body></message>")
    await bob.ping()
    found = await page(bob)
    assert found.texts == ["Hail to thee", "grüß dich"]
    assert found.stamps == ["2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z"]
    assert [message.get("from") for message in found.messages] == ["bob@localhost"] * 2
    assert [message.get("to") for message in found.messages] == ["bob@localhost/phone"] * 2
    results = [message.find(f"{{{MAM}}}result") for message in found.messages]
    assert all(result is not None and result.get("queryid") == "f27" for result in results)
    hail, answer = found.forwarded
    assert (hail.get("from"), hail.get("to"), hail.get("type")) == ("alice@localhost/phone", "bob@localhost", "chat")
    assert (answer.get("from"), answer.get("to")) == ("bob@localhost/phone", "alice@localhost/phone")
    assert (answer.get("id"), answer.get("{http://www.w3.org/XML/1998/namespace}lang")) == ("8a54s", "de")
    assert [found.edge("first"), found.edge("last")] == found.ids
    assert found.complete


async def test_without_queryid_none_is_given(world: World) -> None:
    alice = await world.session("alice/phone")
    await say(alice, "one")
    alice.send(f"<iq type='set' id='q'><query xmlns='{MAM}'/></iq>")
    result = await alice.receives("c:message")
    assert "queryid" not in result[0].attrib
    await alice.receives("c:iq[@type='result'][@id='q']")


async def test_an_empty_archive_is_complete(world: World) -> None:
    alice = await world.session("alice/phone")
    found = await page(alice)
    assert found.messages == []
    assert found.complete
    assert found.fin.find(f"{{{RSM}}}set") is not None


async def test_the_order_is_that_in_which_messages_were_received(world: World) -> None:
    """Many messages in one microsecond of the clock, which stands still."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, *map(str, range(1200)))
    received = await texts(bob)
    first = await page(bob, rsm(max=1000))
    rest = await page(bob, rsm(max=1000, after=first.edge("last")))
    assert len(first.texts) == 250
    while not rest.complete:
        first.messages += rest.messages
        rest = await page(bob, rsm(max=1000, after=rest.edge("last")))
    assert first.texts + rest.texts == received == [str(number) for number in range(1200)]


async def test_client_receives_a_message_that_has_been_archived(world: World) -> None:
    """Example 1: the recipient is told the id; the sender's is told to nobody."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, "Call me but love")
    message = await bob.receives("c:message")
    (stamp,) = message.findall(SID)
    assert stamp.get("by") == "bob@localhost"
    found = await page(bob)
    assert found.ids == [stamp.get("id")]
    sent = await page(alice)
    assert sent.ids != found.ids
    assert sent.forwarded[0].find(SID) is None


@pytest.mark.parametrize("by", ["bob@localhost", "BOB@localhost"])
async def test_a_forged_stanza_id_is_deleted(world: World, by: str) -> None:
    """XEP-0359 4: even where no id is added, and in whatever spelling."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='forged'/>"
    other = "<stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.localhost' id='theirs'/>"
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='mine'/>"
    alice.send(f"<message to='bob@localhost' type='chat'>{forged}<body>x</body>{other}{origin}</message>")
    alice.send(f"<message to='bob@localhost' type='chat'>{forged}<active xmlns='urn:x'/></message>")
    await alice.ping()
    stored = await bob.receives("c:message[c:body='x']")
    theirs, ours = stored.findall(SID)
    assert (theirs.get("id"), ours.get("by")) == ("theirs", "bob@localhost")
    assert ours.get("id") != "forged"
    assert stored.find("{urn:xmpp:sid:0}origin-id").get("id") == "mine"  # type: ignore[union-attr]
    passing = await bob.receives("c:message[not(c:body)]")
    assert passing.find(SID) is None


async def test_a_message_is_stored_once_in_each_archive(world: World) -> None:
    """5.1.1: however many devices receive it."""
    alice = await world.session("alice/phone")
    phone, desk = await world.online("bob/phone"), await world.online("bob/desk")
    await say(alice, "one")
    assert await texts(phone) == await texts(desk) == ["one"]
    assert (await page(phone)).texts == ["one"]


async def test_what_users_send_to_themselves_is_stored_once(world: World) -> None:
    alice = await world.online("alice/phone")
    await say(alice, "note", to="alice@localhost")
    await alice.receives("c:message[c:body='note']")
    alice.send("<message type='chat'><body>without to</body></message>")
    await alice.receives("c:message[c:body='without to']")
    assert (await page(alice)).texts == ["note", "without to"]
    await say(alice, "to bob")
    assert (await page(alice, form(with_="alice@localhost"))).texts == ["note", "without to"]
    assert (await page(alice, form(with_="alice@localhost/phone"))).texts == ["note", "without to"]


async def test_with_a_bare_address_finds_all_devices_and_both_directions(world: World) -> None:
    """4.1.1, example 5."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    desk = await world.session("alice/desk")
    for client, text in ((alice, "from the phone"), (desk, "from the desk")):
        await say(client, text)
        await bob.receives("c:message")
    await say(bob, "to the desk", to="alice@localhost/desk")
    await say(bob, "to carol", to="carol@localhost")
    await bob.pending()
    everything = ["from the phone", "from the desk", "to the desk"]
    assert (await page(bob, form(with_="alice@localhost"))).texts == everything
    assert (await page(bob, form(with_="alice@localhost/desk"))).texts == everything[1:]
    assert (await page(bob, form(with_="nobody@localhost"))).texts == []


async def test_start_and_end_include_their_moments(world: World) -> None:
    """4.1.2, examples 6 and 7."""
    alice = await world.session("alice/phone")
    for text in ("one", "two", "three"):
        await say(alice, text)
        await world.advance(10)
    stamps = (await page(alice)).stamps
    assert (await page(alice, form(start=stamps[1]))).texts == ["two", "three"]
    assert (await page(alice, form(end=stamps[1]))).texts == ["one", "two"]
    assert (await page(alice, form(start=stamps[1], end=stamps[1]))).texts == ["two"]
    assert (await page(alice, form(start="2023-11-14T22:13:31Z"))).texts == ["three"]
    assert (await page(alice, form(end="2023-11-15T00:13:29+02:00"))).texts == ["one"]
    assert (await page(alice, form(start="2030-01-01T00:00:00Z"))).texts == []
    for never in ("2255-06-06T00:00:00Z", "9999-12-31T23:59:59Z"):  # keys end a day before
        assert (await page(alice, form(start=never))).texts == []
        assert (await page(alice, form(end=never))).texts == ["one", "two", "three"]


async def test_before_id_and_after_id(world: World) -> None:
    """4.1.3, examples 8 and 9."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    ids = (await page(alice)).ids
    assert (await page(alice, form(after_id=ids[6]))).texts == COUNT[7:]
    assert (await page(alice, form(before_id=ids[2]))).texts == COUNT[:2]
    assert (await page(alice, form(after_id=ids[2], before_id=ids[5]))).texts == COUNT[3:5]
    both = form(after_id=ids[2], before_id=ids[8]) + rsm(max=2, before="")
    assert (await page(alice, both)).texts == COUNT[6:8]


async def test_fetching_specific_messages(world: World) -> None:
    """4.1.3, example 10."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    ids = (await page(alice)).ids
    assert (await page(alice, form(ids=[ids[7], ids[3]]))).texts == ["3", "7"]


@pytest.mark.parametrize("place", ["before_id", "after_id", "ids", "before", "after"])
@pytest.mark.parametrize("id", ["never-heard-of", "0" * 26, "8" + "0" * 25, "f" * 26, "neighbour"])
async def test_an_id_that_is_not_in_the_archive_is_not_found(world: World, place: str, id: str) -> None:
    """4.1.3 and example 22; that of another archive, or of the right time, is not one either."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, "one")
    await bob.pending()
    if id == "neighbour":
        (id,) = (await page(bob)).ids
    inside = rsm(**{place: id}) if place in ("before", "after") else form(**{place: id})
    assert error_of(await alice.ask(asking(inside))) == "item-not-found"


async def test_an_id_is_not_guessed_from_its_time(world: World) -> None:
    alice = await world.session("alice/phone")
    await say(alice, "one")
    (id,) = (await page(alice)).ids
    guess = f"{int(id, 16) ^ 1:026x}"
    assert error_of(await alice.ask(asking(form(after_id=guess)))) == "item-not-found"


async def test_client_requests_supported_query_fields(world: World) -> None:
    """4.1.5, examples 13 and 14."""
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get'><query xmlns='{MAM}'/></iq>")
    fields = reply.findall(f"{{{MAM}}}query/{{jabber:x:data}}x[@type='form']/{{jabber:x:data}}field")
    kinds = {field.get("var"): field.get("type") for field in fields}
    assert kinds == {
        "FORM_TYPE": "hidden", "with": "jid-single", "start": "text-single", "end": "text-single",
        "before-id": "text-single", "after-id": "text-single", "ids": "list-multi", "include-groupchat": "boolean",
    }  # fmt: skip
    validate = "{http://jabber.org/protocol/xdata-validate}validate/{http://jabber.org/protocol/xdata-validate}open"
    assert [field.get("var") for field in fields if field.find(validate) is not None] == ["ids"]
    assert not any(field.findall("{jabber:x:data}required") for field in fields)


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        (form(nonsense="1"), "feature-not-implemented"),
        (form(start="yesterday"), "bad-request"),
        (form(end="2023-11-14"), "bad-request"),
        (form(with_="a@b@c"), "jid-malformed"),
        (form(with_=["a@localhost", "b@localhost"]), "bad-request"),
        (form(ids=[f"{number:026x}" for number in range(101)]), "policy-violation"),
        (form().replace(MAM, "urn:xmpp:mam:1"), "bad-request"),
        ("<x xmlns='jabber:x:data' type='submit'/>", "bad-request"),
        (rsm(max="many"), "bad-request"),
        (rsm(after="a", before="b"), "bad-request"),
        (rsm(index=0), "feature-not-implemented"),
    ],
)
async def test_what_cannot_be_asked(world: World, inside: str, condition: str) -> None:
    """An unknown field (4.1.5), values that are none, pages by index (XEP-0059 2.6)."""
    alice = await world.session("alice/phone")
    assert error_of(await alice.ask(asking(inside))) == condition


async def test_nodes_are_pubsubs(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(asking(attributes=" node='urn:xmpp:bookmarks:1'"))
    assert error_of(reply) == "feature-not-implemented"


async def test_pages_forwards(world: World) -> None:
    """4.3.1, 4.3.2, examples 19 to 23."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    found, seen = await page(alice, rsm(max=4)), []
    while not found.complete:
        assert len(found.messages) == 4
        seen += found.texts
        found = await page(alice, rsm(max=4, after=found.edge("last")))
    assert seen + found.texts == COUNT


async def test_pages_backwards(world: World) -> None:
    """4.3.3, example 24: the last page first, each in order."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    found = await page(alice, rsm(max=4, before=""))
    assert found.texts == COUNT[6:]
    assert not found.complete
    found = await page(alice, rsm(max=4, before=found.edge("first")))
    assert found.texts == COUNT[2:6]
    found = await page(alice, rsm(max=4, before=found.edge("first")))
    assert found.texts == COUNT[:2]
    assert found.complete


async def test_a_page_that_ends_with_the_archive_is_complete(world: World) -> None:
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    assert (await page(alice, rsm(max=10))).complete
    assert not (await page(alice, rsm(max=9))).complete


async def test_flipped_pages(world: World) -> None:
    """4.3.4, example 25: the same messages the other way round; first and last are what they were."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    plain = await page(alice, rsm(max=4))
    flipped = await page(alice, rsm(max=4) + "<flip-page/>")
    assert flipped.texts == COUNT[3::-1]
    assert (flipped.edge("first"), flipped.edge("last")) == (plain.edge("first"), plain.edge("last"))
    assert (await page(alice, rsm(max=4, before="") + "<flip-page/>")).texts == COUNT[:5:-1]


async def test_the_number_of_messages_is_told_to_who_asks_for_it_alone(world: World) -> None:
    """XEP-0059 2.7; in other answers it would cost a walk through the archive."""
    alice = await world.session("alice/phone")
    await say(alice, *COUNT)
    assert (await page(alice, rsm(max=3))).edge("count") is None
    counted = await page(alice, rsm(max=0))
    assert counted.messages == []
    assert counted.edge("count") == "10"
    assert not counted.complete
    assert (await page(alice, form(with_="nobody@localhost") + rsm(max=0))).edge("count") == "0"


async def test_archive_metadata(world: World) -> None:
    """4.4, examples 26 and 27; nothing of an empty archive."""
    alice = await world.session("alice/phone")
    ask = f"<iq type='get'><metadata xmlns='{MAM}'/></iq>"
    empty = (await alice.ask(ask))[0]
    assert len(empty) == 0
    await say(alice, "one")
    await world.advance(5)
    await say(alice, "two")
    first, last = (await page(alice)).ids
    start, end = (await alice.ask(ask))[0]
    assert (start.get("id"), start.get("timestamp")) == (first, "2023-11-14T22:13:20Z")
    assert (end.get("id"), end.get("timestamp")) == (last, "2023-11-14T22:13:25Z")


async def test_an_archive_is_for_its_owner_alone(world: World) -> None:
    """7.1."""
    alice, _ = await world.session("alice/phone"), await world.session("bob/phone")
    assert error_of(await alice.ask(asking(to="bob@localhost"))) == "forbidden"
    for name in ("query", "metadata", "prefs"):
        reply = await alice.ask(f"<iq type='get' to='bob@localhost'><{name} xmlns='{MAM}'/></iq>")
        assert error_of(reply) == "forbidden", name


async def test_support_is_shown_by_accounts(world: World) -> None:
    """6, examples 32 and 33."""
    alice = await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    reply = await alice.ask(f"<iq type='get' to='alice@localhost'>{query}</iq>")
    shown = set(reply.xpath("*/*/@var"))
    assert {MAM, f"{MAM}#extended", f"{MAM}#groupchat-field", "urn:xmpp:sid:0"} <= shown
    assert f"{MAM}#groupchat-available" not in shown


async def test_what_is_entered_and_what_is_fresh_make_one_archive(world: World) -> None:
    """The tables that find messages are brought up to date now and then: pages across that moment are whole."""
    alice = await world.session("alice/phone")
    store = world.module("mam").store
    expected = []
    for round in range(3):
        texts = [f"{round} {number}" for number in range(4)]
        expected += texts
        await say(alice, *texts)
        if round < 2:
            store.enter()
    assert (await page(alice)).texts == expected
    assert (await page(alice, rsm(max=6))).texts == expected[:6]
    assert (await page(alice, rsm(max=6, before=""))).texts == expected[6:]
    found = await page(alice, form(with_="bob@localhost") + rsm(max=9))
    assert (await page(alice, form(with_="bob@localhost") + rsm(after=found.edge("last")))).texts == expected[9:]
    assert (await page(alice, rsm(max=0))).edge("count") == "12"
    await world.advance(3)
    assert (await page(alice)).texts == expected


async def test_a_message_whose_id_was_made_before_others_were_entered_is_found(world: World) -> None:
    """A room makes the id, and keeps the message when it has asked everybody."""
    alice = await world.session("alice/phone")
    mam = world.module("mam")
    early = mam.new_id()
    await say(alice, "later")
    mam.store.enter()
    found = await page(alice)
    stanza = Stanza("message", alice.jid.bare, alice.jid, "chat", "", "", b"<body>early</body>")
    await mam.keep(alice.jid.bare, stanza, alice.jid, early)
    assert (await page(alice)).texts == ["early", *found.texts]


async def test_the_archive_outlives_the_server_and_its_clock(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = {"data_dir": str(tmp_path_factory.mktemp("kept"))}
    async with a_world(modules=MODULES, **folder) as world:
        await world.account("bob")
        alice = await world.session("alice/phone")
        await say(alice, "one", "two")
    async with a_world(modules=MODULES, **folder) as world:
        world.clock._now -= 5000
        alice = await world.session("alice/phone")
        await say(alice, "three")
        assert (await page(alice)).texts == ["one", "two", "three"]


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, *COUNT)
    await bob.pending()
    world.module("mam").store.enter()
    await say(alice, *COUNT)
    await world.host.remove_account(bob.jid.bare)
    for table in ("mam", "mam_order", "mam_peers"):
        rows = await world.host.house.storage.fetch(f"SELECT archive FROM {table}")  # noqa: S608
        assert {row[0] for row in rows} == {"alice@localhost"}, table
        assert len(rows) == 20, table
    again = await world.session("bob/new")
    assert (await page(again)).texts == []
