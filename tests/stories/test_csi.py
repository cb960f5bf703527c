"""XEP-0352: Client State Indication."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.archives import MODULES, page
from tests.stories.managed import managed, resume, returning, tag, vanish
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

CSI = "urn:xmpp:csi:0"
STATES = "http://jabber.org/protocol/chatstates"
ACTIVE, INACTIVE = f"<active xmlns='{CSI}'/>", f"<inactive xmlns='{CSI}'/>"
PRESENT: dict[str, dict[str, object]] = {"ping": {}, "roster": {}, "presence": {}, "carbons": {}, "csi": {}, "mam": {}}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=PRESENT) as made:
        yield made


async def together(world: World) -> tuple[Client, Client]:
    """Alice and Bob see each other; Bob does not look."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    bob.send(INACTIVE)
    await bob.receives_nothing()
    return alice, bob


async def show(client: Client, *states: str) -> None:
    client.send("".join(f"<presence><show>{state}</show></presence>" for state in states))
    await client.pending()


async def test_support_is_indicated_once_the_client_has_logged_in(world: World) -> None:
    """3.1, example 1."""
    await world.account("alice")
    client = await world.dial()
    features = await client.open()
    assert features.find(f"{{{CSI}}}csi") is None
    await client.login("alice", "alice")
    assert client.features is not None
    assert client.features.find(f"{{{CSI}}}csi") is not None


async def test_presence_waits_until_the_client_is_active(world: World) -> None:
    """3.2, 2.2, examples 2 and 3: then the last of each contact comes."""
    alice, bob = await together(world)
    await show(alice, "away", "dnd", "xa")
    await bob.receives_nothing()
    bob.send(ACTIVE)
    await bob.receives("c:presence[@from='alice@localhost/phone'][c:show='xa']")
    await bob.receives_nothing()
    await show(alice, "away")
    await bob.receives("c:presence[c:show='away']")


