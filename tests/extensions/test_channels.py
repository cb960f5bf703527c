"""What the server does for data channels: bounds, and no stream left dangling."""

from __future__ import annotations

from base64 import b64encode
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from xmppd.routing.event import Event
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

EXTENSION = "xmppd.extensions.data_channels"
NS_IBB = "http://jabber.org/protocol/ibb"


def the_world(**options: int) -> AbstractAsyncContextManager[World]:
    return a_world(modules={"ping": {}, "disco": {}, EXTENSION: options})


def opening(to: Client, sid: str, size: int | str = 4096) -> str:
    return (
        f"<iq type='set' to='{to.jid}'><open xmlns='{NS_IBB}' sid='{sid}' block-size='{size}' stanza='message'/></iq>"
    )


def opened(to: Client, sid: str, id: str) -> str:
    return opening(to, sid).replace("<iq ", f"<iq id='{id}' ", 1)


def block(to: Client, sid: str, seq: int, data: bytes = b"data") -> str:
    inside = f"<data xmlns='{NS_IBB}' seq='{seq}' sid='{sid}'>{b64encode(data).decode()}</data>"
    return f"<message to='{to.jid}'>{inside}</message>"


def closing(to: Client, sid: str) -> str:
    return f"<iq type='set' to='{to.jid}' id='close-{sid}'><close xmlns='{NS_IBB}' sid='{sid}'/></iq>"


async def offer(one: Client, other: Client, sid: str) -> None:
    """One asks to open a stream; the other has heard it and says nothing yet."""
    one.send(opened(other, sid, f"open-{sid}"))
    await other.receives(f"c:iq[@type='set'][@id='open-{sid}'][*[@sid='{sid}']]")


async def agree(one: Client, other: Client, sid: str) -> None:
    """One opens a stream and the other agrees."""
    await offer(one, other, sid)
    other.send(f"<iq type='result' to='{one.jid}' id='open-{sid}'/>")
    await one.receives(f"c:iq[@type='result'][@id='open-{sid}']")


async def test_blocks_pass_both_ways_as_they_were_sent() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        alice.send(block(bob, "k7", 0, b"from alice"))
        await bob.receives(f"c:message[@from='{alice.jid}'][*[@seq='0'][.='{b64encode(b'from alice').decode()}']]")
        bob.send(block(alice, "k7", 0, b"from bob"))
        await alice.receives(f"c:message[@from='{bob.jid}'][*[@seq='0'][.='{b64encode(b'from bob').decode()}']]")


async def test_streams_and_bytes_are_counted() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        module = world.module(EXTENSION)
        await agree(alice, bob, "k7")
        await agree(bob, alice, "k7b")
        assert (module.opened.value, len(module.streams)) == (2, 2)
        stanza = block(bob, "k7", 0)
        alice.send(stanza)
        await bob.receives("c:message")
        assert module.carried.value == len(stanza) - len(f"<message to='{bob.jid}'></message>")
        alice.send(closing(bob, "k7"))
        await bob.receives("c:iq[@type='set']")
        assert len(module.streams) == 1


async def test_the_feature_is_in_service_discovery() -> None:
    async with the_world() as world:
        alice = await world.session("alice/x")
        query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        info = await alice.ask(f"<iq type='get' to='localhost'>{query}</iq>")
        assert "urn:xmppd:channel:0" in [feature.get("var") for feature in info[0]]


async def test_larger_blocks_than_allowed_are_not_agreed_to() -> None:
    async with the_world(block_size=4096) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        assert error_of(await alice.ask(opening(bob, "k7", 4097))) == "resource-constraint"
        await bob.receives_nothing()
        assert world.module(EXTENSION).refused["resource-constraint"].value == 1
        await agree(alice, bob, "k7")


@pytest.mark.parametrize(("sid", "size"), [("", 4096), ("k7", ""), ("k7", "many"), ("k7", "-1"), ("k7", "²")])
async def test_an_open_without_sid_or_size_is_a_bad_request(sid: str, size: int | str) -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        assert error_of(await alice.ask(opening(bob, sid, size))) == "bad-request"
        await bob.receives_nothing()


