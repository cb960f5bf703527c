"""XEP-0016 2.10, 2.11: presence that is blocked, and what is said when a block begins or ends."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world

from .listed import MODULES, UNAVAILABLE, applies, blocking, blocks, chat, has_list, query, succeeds

AWAY = "<presence><show>away</show></presence>"
OUT = "<item type='jid' value='{}' action='deny' order='13'><presence-out/></item>"
IN = "<item type='jid' value='{}' action='deny' order='7'><presence-in/></item>"


class Verona:
    """Romeo at two places, and Juliet, his friend."""

    def __init__(self, world: World, orchard: Client, home: Client, juliet: Client) -> None:
        self.world, self.orchard, self.home, self.juliet = world, orchard, home, juliet

    async def quiet(self) -> None:
        """All that has come in is taken out."""
        for client in (self.orchard, self.home, self.juliet):
            await client.pending()


@pytest.fixture
async def verona() -> AsyncIterator[Verona]:
    async with a_world(modules=MODULES) as world:
        orchard, home = await world.online("romeo/orchard"), await world.online("romeo/home")
        juliet = await world.online("juliet/balcony")
        made = Verona(world, orchard, home, juliet)
        await world.friends(orchard, juliet)
        await made.quiet()
        yield made


FROM_ORCHARD = f"{UNAVAILABLE}[@from='romeo@localhost/orchard']"
FROM_HOME = f"{UNAVAILABLE}[@from='romeo@localhost/home']"
FROM_JULIET = f"{UNAVAILABLE}[@from='juliet@localhost/balcony']"


async def test_blocked_presence_out_is_not_sent(verona: Verona) -> None:
    await applies(verona.orchard, OUT.format("juliet@localhost"), how="active")
    await verona.quiet()
    verona.orchard.send(AWAY)
    await verona.orchard.ping()
    await verona.juliet.receives_nothing()
    verona.home.send(AWAY)
    await verona.juliet.receives("c:presence[@from='romeo@localhost/home']")


async def test_who_is_blocked_is_sent_unavailable_presence(verona: Verona) -> None:
    await applies(verona.orchard, OUT.format("juliet@localhost"), how="active")
    await verona.juliet.receives(FROM_ORCHARD)
    await verona.juliet.receives_nothing()
    await has_list(verona.orchard, "also", OUT.format("juliet@localhost"))
    await succeeds(verona.orchard, query("<active name='also'/>"))
    await verona.juliet.receives_nothing()
    await succeeds(verona.orchard, query("<active/>"))
    await verona.juliet.receives("c:presence[@from='romeo@localhost/orchard'][not(@type)]")


async def test_the_default_list_hides_every_resource(verona: Verona) -> None:
    await has_list(verona.orchard, "test", OUT.format("juliet@localhost"))
    await succeeds(verona.orchard, query("<default name='test'/>"))
    await verona.juliet.receives_in_any_order(FROM_ORCHARD, FROM_HOME)
    await has_list(verona.orchard, "test", OUT.format("mercutio@localhost"))
    await verona.juliet.receives_in_any_order(
        "c:presence[@from='romeo@localhost/orchard'][not(@type)]",
        "c:presence[@from='romeo@localhost/home'][not(@type)]",
    )


async def test_strangers_are_sent_nothing(verona: Verona) -> None:
    mercutio = await verona.world.online("mercutio/x")
    await blocks(verona.orchard, "mercutio@localhost")
    await mercutio.receives_nothing()


async def test_who_was_sent_directed_presence_is_told_too(verona: Verona) -> None:
    mercutio = await verona.world.online("mercutio/x")
    verona.orchard.send("<presence to='mercutio@localhost/x'/>")
    await mercutio.receives("c:presence[not(@type)]")
    await blocks(verona.orchard, "mercutio@localhost")
    await mercutio.receives(FROM_ORCHARD)
    await succeeds(verona.orchard, blocking("<unblock/>"))
    verona.orchard.send("<presence type='unavailable'/>")
    await verona.orchard.ping()
    await mercutio.receives_nothing()


async def test_probes_are_not_answered(verona: Verona) -> None:
    await has_list(verona.orchard, "test", OUT.format("juliet@localhost"))
    await succeeds(verona.orchard, query("<default name='test'/>"))
    await verona.juliet.pending()
    verona.juliet.send("<presence to='romeo@localhost' type='probe'/>")
    await verona.juliet.receives_nothing()
    again = await verona.world.online("juliet/garden")
    await again.receives_nothing()


async def test_blocked_presence_in_is_not_delivered(verona: Verona) -> None:
    await applies(verona.orchard, IN.format("juliet@localhost"), how="active")
    await verona.quiet()
    verona.juliet.send(AWAY)
    await verona.home.receives("c:presence[@from='juliet@localhost/balcony']")
    await verona.orchard.receives_nothing()
    verona.juliet.send(chat("romeo@localhost/orchard"))
    await verona.orchard.receives("c:message")


async def test_who_is_blocked_becomes_unavailable_to_the_owner(verona: Verona) -> None:
    await applies(verona.orchard, IN.format("juliet@localhost"), how="active")
    await verona.orchard.receives(f"{FROM_JULIET}[@to='romeo@localhost/orchard']")
    await verona.orchard.receives_nothing()
    await verona.home.pending()
    await succeeds(verona.orchard, query("<active/>"))
    await verona.orchard.receives("c:presence[@from='juliet@localhost/balcony'][not(@type)]")
    await verona.home.receives_nothing()


@pytest.mark.parametrize(
    "item",
    [
        "<item type='subscription' value='both' action='deny' order='17'>{}</item>",
        "<item action='deny' order='23'>{}</item>",
        "<item type='jid' value='localhost' action='deny' order='3'>{}</item>",
    ],
)
@pytest.mark.parametrize("kind", ["<presence-in/>", "<presence-out/>"])
async def test_presence_is_blocked_by_subscription_by_domain_and_globally(verona: Verona, item: str, kind: str) -> None:
    await applies(verona.orchard, item.format(kind), how="active")
    blind, seen = (verona.juliet, FROM_ORCHARD) if kind == "<presence-out/>" else (verona.orchard, FROM_JULIET)
    await blind.receives(seen)
    for client in (verona.orchard, verona.juliet):
        await client.pending()
    (verona.orchard if kind == "<presence-out/>" else verona.juliet).send(AWAY)
    await verona.orchard.ping()
    await verona.juliet.ping()
    assert not [each for each in await blind.pending() if not each.get("from", "").startswith(str(blind.jid.bare))]


async def test_who_is_moved_to_a_blocked_group_is_told(verona: Verona) -> None:
    def moved(group: str) -> str:
        item = f"<item jid='juliet@localhost'><group>{group}</group></item>"
        return f"<iq type='set'><query xmlns='jabber:iq:roster'>{item}</query></iq>"

    await succeeds(verona.orchard, moved("Enemies"))
    await has_list(
        verona.orchard, "test", "<item type='group' value='Enemies' action='deny' order='15'><presence-out/></item>"
    )
    await succeeds(verona.orchard, query("<active name='test'/>"))
    await verona.juliet.receives(FROM_ORCHARD)
    await succeeds(verona.orchard, moved("Friends"))
    await verona.juliet.receives("c:presence[@from='romeo@localhost/orchard'][not(@type)]")
    await succeeds(verona.orchard, moved("Enemies"))
    await verona.juliet.receives(FROM_ORCHARD)


async def test_subscriptions_are_no_presence_notifications(verona: Verona) -> None:
    await applies(verona.orchard, "<item action='deny' order='1'><presence-in/><presence-out/></item>")
    mercutio = await verona.world.online("mercutio/x")
    mercutio.send("<presence to='romeo@localhost' type='subscribe'/>")
    await verona.orchard.pending()
    verona.orchard.send("<presence to='mercutio@localhost' type='subscribe'/>")
    await mercutio.receives("c:presence[@type='subscribe'][@from='romeo@localhost']")
