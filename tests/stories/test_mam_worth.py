"""What is archived: XEP-0313 5.1, hints (XEP-0334), preferences (XEP-0441), and what changes what was said."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client, error_of, show
from tests.kit.world import World, a_world
from tests.stories.archives import HINTS, MAM, MODULES, asking, page, say
from xmppd.storage import StorageError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

STATES = "http://jabber.org/protocol/chatstates"
BODY = "<body>x</body>"
FALLBACK = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        await made.account("bob")
        yield made


@pytest.mark.parametrize(
    ("letter", "kept"),
    [
        (BODY, True),
        (f"<active xmlns='{STATES}'/>", False),
        (f"<composing xmlns='{STATES}'/><store xmlns='{HINTS}'/>", True),
        (f"{BODY}<active xmlns='{STATES}'/><request xmlns='urn:xmpp:receipts'/>", True),
        (f"{BODY}<no-store xmlns='{HINTS}'/>", False),
        (f"{BODY}<no-permanent-store xmlns='{HINTS}'/>", False),
        (f"{BODY}<no-store xmlns='{HINTS}'/><store xmlns='{HINTS}'/>", False),
        (f"{BODY}<no-copy xmlns='{HINTS}'/>", True),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", True),
        ("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True),
        ("<markable xmlns='urn:xmpp:chat-markers:0'/>", False),
        ("<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>👋</reaction></reactions>", True),
        ("<retract xmlns='urn:xmpp:message-retract:1' id='1'/>", True),
        (f"<retract xmlns='urn:xmpp:message-retract:1' id='1'/>{FALLBACK}{BODY}<store xmlns='{HINTS}'/>", True),
        (f"{BODY}<replace xmlns='urn:xmpp:message-correct:0' id='1'/>", True),
        (f"{BODY}<reply xmlns='urn:xmpp:reply:0' to='alice@localhost' id='1'/>", True),
        ("<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AA</payload></encrypted>", True),
        ("<x xmlns='jabber:x:conference' jid='room@rooms.localhost'/>", True),
        ("<thread>t</thread>", False),
        ("<anything xmlns='urn:x'/>", False),
    ],
)
async def test_what_is_archived(world: World, letter: str, kept: bool) -> None:
    """It passes in any case, and it passes as it was said."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    alice.send(f"<message to='bob@localhost' type='chat' id='m1'>{letter}</message>")
    await alice.ping()
    received = await bob.receives("c:message[@id='m1']")
    for stamp in received.findall("{urn:xmpp:sid:0}stanza-id"):
        received.remove(stamp)
    for client in (alice, bob):
        found = await page(client)
        assert len(found.messages) == kept
        assert all(len(message) >= len(received) for message in found.forwarded)
    if kept:
        (message,) = (await page(alice)).forwarded
        assert [show(child) for child in message] == [show(child) for child in received]


@pytest.mark.parametrize(
    ("type", "kept"), [("chat", 1), ("normal", 1), ("", 1), ("headline", 0), ("error", 0), ("groupchat", 0)]
)
async def test_which_types_are_archived(world: World, type: str, kept: int) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    attribute = f" type='{type}'" if type else ""
    alice.send(f"<message to='bob@localhost/phone'{attribute}>{BODY}</message>")
    await alice.ping()
    await bob.receives("c:message")
    assert len((await page(bob)).messages) == kept
    assert len((await page(alice)).messages) == kept


async def test_hints_in_an_error_are_ignored(world: World) -> None:
    """XEP-0334 5: an error carries what it answers."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    alice.send(f"<message to='bob@localhost/phone' type='error'>{BODY}<store xmlns='{HINTS}'/></message>")
    await alice.ping()
    await bob.receives("c:message")
    assert (await page(bob)).messages == []


async def test_what_was_refused_is_not_archived(world: World) -> None:
    """5: the archive has what its owner would have received."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    alice.send(f"<message to='bob@localhost/gone' type='normal'>{BODY}</message>")
    await alice.receives_error("service-unavailable")
    alice.send(f"<message to='nobody@localhost' type='chat'>{BODY}</message>")
    await alice.receives_error("service-unavailable")
    assert (await page(bob)).messages == []
    rows = await world.host.house.storage.fetch("SELECT archive FROM mam")
    assert {row[0] for row in rows} == {"alice@localhost"}


