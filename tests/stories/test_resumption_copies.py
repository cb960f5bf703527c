"""What one device has as a message and another as a copy (XEP-0280), where both lose their connections (XEP-0198)."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.storage import Commit

from .managed import SM, bodies, heard_nothing, managed, vanish
from .managed import enable as switch_on
from .test_resumption import MODULES
from .test_resumption_kept import acknowledges, back, on_disk
from .test_resumption_returning import PATIENT, comes, stamp, stored

ENABLE = "<iq type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={**MODULES, "carbons": {}}, limits=PATIENT) as made:
        yield made


class People:
    """Alice with a phone and a desk, which sees copies and gives up first or last; Bob writes to the phone."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def come(self, patience: int) -> None:
        self.phone, self.phone_id = await managed(self.world, "alice/phone", "resume='true' max='100'")
        self.desk, self.desk_id = await managed(self.world, "alice/desk", f"resume='true' max='{patience}'")
        await self.desk.ask(ENABLE)
        self.bob = await self.world.online("bob/desk")

    async def says(self, text: str) -> None:
        self.bob.send(f"<message to='{self.phone.jid}' type='chat'><body>{text}</body></message>")
        await self.bob.ping()

    async def vanish(self, *clients: Client) -> None:
        for client in clients or (self.desk, self.phone):
            await vanish(self.world, client)


@pytest.mark.parametrize("patience", [50, 200])
async def test_a_message_that_all_have_lost_is_stored_once(world: World, patience: int) -> None:
    """Whoever gives up last, the one with the message or the one with the copy."""
    people, start = People(world), world.clock.time()
    await people.come(patience)
    await people.says("1")
    await people.vanish()
    await people.says("2")
    assert await on_disk(world) == 2
    await world.advance(101)
    assert await stored(world) == (2 if patience == 50 else 0)
    await world.advance(100)
    assert await stored(world) == 2
    got = await bodies(await comes(world, "alice/tablet"), "1", "2")
    assert [stamp(each) - start for each in got] == [0, 0]


async def test_a_copy_that_its_device_has_is_enough(world: World) -> None:
    people = People(world)
    await people.come(200)
    await people.vanish()
    await people.says("1")
    assert await on_disk(world) == 1
    desk = await back(world, people.desk, people.desk_id)
    await desk.pending()
    session = world.host.sessions.find(desk.jid)
    assert session is not None
    await acknowledges(desk, session.door.ledger.sent)  # type: ignore[attr-defined]
    assert await on_disk(world) == 0
    await world.advance(101)
    assert await stored(world) == 0


async def test_a_message_that_another_device_is_given_is_not_stored_for_the_copy(world: World) -> None:
    people = People(world)
    await people.come(200)
    await people.vanish(people.desk)
    await people.phone.pending()
    await people.says("1")
    await bodies(people.phone, "1")
    assert await on_disk(world) == 0


async def test_a_lost_copy_is_given_to_who_came_later(world: World) -> None:
    """As the message itself is: with its time, and as it was."""
    people, start = People(world), world.clock.time()
    await people.come(50)
    await people.vanish(people.desk)
    await people.says("1")
    tablet = await world.online("alice/tablet")
    await world.advance(51)
    (got,) = await bodies(tablet, "1")
    assert (got.get("to"), stamp(got)) == (people.phone.jid, start)


async def test_a_lost_copy_that_is_read_in_the_archive_is_not_given() -> None:
    async with a_world(modules={**MODULES, "carbons": {}, "mam": {}}, limits=PATIENT) as world:
        people = People(world)
        await people.come(50)
        await people.says("1")
        await people.vanish(people.desk)
        tablet = await world.session("alice/tablet")
        await tablet.ask("<iq type='set'><query xmlns='urn:xmpp:mam:2'/></iq>")
        tablet.send("<presence/>")
        (read, *_) = await tablet.pending()
        assert read.find("{urn:xmpp:mam:2}result") is not None
        await world.advance(51)
        await tablet.receives("c:presence[@type='unavailable']")
        await tablet.receives_nothing()


