"""RFC 6121 3 and 4 with a contact of another server: what goes over the wire, and what comes."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.api import Event
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from .contacts import MODULES, Remote, from_remote, interested, item, roster

ALICE, BOB = "alice@localhost", "bob@remote.example"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


@pytest.fixture
def remote(world: World) -> Remote:
    domain = Remote()
    world.server.router.add("remote.example", domain)
    return domain


async def friend(world: World) -> Client:
    """alice/phone, who shares presence with bob@remote.example."""
    alice = await interested(await world.online("alice/phone"))
    await world.module("roster").set_item(alice.jid.bare, JID.parse(BOB), "", (), "both")
    await alice.pending()
    return alice


async def test_subscription_stanzas_leave_from_the_bare_address(world: World, remote: Remote) -> None:
    """RFC 6121 3.1.2, 3.2.2, 3.3.2."""
    alice = await interested(await world.online("alice/phone"))
    alice.send(f"<presence to='{BOB}/desk' type='subscribe'/><presence to='{BOB}' type='unsubscribe'/>")
    await alice.ping()
    assert remote.came == [("subscribe", ALICE, BOB), ("unsubscribe", ALICE, BOB)]


async def test_an_approval_is_followed_by_presence(world: World, remote: Remote) -> None:
    """RFC 6121 3.1.5."""
    alice = await interested(await world.online("alice/phone"))
    await from_remote(world, "subscribe", ALICE)
    await alice.receives(f"c:presence[@type='subscribe'][@from='{BOB}']")
    alice.send(f"<presence to='{BOB}' type='subscribed'/>")
    await alice.receives(item(BOB, subscription="from"))
    await alice.ping()
    assert remote.came == [("subscribed", ALICE, BOB), ("", f"{ALICE}/phone", BOB)]


async def test_a_cancelled_subscriber_sees_everybody_leave_first(world: World, remote: Remote) -> None:
    """RFC 6121 3.2.2."""
    alice = await friend(world)
    remote.came.clear()
    alice.send(f"<presence to='{BOB}' type='unsubscribed'/>")
    await alice.ping()
    assert remote.came == [("unavailable", f"{ALICE}/phone", BOB), ("unsubscribed", ALICE, BOB)]


async def test_the_login_tells_and_probes_the_contact(world: World, remote: Remote) -> None:
    """RFC 6121 4.2.2, 4.3.1: the probe comes from the resource, so that it alone gets the answer."""
    await friend(world)
    remote.came.clear()
    desk = await world.online("alice/desk")
    assert remote.came == [("", f"{ALICE}/desk", BOB), ("probe", f"{ALICE}/desk", BOB)]
    await from_remote(world, "", f"{ALICE}/desk", b"<show>away</show>")
    await desk.receives(f"c:presence[@from='{BOB}/desk'][c:show='away']")


async def test_presence_of_a_contact_goes_to_all_available_resources(world: World, remote: Remote) -> None:
    """RFC 6121 4.2.3, 4.4.3, 4.5.3."""
    alice = await friend(world)
    desk = await world.online("alice/desk")
    silent = await world.session("alice/silent")
    await alice.pending()
    await from_remote(world, "", ALICE, b"<show>dnd</show>")
    for client in (alice, desk):
        await client.receives(f"c:presence[@from='{BOB}/desk'][@to='{ALICE}'][c:show='dnd']")
    await silent.receives_nothing()


async def test_a_probe_is_answered_to_whom_it_came_from(world: World, remote: Remote) -> None:
    await friend(world)
    remote.came.clear()
    await from_remote(world, "probe", ALICE)
    assert remote.came == [("", f"{ALICE}/phone", BOB)]


async def test_a_stranger_s_probe_tells_nothing(world: World, remote: Remote) -> None:
    await world.online("alice/phone")
    await from_remote(world, "probe", ALICE)
    await from_remote(world, "probe", f"{ALICE}/phone")
    assert remote.came == [("unsubscribed", ALICE, BOB)] * 2


async def test_a_contact_s_cancellation_reaches_interested_resources(world: World, remote: Remote) -> None:
    """RFC 6121 3.2.3."""
    alice = await friend(world)
    await from_remote(world, "unsubscribed", ALICE)
    await alice.receives(f"c:presence[@type='unsubscribed'][@from='{BOB}']")
    await alice.receives(item(BOB, subscription="from"))
    assert await roster(alice) == {BOB: "from"}


async def test_removing_a_contact_and_an_account_tells_the_other_server(world: World, remote: Remote) -> None:
    alice = await friend(world)
    remote.came.clear()
    await world.host.remove_account(alice.jid.bare)
    assert remote.came == [
        ("unavailable", f"{ALICE}/phone", BOB),
        ("unsubscribe", ALICE, BOB),
        ("unsubscribed", ALICE, BOB),
    ]


class Refusing:
    """A domain that takes nothing."""

    async def handle(self, event: Event) -> None:
        raise StanzaError("forbidden")


async def test_a_refused_copy_leaves_the_others(world: World, remote: Remote) -> None:
    """A contact whose server takes nothing hinders nobody, and the sender learns of it."""
    world.server.router.add("elsewhere.example", Refusing())
    alice = await friend(world)
    for contact in ("eve@elsewhere.example", "carol@remote.example"):
        await world.module("roster").set_item(alice.jid.bare, JID.parse(contact), "", (), "from")
    await alice.pending()
    remote.came.clear()
    alice.send("<presence><show>away</show></presence>")
    await alice.receives_error("forbidden")
    await alice.ping()
    assert remote.came == [("", f"{ALICE}/phone", BOB), ("", f"{ALICE}/phone", "carol@remote.example")]
