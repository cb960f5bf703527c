"""What of that which waits for a client without a connection (XEP-0198) is not stored, and who is told."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.test_offline import HINTS, STATES
from xmppd.storage import Commit, StorageError

from .managed import bodies, enable, managed, vanish
from .test_resumption import MODULES, says
from .test_resumption_kept import acknowledges, back, on_disk
from .test_resumption_returning import PATIENT, comes

NS_MAM = "urn:xmpp:mam:2"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES, limits=PATIENT) as made:
        yield made


async def test_what_is_archived_is_not_stored_again() -> None:
    async with a_world(modules={**MODULES, "mam": {}}, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await says(bob, 1)
        await vanish(world, alice)
        await says(bob, 2)
        assert await on_disk(world) == 0


async def test_what_the_account_does_not_want_archived_is(world: World) -> None:
    """XEP-0441 never, a hint, and what no archive keeps."""
    async with a_world(modules={**MODULES, "mam": {}}, limits=PATIENT) as world:
        alice, _ = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await vanish(world, alice)
        hint = f"<no-permanent-store xmlns='{HINTS}'/>"
        bob.send(f"<message to='alice@localhost' type='chat'><body>1</body>{hint}</message>")
        bob.send("<message to='alice@localhost'><subject>2</subject></message>")
        await bob.ping()
        assert await on_disk(world) == 2
        await says(bob, 3)
        assert await on_disk(world) == 2
        desk = await world.session("alice/desk")
        await desk.ask(f"<iq type='set'><prefs xmlns='{NS_MAM}' default='never'><always/><never/></prefs></iq>")
        await says(bob, 4)
        assert await on_disk(world) == 3


@pytest.mark.parametrize(
    "letter",
    [f"<body>x</body><no-store xmlns='{HINTS}'/>", f"<composing xmlns='{STATES}'/>"],
)
async def test_what_must_not_be_stored_is_not(world: World, letter: str) -> None:
    alice, id = await managed(world, "alice/phone")
    bob = await world.online("bob/desk")
    await vanish(world, alice)
    bob.send(f"<message to='alice@localhost' type='chat'>{letter}</message>")
    await bob.receives_nothing()
    assert await on_disk(world) == 0
    again = await back(world, alice, id)
    assert len([each for each in await again.pending() if each.tag.endswith("message")]) == 1


async def test_who_sent_what_the_disk_refused_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, _ = await managed(world, "alice/phone")
    bob, carol = await world.online("bob/desk"), await world.online("carol/desk")
    await vanish(world, alice)
    broken = Commit()
    with monkeypatch.context() as patched:
        patched.setattr(world.host.house.storage, "add", lambda *row: broken)
        bob.send("<message to='alice@localhost' id='lost' type='chat'><body>1</body></message>")
        while not broken.awaited:
            await carol.ping()
    broken.resolve(StorageError("the disk is full"))
    error = await bob.receives_error("internal-server-error")
    assert error.get("id") == "lost"
    await world.advance(301)
    await (await comes(world, "alice/phone")).receives_nothing()


async def test_who_sends_too_much_is_refused() -> None:
    """As it is where nobody is online."""
    async with a_world(modules=MODULES | {"offline": {"max_user_messages": 2}}, limits=PATIENT) as world:
        alice, id = await managed(world, "alice/phone")
        bob = await world.online("bob/desk")
        await vanish(world, alice)
        await says_and_is_refused(bob)
        again = await back(world, alice, id)
        await bodies(again, "1", "2")
        await acknowledges(again, 2)
        await vanish(world, again)
        await says_and_is_refused(bob)


async def says_and_is_refused(bob: Client) -> None:
    """The third of three."""
    for number in (1, 2, 3):
        bob.send(f"<message to='alice@localhost' id='{number}' type='chat'><body>{number}</body></message>")
    assert (await bob.receives_error("service-unavailable")).get("id") == "3"
    await bob.receives_nothing()


async def test_an_anonymous_session_has_nobody_to_store_for() -> None:
    auth = {"mechanisms": ["ANONYMOUS", "PLAIN", "SCRAM-SHA-1"]}
    async with a_world(modules=MODULES, limits=PATIENT, auth=auth) as world:
        guest = await world.dial()
        await guest.open()
        guest.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        assert (await guest.receive()).tag.endswith("success")
        await guest.open()
        await guest.bind("phone")
        await enable(guest)
        bob = await world.online("bob/desk")
        await vanish(world, guest)
        bob.send(f"<message to='{guest.jid}' type='chat'><body>1</body></message>")
        await bob.ping()
        assert await on_disk(world) == 0