async def test_what_a_blocked_contact_sends_is_not_archived() -> None:
    modules = MODULES | {"presence": {}, "roster": {}, "privacy": {}, "blocking": {}}
    del modules["tests.stories.appearing"]
    async with a_world(modules=modules) as world:
        alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
        await bob.ask("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='alice@localhost'/></block></iq>")
        await bob.pending()
        await say(alice, "let me in")
        assert (await page(bob)).messages == []


async def test_an_absent_user_finds_what_came_in_the_archive_where_nobody_else_keeps_it() -> None:
    modules = {name: options for name, options in MODULES.items() if name != "offline"}
    async with a_world(modules=modules) as world:
        await world.account("bob")
        alice = await world.session("alice/phone")
        await say(alice, "while you were away")
        await alice.receives_nothing()
        alice.send(f"<message to='bob@localhost' type='chat'>{BODY}<no-store xmlns='{HINTS}'/></message>")
        await alice.receives_error("service-unavailable")
        bob = await world.online("bob/phone")
        assert (await page(bob)).texts == ["while you were away"]


async def test_what_the_disk_cannot_take_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StorageError("busy")

    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    with monkeypatch.context() as patched:
        patched.setattr(world.module("mam").store._storage, "add", busy)
        alice.send(f"<message to='bob@localhost' type='chat'>{BODY}</message>")
        await alice.receives_error("resource-constraint")
    await bob.receives_nothing()


async def test_a_tombstone_takes_the_place_of_a_message(world: World) -> None:
    """XEP-0424 5 and XEP-0425 5, as rooms use it: id and time stay, what was said is gone."""
    room = JID.parse("room@rooms.localhost")
    mam = world.module("mam")
    letter = b"<body>free potions</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/>"
    said = Stanza("message", None, room.with_resource("oldhag"), "groupchat", "m1", "", letter)
    id = mam.new_id()
    mam.keep(room, said, room.with_resource("oldhag"), id, rooms=True)
    await world.advance(30)
    moderated = "<moderated xmlns='urn:xmpp:message-moderate:1' by='witch@localhost'/>"
    keep = ("urn:xmpp:occupant-id:0 occupant-id",)
    assert await mam.redact(room, id, retraction="r1", inside=moderated, keep=keep)
    assert not await mam.redact(room, mam.new_id())
    alice = await world.online("alice/phone")
    iq = Stanza("iq", room, alice.jid, "set", "q", "", f"<query xmlns='{MAM}'/>".encode(), (f"{MAM} query",))
    fin = await mam.answer_for(room, iq)
    assert "complete='true'" in fin
    result = await alice.receives("c:message[@from='room@rooms.localhost'][@to='alice@localhost/phone']")
    (message,) = result.xpath("*/*/*[local-name()='message']")
    assert (message.get("id"), message.get("from"), message.get("to")) == ("m1", "room@rooms.localhost/oldhag", None)
    occupant, retracted = message
    assert occupant.get("id") == "o"
    assert (retracted.get("id"), retracted.get("stamp")) == ("r1", "2023-11-14T22:13:50Z")
    assert retracted[0].get("by") == "witch@localhost"
    assert result.xpath("string(*/*/*[local-name()='delay']/@stamp)") == "2023-11-14T22:13:20Z"