async def test_all_that_waits_comes_before_the_answer_to_what_follows(world: World) -> None:
    """5.1, example 4."""
    alice, bob = await together(world)
    await show(alice, "dnd")
    bob.send(f"{ACTIVE}<iq type='get' id='ping1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    await bob.receives("c:presence[c:show='dnd']")
    await bob.receives("c:iq[@id='ping1']")


async def test_what_somebody_says_passes_and_what_waits_goes_before_it(world: World) -> None:
    alice, bob = await together(world)
    await show(alice, "dnd")
    alice.send("<message to='bob@localhost' type='chat'><body>wake up</body></message>")
    await show(alice, "away")
    await bob.receives("c:presence[c:show='dnd']")
    await bob.receives("c:message[c:body='wake up']")
    await bob.receives_nothing()
    bob.send(ACTIVE)
    await bob.receives("c:presence[c:show='away']")


async def test_a_contact_that_leaves_is_seen_to_have_left(world: World) -> None:
    alice, bob = await together(world)
    await show(alice, "dnd")
    alice.send("<presence type='unavailable'/>")
    await alice.ping()
    bob.send(ACTIVE)
    await bob.receives("c:presence[@type='unavailable']")
    await bob.receives_nothing()


@pytest.mark.parametrize(
    ("letter", "passes"),
    [
        (f"<composing xmlns='{STATES}'/>", False),
        (f"<composing xmlns='{STATES}'/><thread>t</thread><no-store xmlns='urn:xmpp:hints'/>", False),
        (f"<active xmlns='{STATES}'/><body>x</body>", True),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", True),
        ("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True),
        ("<thread>t</thread>", True),
        ("", True),
    ],
)
async def test_chat_states_alone_are_dropped(world: World, letter: str, passes: bool) -> None:
    alice, bob = await together(world)
    alice.send(f"<message to='bob@localhost' type='chat'>{letter}</message>")
    await alice.ping()
    assert len(await bob.pending()) == passes
    bob.send(ACTIVE)
    await bob.receives_nothing()


async def test_headlines_wait_in_their_order(world: World) -> None:
    alice, bob = await together(world)
    await show(alice, "away")
    for number in range(3):
        alice.send(f"<message to='bob@localhost' type='headline' id='h{number}'><event xmlns='urn:x'/></message>")
    await show(alice, "dnd")
    await bob.receives_nothing()
    bob.send(ACTIVE)
    assert [stanza.get("id") for stanza in [await bob.receive() for _ in range(3)]] == ["h0", "h1", "h2"]
    await bob.receives("c:presence[c:show='dnd']")


async def test_requests_and_answers_pass(world: World) -> None:
    alice, bob = await together(world)
    alice.send("<iq type='get' to='bob@localhost/phone' id='q'><ping xmlns='urn:xmpp:ping'/></iq>")
    await bob.receives("c:iq[@id='q']")
    carol = await world.session("carol/phone")
    carol.send("<presence to='bob@localhost' type='subscribe'/>")
    await bob.receives("c:presence[@type='subscribe']")


async def test_ones_own_presence_in_a_room_does_not_wait(world: World) -> None:
    _, bob = await together(world)
    muc = "http://jabber.org/protocol/muc#user"
    for nick, status in (("carol", ""), ("bob", "<status code='110'/>")):
        letter = f"<x xmlns='{muc}'><item affiliation='none' role='participant'/>{status}</x>"
        sender = JID.parse(f"room@rooms.localhost/{nick}")
        await world.host.house.router.send(Stanza("presence", bob.jid, sender, "", "", "", letter.encode()))
    await bob.receives("c:presence[@from='room@rooms.localhost/carol']")
    await bob.receives("c:presence[@from='room@rooms.localhost/bob']")


async def test_what_waits_is_bounded() -> None:
    async with a_world(modules=PRESENT | {"csi": {"max_held": 2}}) as world:
        alice, bob = await together(world)
        for number in range(4):
            alice.send(f"<message to='bob@localhost' type='headline' id='h{number}'><event xmlns='urn:x'/></message>")
        await alice.ping()
        assert [stanza.get("id") for stanza in await bob.pending()] == ["h0", "h1", "h2"]


async def test_other_devices_are_not_concerned(world: World) -> None:
    """4: nor are they told."""
    alice, bob = await together(world)
    desk = await world.online("bob/desk")
    await desk.pending()
    await bob.pending()
    await show(alice, "dnd")
    await desk.receives("c:presence[c:show='dnd']")
    bob.send(INACTIVE)
    await bob.receives_nothing()
    await desk.receives_nothing()


async def test_saying_it_twice_is_harmless_and_leaves_nothing(world: World) -> None:
    alice, bob = await together(world)
    bob.send(INACTIVE + ACTIVE + ACTIVE + INACTIVE)
    await bob.ping()
    csi = world.module("csi")
    assert csi._inactive == 1
    await show(alice, "dnd")
    await bob.close()
    while world.host.sessions.find(bob.jid):
        await alice.ping()
    assert csi._inactive == 0


async def test_the_archive_answers_an_inactive_client() -> None:
    async with a_world(modules=MODULES | {"csi": {}}) as world:
        bob = await world.online("bob/phone")
        bob.send("<message to='bob@localhost'><body>x</body></message>")
        await bob.receives("c:message")
        bob.send(INACTIVE)
        assert (await page(bob)).texts == ["x"]


async def test_before_binding_it_says_nothing(world: World) -> None:
    await world.account("alice")
    client = await world.dial()
    await client.open()
    await client.login("alice", "alice")
    client.send(INACTIVE)
    await client.bind("phone")
    assert world.module("csi")._inactive == 0


async def test_a_resumed_stream_is_active(world: World) -> None:
    """5.2: what waited comes with it."""
    alice = await world.online("alice/phone")
    bob, id = await managed(world, "bob/phone")
    bob.send("<presence/>")
    await bob.pending()
    await world.friends(alice, bob)
    bob.send(INACTIVE)
    await bob.ping()
    await show(alice, "dnd")
    await vanish(world, bob)
    again = await returning(world, "bob")
    assert (await resume(again, id)).tag == tag("resumed")
    await shown(again, "dnd")
    await show(alice, "away")
    await shown(again, "away")


async def shown(client: Client, state: str) -> None:
    """A contact is seen so; what is sent again before is passed over."""
    while (await client.receive()).findtext("{jabber:client}show") != state:
        pass