async def test_a_block_larger_than_any_that_was_agreed_to_is_refused() -> None:
    async with the_world(block_size=4096) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        alice.send(block(bob, "k7", 0, bytes(4096)))
        await bob.receives("c:message")
        alice.send(block(bob, "k7", 1, bytes(8192)))
        await alice.receives_error("policy-violation")
        await bob.receives_nothing()


async def test_a_block_outside_a_stream_is_refused() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        alice.send(block(bob, "k7", 0))
        await alice.receives_error("item-not-found")
        await agree(alice, bob, "k7")
        bob.send(closing(alice, "k7"))
        await alice.receives("c:iq[@type='set']")
        alice.send(block(bob, "k7", 0))
        await alice.receives_error("item-not-found")
        await bob.receives_nothing()


class TestTooMany:
    """`channels_per_session`, at either end."""

    async def test_are_refused_to_who_opens_and_for_who_is_asked(self) -> None:
        async with the_world(channels_per_session=2) as world:
            alice, bob, carol = [await world.session(name) for name in ("alice/x", "bob/y", "carol/z")]
            await agree(alice, bob, "one")
            await agree(alice, bob, "two")
            assert error_of(await alice.ask(opening(carol, "three"))) == "resource-constraint"
            assert error_of(await carol.ask(opening(bob, "four"))) == "resource-constraint"
            await bob.receives_nothing()
            await carol.receives_nothing()

    async def test_one_that_is_closed_makes_room(self) -> None:
        async with the_world(channels_per_session=1) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "one")
            alice.send(closing(bob, "one"))
            await bob.receives("c:iq[@type='set']")
            await agree(alice, bob, "two")

    async def test_one_that_the_other_side_refused_takes_no_place(self) -> None:
        async with the_world(channels_per_session=1) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await offer(alice, bob, "one")
            condition = "<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            bob.send(f"<iq type='error' to='{alice.jid}' id='open-one'><error type='cancel'>{condition}</error></iq>")
            await alice.receives_error("not-acceptable")
            await agree(alice, bob, "two")

    async def test_one_that_is_not_answered_is_forgotten_after_a_minute(self) -> None:
        async with the_world(channels_per_session=1) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await offer(alice, bob, "one")
            assert error_of(await alice.ask(opening(bob, "two"))) == "resource-constraint"
            await world.advance(60)
            await agree(alice, bob, "two")


class TestASessionThatEnds:
    """Its peers are told, in its name."""

    async def test_leaves_no_stream_open_at_the_other_ends(self) -> None:
        async with the_world() as world:
            alice, bob, carol = [await world.session(name) for name in ("alice/x", "bob/y", "carol/z")]
            await agree(alice, bob, "one")
            await agree(bob, alice, "two")
            await agree(carol, alice, "three")
            await alice.close()
            for sid in ("one", "two"):
                await bob.receives(f"c:iq[@type='set'][@from='{alice.jid}'][@id][*[@sid='{sid}']]")
            closed = await carol.receives(f"c:iq[@type='set'][@from='{alice.jid}']")
            assert closed[0].tag == f"{{{NS_IBB}}}close"
            assert len(world.module(EXTENSION).streams) == 0
            assert world.module(EXTENSION).hung_up.value == 3
            carol.send(f"<iq type='result' to='{alice.jid}' id='{closed.get('id')}'/>")
            await carol.receives_nothing()

    async def test_that_was_cut_off_is_no_different(self) -> None:
        async with the_world() as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "one")
            await alice.drop()
            await bob.receives(f"c:iq[@type='set'][@from='{alice.jid}'][*[@sid='one']]")

    async def test_says_nothing_of_streams_that_were_closed(self) -> None:
        async with the_world() as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "one")
            alice.send(closing(bob, "one"))
            await bob.receives("c:iq[@type='set'][@id='close-one']")
            await alice.close()
            await bob.receives_nothing()