async def test_a_room_is_found_by_who_spoke_and_dropped_whole(world: World) -> None:
    room, mam = JID.parse("room@rooms.localhost"), world.module("mam")
    for nick in ("one", "two", "one"):
        speaker = room.with_resource(nick)
        stanza = Stanza("message", None, speaker, "groupchat", "", "", f"<body>{nick}</body>".encode())
        await mam.keep(room, stanza, speaker, mam.new_id(), rooms=True)
    alice = await world.online("alice/phone")
    inside = "<field var='with'><value>room@rooms.localhost/one</value></field>"
    kind = f"<field var='FORM_TYPE'><value>{MAM}</value></field>"
    query = f"<query xmlns='{MAM}'><x xmlns='jabber:x:data' type='submit'>{kind}{inside}</x></query>"
    await mam.answer_for(room, Stanza("iq", room, alice.jid, "set", "q", "", query.encode()))
    for _ in range(2):
        await alice.receives("c:message[.//c:body='one']")
    await alice.receives_nothing()
    await mam.drop(room)
    assert await world.host.house.storage.fetch("SELECT id FROM mam UNION ALL SELECT id FROM mam_order") == []


async def prefs(client: Client, inside: str = "", default: str = "always") -> str:
    reply = await client.ask(f"<iq type='set'><prefs xmlns='{MAM}' default='{default}'>{inside}</prefs></iq>")
    return error_of(reply) or show(reply[0])


async def test_retrieving_preferences(world: World) -> None:
    """XEP-0441, examples 1 and 2."""
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get'><prefs xmlns='{MAM}'/></iq>")
    assert reply[0].get("default") == "always"
    assert [child.tag for child in reply[0]] == [f"{{{MAM}}}always", f"{{{MAM}}}never"]


async def test_updating_preferences(world: World) -> None:
    """XEP-0441, examples 4 and 5: never those, and others by default; a bare address is all its devices."""
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    applied = await prefs(bob, "<always/><never><jid>alice@localhost</jid></never>")
    assert "<never><jid>alice@localhost</jid></never>" in applied
    await say(alice, "off the record")
    carol = await world.session("carol/phone")
    await say(carol, "on the record")
    await bob.pending()
    assert (await page(bob)).texts == ["on the record"]
    assert (await page(alice)).texts == ["off the record"]


async def test_a_full_address_is_one_device(world: World) -> None:
    """XEP-0441 3.1."""
    phone, desk = await world.session("alice/phone"), await world.session("alice/desk")
    bob = await world.online("bob/phone")
    await prefs(bob, "<always><jid>alice@localhost/desk</jid></always>", "never")
    await say(phone, "no")
    await say(desk, "yes")
    await say(bob, "also no", to="alice@localhost")
    await bob.pending()
    assert (await page(bob)).texts == ["yes"]


async def test_only_what_is_said_with_contacts_is_archived() -> None:
    modules = MODULES | {"presence": {}, "roster": {}}
    del modules["tests.stories.appearing"]
    async with a_world(modules=modules) as world:
        alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
        carol = await world.session("carol/phone")
        await world.friends(alice, bob)
        await prefs(bob, default="roster")
        await say(alice, "a friend")
        await say(carol, "a stranger")
        await bob.pending()
        assert (await page(bob)).texts == ["a friend"]


@pytest.mark.parametrize(
    ("default", "inside", "condition"),
    [
        ("sometimes", "", "bad-request"),
        ("always", "<never><jid>a@b@c</jid></never>", "jid-malformed"),
        ("always", "<never>" + "".join(f"<jid>u{n}@x</jid>" for n in range(1001)) + "</never>", "policy-violation"),
    ],
)
async def test_preferences_that_cannot_be(world: World, default: str, inside: str, condition: str) -> None:
    assert await prefs(await world.session("alice/phone"), inside, default) == condition


async def test_preferences_outlive_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = {"data_dir": str(tmp_path_factory.mktemp("kept"))}
    for round in range(2):
        async with a_world(modules=MODULES, **folder) as world:
            await world.account("bob")
            bob = await world.session("bob/phone")
            if not round:
                await prefs(bob, default="never")
            await say(bob, "x", to="alice@localhost")
            await bob.pending()
            assert (await page(bob)).messages == []


async def test_the_default_of_the_host_can_be_never() -> None:
    async with a_world(modules=MODULES | {"mam": {"default": "never"}}) as world:
        alice = await world.session("alice/phone")
        await say(alice, "x", to="alice@localhost")
        await alice.pending()
        assert (await page(alice)).messages == []
        assert error_of(await alice.ask(asking(to="alice@localhost"))) == ""
