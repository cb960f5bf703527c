"""XEP-0280: Message Carbons."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from tests.stories.archives import HINTS, MODULES, page
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

CARBONS = "urn:xmpp:carbons:2"
BODY = "<body>Wherefore art thou</body>"
FORGED = (
    f"<received xmlns='{CARBONS}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' "
    f"from='juliet@localhost/balcony' to='bob@localhost'>{BODY}</message></forwarded></received>"
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES | {"carbons": {}}) as made:
        yield made


async def enable(client: Client, what: str = "enable") -> str:
    reply = await client.ask(f"<iq type='set'><{what} xmlns='{CARBONS}'/></iq>")
    return error_of(reply) or str(reply.get("type"))


async def copied(client: Client, name: str) -> Element:
    """The message inside of the copy that comes next."""
    account = client.jid.bare
    copy = await client.receives(f"c:message[@from='{account}'][@to='{client.jid}']")
    inside = copy.find(f"{{{CARBONS}}}{name}/{{urn:xmpp:forward:0}}forwarded/{{jabber:client}}message")
    assert inside is not None, name
    assert len(copy) == 1
    assert copy.get("type") == inside.get("type")
    return inside


async def test_support_is_shown(world: World) -> None:
    """3, examples 1 and 2."""
    assert world.host.features[CARBONS] == 1


async def test_enabling_and_disabling_again_and_again(world: World) -> None:
    """4, 5, 9.1, examples 3, 4, 6 and 7."""
    alice = await world.session("alice/phone")
    for what in ("disable", "enable", "enable", "disable", "disable"):
        assert await enable(alice, what) == "result"


async def test_another_account_is_not_enabled(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    reply = await alice.ask(f"<iq type='set' to='bob@localhost'><enable xmlns='{CARBONS}'/></iq>")
    assert error_of(reply) == "not-allowed"
    assert world.host.sessions.find(bob.jid).state("carbons") is None  # type: ignore[union-attr]


async def test_a_message_to_one_device_is_copied_to_the_others(world: World) -> None:
    """7, examples 9 and 10: to those that want it, and not to that which got the message."""
    alice = await world.session("alice/phone")
    garden, home, old = [await world.online(f"bob/{name}") for name in ("garden", "home", "old")]
    assert await enable(home) == await enable(garden) == "result"
    alice.send(f"<message to='bob@localhost/garden' type='chat' id='m'>{BODY}<thread>0e31</thread></message>")
    await alice.ping()
    await garden.receives("c:message[@id='m'][c:body]")
    inside = await copied(home, "received")
    assert (inside.get("from"), inside.get("to")) == ("alice@localhost/phone", "bob@localhost/garden")
    assert inside.findtext("{jabber:client}thread") == "0e31"
    for client in (garden, home, old):
        await client.receives_nothing()
    stamp = inside.find("{urn:xmpp:sid:0}stanza-id")
    assert stamp is not None
    assert (await page(garden)).ids == [stamp.get("id")]


async def test_a_message_to_all_devices_is_not_copied_to_them(world: World) -> None:
    """7; a device of negative priority is given none, and gets a copy."""
    alice = await world.session("alice/phone")
    phone, desk = await world.online("bob/phone"), await world.online("bob/desk")
    shy = await world.online("bob/shy", "<presence><priority>-1</priority></presence>")
    for client in (phone, desk, shy):
        await enable(client)
    alice.send(f"<message to='bob@localhost' type='chat'>{BODY}</message>")
    await alice.ping()
    for client in (phone, desk):
        await client.receives("c:message[c:body]")
        await client.receives_nothing()
    assert (await copied(shy, "received")).get("to") == "bob@localhost"


async def test_what_one_device_says_is_copied_to_the_others(world: World) -> None:
    """8, examples 12 and 13: whether or not it wants copies itself, and with the id in the archive (XEP-0313 3.6)."""
    alice = await world.online("alice/phone")
    home, garden = await world.online("bob/home"), await world.online("bob/garden")
    await enable(garden)
    home.send(f"<message to='alice@localhost' type='chat' id='m'>{BODY}</message>")
    await home.ping()
    inside = await copied(garden, "sent")
    assert (inside.get("from"), inside.get("to")) == ("bob@localhost/home", "alice@localhost")
    stamp = inside.find("{urn:xmpp:sid:0}stanza-id")
    assert stamp is not None
    assert stamp.get("by") == "bob@localhost"
    await home.receives_nothing()
    assert (await page(home)).ids == [stamp.get("id")]
    message = await alice.receives("c:message[@id='m']")
    assert [other.get("by") for other in message.findall("{urn:xmpp:sid:0}stanza-id")] == ["alice@localhost"]


async def test_what_one_says_to_oneself_comes_once(world: World) -> None:
    home, garden = await world.online("bob/home"), await world.online("bob/garden")
    await enable(garden)
    home.send(f"<message to='bob@localhost' type='chat'>{BODY}</message>")
    await home.ping()
    await garden.receives("c:message[c:body]")
    await garden.receives_nothing()


@pytest.mark.parametrize("hint", [f"<private xmlns='{CARBONS}'/>", f"<no-copy xmlns='{HINTS}'/>"])
async def test_a_private_message_is_not_copied(world: World, hint: str) -> None:
    """8.1, examples 14 and 15: not to the recipient's devices and not to the sender's; the mark stays."""
    alice, desk = await world.online("alice/phone"), await world.online("alice/desk")
    phone, home = await world.online("bob/phone"), await world.online("bob/home")
    await enable(desk)
    await enable(home)
    alice.send(f"<message to='bob@localhost/phone' type='chat'>{BODY}{hint}</message>")
    await alice.ping()
    message = await phone.receives("c:message[c:body]")
    assert any(child.tag.endswith(("private", "no-copy")) for child in message)
    await desk.receives_nothing()
    await home.receives_nothing()


@pytest.mark.parametrize(
    ("type", "letter", "sender", "copies"),
    [
        ("chat", BODY, True, True),
        ("chat", "<anything xmlns='urn:x'/>", True, True),
        ("normal", BODY, True, True),
        ("normal", "<anything xmlns='urn:x'/>", False, False),
        ("normal", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", True, True),
        ("normal", "<received xmlns='urn:xmpp:receipts' id='1'/>", True, True),
        ("normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True, True),
        ("normal", "<x xmlns='jabber:x:conference' jid='room@rooms.localhost'/>", True, True),
        ("chat", f"{BODY}<x xmlns='http://jabber.org/protocol/muc#user'/>", True, False),
        ("groupchat", BODY, False, False),
        ("headline", BODY, False, False),
        ("error", BODY, True, True),
    ],
)
async def test_which_messages_are_copied(world: World, type: str, letter: str, sender: bool, copies: bool) -> None:
    """6.1: to the sender's devices and to the recipient's."""
    alice, desk = await world.online("alice/phone"), await world.online("alice/desk")
    phone, home = await world.online("bob/phone"), await world.online("bob/home")
    await enable(desk)
    await enable(home)
    alice.send(f"<message to='bob@localhost/phone' type='{type}'>{letter}</message>")
    await alice.ping()
    await phone.receives("c:message")
    assert len(await desk.pending()) == sender
    assert len(await home.pending()) == copies


async def test_nobody_sends_copies_but_the_server(world: World) -> None:
    """7, example 11, and 11: what pretends to be one does not leave, and does not arrive."""
    mallory, bob = await world.session("mallory/x"), await world.online("bob/phone")
    for name in ("received", "sent"):
        mallory.send(f"<message to='bob@localhost'>{FORGED.replace('received', name)}</message>")
        await mallory.receives_error("forbidden")
    await bob.receives_nothing()


async def test_a_forged_copy_from_elsewhere_is_dropped(world: World) -> None:
    bob = await world.online("bob/phone")
    for sender in ("tybalt@capulet.example/home", "bob@localhost/other", "bob@localhost"):
        stanza = Stanza("message", bob.jid.bare, JID.parse(sender), "chat", "", "", FORGED.encode())
        await world.host.house.router.send(stanza)
    await bob.receives_nothing()


async def test_a_copy_that_bounces_is_not_the_senders_concern(world: World) -> None:
    """9.3: a device that does not want it, by a filter of its own."""
    modules = MODULES | {"carbons": {}, "privacy": {}, "roster": {}, "presence": {}}
    del modules["tests.stories.appearing"]
    async with a_world(modules=modules) as world:
        alice = await world.online("alice/phone")
        phone, home = await world.online("bob/phone"), await world.online("bob/home")
        await enable(home)
        items = "<item action='deny' order='1'><message/></item>"
        await home.ask(f"<iq type='set'><query xmlns='jabber:iq:privacy'><list name='l'>{items}</list></query></iq>")
        await home.ask("<iq type='set'><query xmlns='jabber:iq:privacy'><active name='l'/></query></iq>")
        await home.pending()
        await phone.pending()
        await alice.pending()
        alice.send(f"<message to='bob@localhost/phone' type='chat'>{BODY}</message>")
        await alice.receives_nothing()
        await phone.receives("c:message")


async def test_a_session_that_is_gone_is_forgotten(world: World) -> None:
    bob = await world.online("bob/phone")
    await enable(bob)
    await bob.close()
    while world.host.sessions.find(bob.jid):
        await (await world.session("alice/phone")).ping()
    assert world.module("carbons")._enabled == {}


async def test_who_is_not_available_and_gets_the_message_later_gets_no_copy_now(world: World) -> None:
    """A client that enables carbons before its presence: once each."""
    alice, bob = await world.session("alice/phone"), await world.session("bob/phone")
    await enable(bob)
    alice.send(f"<message to='bob@localhost' type='chat'>{BODY}</message>")
    await alice.ping()
    await bob.receives_nothing()
    bob.send("<presence/>")
    await bob.receives("c:message[c:body][delay:delay]")
    await bob.receives_nothing()