class TestWhoSendsTooFast:
    """`rate`: a second's worth for each stream of the pair, then the sender waits."""

    async def test_is_read_no_further_until_the_next_second(self) -> None:
        async with the_world(rate=2048) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "k7")
            alice.send(block(bob, "k7", 0, bytes(1024)) + block(bob, "k7", 1, bytes(1024)) + block(bob, "k7", 2))
            await bob.receives("c:message[*[@seq='0']]")
            await bob.receives_nothing()
            assert world.module(EXTENSION).held.value == 1
            await world.advance(1)
            await bob.receives("c:message[*[@seq='1']]")
            await bob.receives("c:message[*[@seq='2']]")

    async def test_has_as_much_for_each_stream(self) -> None:
        async with the_world(rate=2048) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "k7")
            await agree(alice, bob, "k8")
            alice.send(block(bob, "k7", 0, bytes(1024)) + block(bob, "k8", 0, bytes(1024)))
            await bob.receives("c:message[*[@sid='k7']]")
            await bob.receives("c:message[*[@sid='k8']]")

    async def test_does_not_wait_for_a_module_that_is_stopped(self) -> None:
        async with the_world(rate=2048) as world:
            alice, bob = await world.session("alice/x"), await world.session("bob/y")
            await agree(alice, bob, "k7")
            alice.send(block(bob, "k7", 0, bytes(1024)) + block(bob, "k7", 1, bytes(1024)))
            await bob.receives("c:message[*[@seq='0']]")
            await world.module(EXTENSION).stop()
            await bob.receives("c:message[*[@seq='1']]")


class Far:
    """Another domain, and what is sent to it."""

    def __init__(self) -> None:
        self.heard: list[Stanza] = []

    async def handle(self, event: Event) -> None:
        self.heard.append(event.stanza)


class TestSomebodyElsewhere:
    """Streams with other domains."""

    async def far(self, world: World) -> tuple[Far, Any]:
        far = Far()
        router = world.host.house.router
        router.add("far.example", far)

        async def says(kind: str, type: str, id: str, letter: str, name: str) -> None:
            sender, to = JID.parse("romeo@far.example/x"), JID.parse("alice@localhost/x")
            await router.send(Stanza(kind, to, sender, type, id, "", letter.encode(), (name,) if name else ()))

        return far, says

    async def test_is_told_that_a_session_here_has_ended(self) -> None:
        async with the_world() as world:
            alice = await world.session("alice/x")
            far, says = await self.far(world)
            opening = f"<open xmlns='{NS_IBB}' sid='k7' block-size='4096'/>"
            await says("iq", "set", "o1", opening, f"{NS_IBB} open")
            await alice.receives("c:iq[@type='set'][@from='romeo@far.example/x']")
            alice.send("<iq type='result' to='romeo@far.example/x' id='o1'/>")
            await alice.ping()
            data = f"<data xmlns='{NS_IBB}' sid='k7' seq='0'>aGk=</data>"
            await says("message", "", "", data, f"{NS_IBB} data")
            await alice.receives("c:message[*[@seq='0']]")
            await alice.close()
            answer, closed = far.heard
            assert (answer.type, closed.type, closed.sender) == ("result", "set", "alice@localhost/x")
            assert closed.letter == f"<close xmlns='{NS_IBB}' sid='k7'/>".encode()

    async def test_who_agrees_is_known_to_have_agreed(self) -> None:
        async with the_world() as world:
            alice = await world.session("alice/x")
            _, says = await self.far(world)
            opening = f"<open xmlns='{NS_IBB}' sid='k7' block-size='4096'/>"
            alice.send(f"<iq type='set' to='romeo@far.example/x' id='o1'>{opening}</iq>")
            await alice.ping()
            await says("iq", "result", "o1", "", "")
            await alice.receives("c:iq[@type='result']")
            assert world.module(EXTENSION).opened.value == 1

    async def test_outside_a_stream_is_refused(self) -> None:
        async with the_world() as world:
            alice = await world.session("alice/x")
            far, says = await self.far(world)
            await says("message", "", "", f"<data xmlns='{NS_IBB}' sid='k7' seq='0'>aGk=</data>", f"{NS_IBB} data")
            await alice.receives_nothing()
            assert [stanza.type for stanza in far.heard] == ["error"]


async def test_requests_that_nobody_answers_are_forgotten() -> None:
    async with the_world(channels_per_session=3) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        for number in range(4):
            await offer(alice, bob, f"k{number}")
            await world.advance(61)
        assert len(world.module(EXTENSION).streams) <= 1


async def test_ids_that_are_kept_are_short() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        for request in (opening(bob, "k" * 257), opened(bob, "k", "i" * 257)):
            alice.send(request)
            assert error_of(await alice.receive()) == "bad-request"
