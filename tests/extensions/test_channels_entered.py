"""Which requests to open a stream take up a place, and whose: nobody can fill another's places."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tests.extensions.test_channels import EXTENSION, agree, block, closing, offer, opening
from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

MODULES = {"ping": {}, "roster": {}, "presence": {}, "privacy": {}, "blocking": {}}


def the_world(**options: int) -> AbstractAsyncContextManager[World]:
    return a_world(modules=MODULES | {EXTENSION: options}, hosts=["localhost", "elsewhere.example"])


def streams(world: World, host: str = "localhost") -> int:
    return len(world.server.hosts[host].modules[EXTENSION].streams)  # type: ignore[attr-defined]


def opening_to(address: str, sid: str) -> str:
    return (
        f"<iq type='set' to='{address}'>"
        f"<open xmlns='http://jabber.org/protocol/ibb' sid='{sid}' block-size='4096'/></iq>"
    )


def agreed(to: Client, sid: str) -> str:
    return f"<iq type='result' to='{to.jid}' id='open-{sid}'/>"


async def elsewhere(world: World, user: str) -> Client:
    """A session at the other host."""
    await world.server.hosts["elsewhere.example"].create_account(user, user)
    client = await Client.dial(world.server.port, "elsewhere.example")
    world.clients.append(client)
    await client.open()
    await client.login(user, user)
    await client.bind("z")
    return client


async def test_requests_that_are_refused_on_their_way_take_up_no_place() -> None:
    """By the recipient's lists, by an account or a device that is not there, by a host or a domain that is not."""
    async with the_world(channels_per_session=2) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        carol = await world.session("carol/z")
        await carol.ask("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='alice@localhost'/></block></iq>")
        await carol.pending()
        nowhere = ("bob@localhost/gone", "nobody@localhost/x", "nobody@elsewhere.example/x", "x@far.example/x")
        for address in (str(carol.jid), *nowhere, "bob@localhost", "localhost", "elsewhere.example"):
            for sid in ("one", "two", "three"):
                assert error_of(await alice.ask(opening_to(address, sid))) in (
                    "service-unavailable", "remote-server-not-found",
                )  # fmt: skip
            assert streams(world) == 0, address
        await agree(alice, bob, "one")
        await agree(carol, bob, "two")


async def test_who_is_asked_and_says_nothing_may_still_ask_others() -> None:
    """What counts for him is what he has agreed to, or asked for himself."""
    async with the_world(channels_per_session=2) as world:
        alice, bob, mallory = [await world.session(name) for name in ("alice/x", "bob/y", "mallory/z")]
        for sid in ("one", "two"):
            await offer(mallory, bob, sid)
        assert error_of(await mallory.ask(opening(alice, "three"))) == "resource-constraint"
        await agree(bob, alice, "four")
        await agree(alice, bob, "five")
        assert error_of(await bob.ask(opening(alice, "six"))) == "resource-constraint"


async def test_who_agrees_to_more_than_he_may_have_agrees_to_none_of_them() -> None:
    """The opener hears an error, and to the other the stream is closed again."""
    async with the_world(channels_per_session=1) as world:
        alice, bob, carol = [await world.session(name) for name in ("alice/x", "bob/y", "carol/z")]
        await offer(alice, bob, "one")
        await offer(carol, bob, "two")
        bob.send(agreed(alice, "one") + agreed(carol, "two"))
        await alice.receives("c:iq[@type='result'][@id='open-one']")
        await carol.receives(f"c:iq[@type='error'][@id='open-two'][@from='{bob.jid}'][c:error/*]")
        await bob.receives(f"c:iq[@type='set'][@from='{carol.jid}'][*[@sid='two']]")
        carol.send(block(bob, "two", 0))
        await carol.receives_error("item-not-found")
        assert streams(world) == 1


async def test_nobody_agrees_in_anothers_name() -> None:
    async with the_world(channels_per_session=1) as world:
        alice, bob, mallory = [await world.session(name) for name in ("alice/x", "bob/y", "mallory/z")]
        await offer(mallory, bob, "one")
        mallory.send(agreed(bob, "one"))
        await bob.receives("c:iq[@type='result']")
        assert world.module(EXTENSION).opened.value == 0
        await agree(alice, bob, "two")


async def test_a_session_of_another_host_is_one_from_elsewhere() -> None:
    """Each host keeps its own books."""
    async with the_world(channels_per_session=1) as world:
        alice = await world.session("alice/x")
        dave = await elsewhere(world, "dave")
        for one, other in ((alice, dave), (dave, alice)):
            await agree(one, other, "k7")
            assert (streams(world), streams(world, "elsewhere.example")) == (1, 1)
            for sender, reader in ((one, other), (other, one)):
                sender.send(block(reader, "k7", 0))
                await reader.receives("c:message[*[@sid='k7']]")
            one.send(closing(other, "k7"))
            await other.receives("c:iq[@type='set'][@id='close-k7']")
            assert (streams(world), streams(world, "elsewhere.example")) == (0, 0)


async def test_requests_from_elsewhere_that_nobody_answers_are_forgotten() -> None:
    """Each may come from another address, so that nobody's count takes them out."""
    async with the_world() as world:
        alice = await world.session("alice/x")
        for number in range(3):
            letter = b"<open xmlns='http://jabber.org/protocol/ibb' sid='k7' block-size='4096'/>"
            sender = JID.parse(f"{number}@far.example/x")
            names = ("http://jabber.org/protocol/ibb open",)
            await world.host.house.router.send(Stanza("iq", alice.jid, sender, "set", "o", "", letter, names))
            await alice.receives("c:iq[@type='set']")
        assert streams(world) == 3
        await world.advance(121)
        assert streams(world) == 0