async def test_a_lost_copy_of_what_was_stored_is_not_given_back(world: World) -> None:
    """Neither to who has the message nor to who comes; and who has a copy is not given the message."""
    bob = await world.online("bob/desk")
    phone, desk, old = [await world.session(f"alice/{name}") for name in ("phone", "desk", "old")]
    for client in (phone, desk, old):
        await switch_on(client, "resume='true' max='50'")
    for client in (phone, desk):
        await client.ask(ENABLE)
    bob.send("<message to='alice@localhost' type='chat'><body>1</body></message>")
    await bob.ping()
    await vanish(world, phone)
    old.send("<presence/>")
    await old.receives("c:presence")
    await bodies(old, "1")
    await vanish(world, old)
    await desk.receives("c:message/*/*/c:message[c:body='1']")
    await acknowledges(desk, 2)
    await world.advance(51)
    assert await stored(world) == 1, "neither of those who were lost has said that it has it"
    desk.send("<presence/>")
    assert "{jabber:client}message" not in [each.tag for each in await desk.pending()]
    await acknowledges(desk, 4)
    while await on_disk(world):
        await bob.ping()
    tablet = await comes(world, "alice/tablet")
    assert "{jabber:client}message" not in [each.tag for each in await tablet.pending()]


async def test_a_lost_copy_of_what_is_stored_is_not_stored_again(world: World) -> None:
    """A device of negative priority has the copy."""
    bob, shy = await world.online("bob/desk"), await world.session("alice/shy")
    await switch_on(shy, "resume='true' max='50'")
    await shy.ask(ENABLE)
    shy.send("<presence><priority>-1</priority></presence>")
    await shy.receives("c:presence")
    bob.send("<message to='alice@localhost' type='chat'><body>1</body></message>")
    await bob.ping()
    await shy.receives("c:message/*/*/c:message[c:body='1']")
    await vanish(world, shy)
    await world.advance(51)
    assert await stored(world) == 1
    tablet = await comes(world, "alice/tablet")
    await bodies(tablet, "1")
    await tablet.receives_nothing()


async def test_who_loses_what_no_library_reads_leaves_as_others_do(world: World) -> None:
    """Expat takes such an id from its sender, libxml2 would not."""
    bob, phone = await world.online("bob/desk"), await world.session("alice/phone")
    await switch_on(phone, "resume='true' max='50'")
    bob.send("<message to='alice@localhost' type='chat' xml:id='1 2'><body>1</body></message>")
    await bob.ping()
    phone.send("<presence to='bob@localhost/desk'/><presence/>")
    assert b"xml:id='1 2'" in await phone.reads(b"</message>")
    await bob.receives("c:presence[not(@type)]")
    await vanish(world, phone)
    await world.advance(51)
    await bob.receives("c:presence[@type='unavailable']")
    tablet = await world.session("alice/tablet")
    tablet.send("<presence/>")
    assert b"xml:id='1 2'" in await tablet.reads(b"</message>")


async def test_what_the_account_said_itself_is_not_given_back(world: World) -> None:
    people = People(world)
    await people.come(50)
    await people.vanish(people.desk)
    people.phone.send("<message to='bob@localhost' type='chat'><body>1</body></message>")
    await people.phone.ping()
    assert await on_disk(world) == 0
    await world.advance(51)
    await bodies(people.bob, "1")
    await people.bob.receives_nothing()
    assert await stored(world) == 0


async def test_a_copy_is_on_disk_before_its_message_is_acknowledged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, slow = People(world), Commit()
    await people.come(50)
    await people.vanish()
    carol, _ = await managed(world, "carol/desk")
    with monkeypatch.context() as patched:
        patched.setattr(world.host.house.storage, "add", lambda *row: slow)
        carol.send(f"<message to='{people.phone.jid}' type='chat'><body>1</body></message><r xmlns='{SM}'/>")
        while not slow.awaited:
            await people.bob.ping()
    await people.bob.ping()
    assert heard_nothing(carol)
    slow.resolve([])
    assert (await carol.receive()).get("h") == "1"


@pytest.mark.parametrize("patience", [50, 200])
async def test_without_a_store_the_sender_is_told_of_the_message(patience: int) -> None:
    """Not the account of its copy."""
    modules = {name: {} for name in ("ping", "presence", "roster", "carbons")}
    async with a_world(modules=modules, limits=PATIENT) as world:
        people = People(world)
        await people.come(patience)
        people.bob.send(f"<message to='{people.phone.jid}' id='m1' type='chat'><body>1</body></message>")
        await people.bob.ping()
        await people.vanish()
        await world.advance(201)
        error = await people.bob.receives_error("service-unavailable")
        assert (error.get("id"), error.get("from")) == ("m1", people.phone.jid)
        await people.bob.receives_nothing()
