"""Data channels on the wire: one side is a slixmpp client, the other says what is written."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from lxml import etree
from slixmpp import JID

from tests.client.people import people, within
from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from xmppd.client.channels import ChannelBroken, Channels, WhenSlow, anyone, own
from xmppd.xmpp.stanza import Element

A, B = "a@localhost/game", "b@localhost/game"
NS = "urn:xmppd:channel:0"
NS_IBB = "http://jabber.org/protocol/ibb"


def the_world() -> AbstractAsyncContextManager[World]:
    """A server that has never heard of channels."""
    return a_world(modules={"ping": {}})


def same(element: Element, xml: str) -> bool:
    """Whether the element is what is written, but for the order of attributes and the language of the stream."""
    etree.strip_attributes(element, "{http://www.w3.org/XML/1998/namespace}lang")
    whole = etree.fromstring(f"<x xmlns='jabber:client'>{xml}</x>")[0]
    one, other = (etree.canonicalize(etree.tostring(each).decode(), strip_text=False) for each in (element, whole))
    return bool(one == other)


async def begun(b: Client, service: str, batch: str = "", sid: str = "k7") -> str:
    """B asks for a channel, A opens it, B agrees; returns the block size."""
    also = f" batch='{batch}'" if batch else ""
    asked = await b.ask(f"<iq type='set' to='{A}'><open xmlns='{NS}' service='{service}' sid='{sid}'{also}/></iq>")
    assert asked.get("type") == "result"
    opened = await b.receives(f"c:iq[@type='set'][*[@sid='{sid}'][@stanza='message']]")
    b.send(f"<iq type='result' to='{A}' id='{opened.get('id')}'/>")
    return opened[0].get("block-size") or ""


async def block(b: Client) -> bytes:
    """The next block that comes, decoded."""
    return b64decode((await b.receives("c:message"))[0].text or "")


async def ask_error(b: Client, inside: str) -> str:
    return error_of(await b.ask(f"<iq type='set' to='{A}'><open xmlns='{NS}' {inside}/></iq>"))


def repeat(number: int, record: bytes = b"x", *, then: asyncio.Event | None = None) -> Any:
    """A service of so many records, which then ends or waits for ever."""

    async def records(asker: JID) -> AsyncIterator[bytes]:
        try:
            for _ in range(number):
                yield record
            if then is not None:
                await asyncio.Event().wait()
        finally:
            if then is not None:
                then.set()

    return records


class TestTheExamples:
    """What docs/protocols/data_channels.md shows, byte for byte in, and the same stanzas out."""

    async def test_b_asks_and_a_opens(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(2, b'{"x":5}'))
            b = await world.session("b/game")
            b.send(
                f"<iq type='set' to='{A}' id='c1'>"
                "<open xmlns='urn:xmppd:channel:0' service='telemetry' sid='k7' batch='100'/></iq>"
            )
            assert same(await b.receive(), f"<iq from='{A}' to='{B}' type='result' id='c1'/>")
            opened = await b.receive()
            id = opened.get("id")
            assert same(
                opened,
                f"<iq from='{A}' to='{B}' type='set' id='{id}'>"
                "<open xmlns='http://jabber.org/protocol/ibb' sid='k7' block-size='4096' stanza='message'/></iq>",
            )
            b.send(f"<iq type='result' to='{A}' id='{id}'/>")
            assert same(
                await b.receive(),
                f"<message from='{A}' to='{B}'>"
                "<data xmlns='http://jabber.org/protocol/ibb' sid='k7' seq='0'>B3sieCI6NX0HeyJ4Ijo1fQ==</data>"
                "</message>",
            )
            closed = await b.receive()
            assert same(
                closed,
                f"<iq from='{A}' to='{B}' type='set' id='{closed.get('id')}'>"
                "<close xmlns='http://jabber.org/protocol/ibb' sid='k7'/></iq>",
            )

    async def test_b_hears_what_a_writes(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            records = aiter(Channels.of(b).open(A, "telemetry", batch=100))
            first = asyncio.ensure_future(anext(records))
            asked = await a.receive()
            id, sid = asked.get("id"), asked[0].get("sid")
            assert same(
                asked,
                f"<iq from='{B}' to='{A}' type='set' id='{id}'>"
                f"<open xmlns='urn:xmppd:channel:0' service='telemetry' sid='{sid}' batch='100'/></iq>",
            )
            assert re.fullmatch(r"[\w.-]+", sid or "")
            a.send(f"<iq type='result' to='{B}' id='{id}'/>")
            opened = await a.ask(
                f"<iq type='set' to='{B}'>"
                f"<open xmlns='http://jabber.org/protocol/ibb' sid='{sid}' block-size='4096' stanza='message'/></iq>"
            )
            assert opened.get("type") == "result"
            a.send(
                f"<message to='{B}'>"
                f"<data xmlns='http://jabber.org/protocol/ibb' sid='{sid}' seq='0'>B3sieCI6NX0HeyJ4Ijo1fQ==</data>"
                "</message>"
            )
            assert [await within(first), await within(anext(records))] == [b'{"x":5}', b'{"x":5}']
            closed = await a.ask(f"<iq type='set' to='{B}'><close xmlns='{NS_IBB}' sid='{sid}'/></iq>")
            assert closed.get("type") == "result"
            with pytest.raises(StopAsyncIteration):
                await anext(records)


async def test_services_are_listed_to_those_who_may_ask() -> None:
    async with the_world() as world, people(world, "a/game") as (a,):

        async def telemetry(asker: JID) -> AsyncIterator[bytes]:
            """How the engine is

            in detail."""
            yield b""

        channels = Channels.of(a)
        channels.service("telemetry", allow=anyone)(telemetry)
        channels.service("private", allow=own)(repeat(0))
        b = await world.session("b/game")
        items = f"<query xmlns='http://jabber.org/protocol/disco#items' node='{NS}'"
        reply = await b.ask(f"<iq type='get' to='{A}'>{items}/></iq>")
        item = f"<item jid='{A}' node='telemetry' name='How the engine is'/>"
        assert same(reply[0], f"{items}>{item}</query>")
        info = await b.ask(f"<iq type='get' to='{A}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        assert {NS, NS_IBB} <= {feature.get("var") for feature in info[0]}


class TestABatch:
    """`batch`: gather for up to so many milliseconds."""

    @pytest.mark.parametrize("batch", ["", "0"])
    async def test_of_nought_sends_each_record_at_once(self, batch: str) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(3))
            b = await world.session("b/game")
            await begun(b, "telemetry", batch)
            assert [await block(b) for _ in range(3)] == [b"\x01x"] * 3

    async def test_ends_with_the_time_that_was_asked_for(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(3, then=asyncio.Event()))
            b = await world.session("b/game")
            await begun(b, "telemetry", "20")
            assert await block(b) == b"\x01x" * 3

    async def test_ends_with_a_full_block(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            channels = Channels.of(a, block_size=512)
            channels.service("telemetry", allow=anyone)(repeat(6, b"y" * 99, then=asyncio.Event()))
            b = await world.session("b/game")
            assert await begun(b, "telemetry", "60000") == "512"
            assert await block(b) == (b"c" + b"y" * 99) * 5 + b"c" + b"y" * 11

    async def test_ends_with_the_channel(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(3))
            b = await world.session("b/game")
            await begun(b, "telemetry", "60000")
            assert await block(b) == b"\x01x" * 3
            await b.receives("c:iq[@type='set'][*[@sid='k7']]")


class TestRefused:
    """Why A does not open a channel."""

    async def test_for_what_is_asked(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(1, then=asyncio.Event()))
            Channels.of(a).service("private", allow=own)(repeat(1))
            b = await world.session("b/game")
            assert await ask_error(b, "service='nothing' sid='k7'") == "item-not-found"
            assert await ask_error(b, "service='private' sid='k7'") == "forbidden"
            assert await ask_error(b, "service='telemetry'") == "bad-request"
            for batch in ("soon", "-1", "1.5", "9" * 10):
                assert await ask_error(b, f"service='telemetry' sid='k7' batch='{batch}'") == "bad-request"
            await begun(b, "telemetry")
            assert await ask_error(b, "service='telemetry' sid='k7'") == "conflict"

    async def test_a_stream_with_large_blocks_is_offered_with_smaller_ones(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            Channels.of(a).service("telemetry", allow=anyone)(repeat(1))
            b = await world.session("b/game")
            await b.ask(f"<iq type='set' to='{A}'><open xmlns='{NS}' service='telemetry' sid='k7'/></iq>")
            condition = "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            for size in (4096, 2048):
                opened = await b.receives(f"c:iq[@type='set'][*[@block-size='{size}']]")
                id = opened.get("id")
                b.send(f"<iq type='error' to='{A}' id='{id}'><error type='modify'>{condition}</error></iq>")
            opened = await b.receives("c:iq[@type='set'][*[@block-size='1024']]")
            b.send(f"<iq type='result' to='{A}' id='{opened.get('id')}'/>")
            assert await block(b) == b"\x01x"


class TestALostBlock:
    """XEP-0047 2.2: the sequence is checked, and what does not fit ends the stream."""

    @pytest.mark.parametrize("wrong", ["seq='2'>AXg=", "seq='0'>AXg="])
    async def test_is_noticed_by_the_reader(self, wrong: str) -> None:
        async with self.reading() as (a, ibb, records):
            a.send(f"<message to='{B}'><data {ibb} {wrong}</data></message>")
            await a.receives_in_any_order("c:iq[@type='set'][*[@sid]]", "c:message[@type='error']")
            with pytest.raises(ChannelBroken, match="a block was lost"):
                await within(anext(records))

    async def test_is_noticed_where_it_is_no_base64(self) -> None:
        async with self.reading() as (a, ibb, records):
            a.send(f"<message to='{B}'><data {ibb} seq='1'>A!g=</data></message>")
            await a.receives("c:message[@type='error']")
            a.send(f"<message to='{B}'><data {ibb} seq='2'>AXg=</data></message>")
            await a.receives("c:iq[@type='set'][*[@sid]]")
            with pytest.raises(ChannelBroken, match="a block was lost"):
                await within(anext(records))

    async def test_is_noticed_though_the_sender_closes(self) -> None:
        async with self.reading() as (a, ibb, records):
            a.send(f"<message to='{B}'><data {ibb} seq='1'>A!g=</data></message>")
            await a.receives("c:message[@type='error']")
            await a.ask(f"<iq type='set' to='{B}'><close {ibb}/></iq>")
            with pytest.raises(ChannelBroken, match="a block was lost"):
                await within(anext(records))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[Client, str, AsyncIterator[bytes]]]:
        """A channel of which one record was read."""
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            records = aiter(Channels.of(b).open(A, "telemetry"))
            first = asyncio.ensure_future(anext(records))
            asked = await a.receive()
            a.send(f"<iq type='result' to='{B}' id='{asked.get('id')}'/>")
            ibb = f"xmlns='{NS_IBB}' sid='{asked[0].get('sid')}'"
            await a.ask(f"<iq type='set' to='{B}'><open {ibb} block-size='4096' stanza='message'/></iq>")
            a.send(f"<message to='{B}'><data {ibb} seq='0'>AXg=</data></message>")
            assert await within(first) == b"x"
            yield a, ibb, records

    async def test_is_noticed_by_the_sender(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            stopped = asyncio.Event()
            Channels.of(a).service("telemetry", allow=anyone)(repeat(1, then=stopped))
            b = await world.session("b/game")
            await begun(b, "telemetry")
            await b.receives("c:message")
            condition = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            b.send(f"<message to='{A}' type='error' id='mine'><error type='cancel'>{condition}</error></message>")
            await b.ask(f"<iq type='get' to='{A}'><ping xmlns='urn:xmpp:ping'/></iq>")
            assert not stopped.is_set()
            b.send(f"<message to='{A}' type='error'><error type='cancel'>{condition}</error></message>")
            await within(stopped.wait())


class TestASlowReceiver:
    """A keeps at most `most_unsent` bytes on their way, then does what the service chose. It asks by XEP-0199."""

    async def slow(self, world: World, a: Any, when_slow: WhenSlow, number: int) -> tuple[Client, asyncio.Event]:
        stopped = asyncio.Event()
        offer = Channels.of(a).service("bulk", allow=anyone, when_slow=when_slow, most_unsent=1000)
        offer(repeat(number, b"z" * 99, then=stopped))
        b = await world.session("b/game")
        await begun(b, "bulk")
        return b, stopped

    async def sent(self, b: Client) -> tuple[int, str]:
        """How many bytes come before A stands still, and the id of the ping that it waits for."""
        total, id = 0, ""
        while total < 1000:
            stanza = await b.receive()
            if stanza.tag.endswith("iq"):
                id = stanza.get("id") or ""
            else:
                total += len(b64decode(stanza[0].text or ""))
        return total, id

    async def test_makes_the_generator_wait(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            b, _ = await self.slow(world, a, "wait", 100)
            total, id = await self.sent(b)
            assert total == 1000
            await b.receives_nothing()
            b.send(f"<iq type='result' to='{A}' id='{id}'/>")
            assert await block(b) == b"c" + b"z" * 99

    async def test_loses_the_newest_records(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            b, _ = await self.slow(world, a, "drop", 100)
            assert (await self.sent(b))[0] == 1000
            await b.receives_nothing()
            (sending,) = Channels.of(a).serving.sendings
            assert sending.dropped == 90

    async def test_ends_the_channel(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            b, stopped = await self.slow(world, a, "close", 100)
            assert (await self.sent(b))[0] == 1000
            await b.receives("c:iq[@type='set'][*[@sid='k7']]")
            await within(stopped.wait())

    async def test_that_knows_no_ping_is_not_taken_for_one(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            b, _ = await self.slow(world, a, "wait", 100)
            _, id = await self.sent(b)
            condition = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            b.send(f"<iq type='error' to='{A}' id='{id}'><error type='cancel'>{condition}</error></iq>")
            assert await block(b) == b"c" + b"z" * 99

    async def test_that_answered_once_and_is_gone_is_given_up(self) -> None:
        async with the_world() as world, people(world, "a/game") as (a,):
            b, stopped = await self.slow(world, a, "wait", 100)
            _, id = await self.sent(b)
            b.send(f"<iq type='result' to='{A}' id='{id}'/>")
            while not (asked := await b.receive()).tag.endswith("iq"):
                pass
            condition = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            b.send(f"<iq type='error' to='{A}' id='{asked.get('id')}'><error type='cancel'>{condition}</error></iq>")
            await within(stopped.wait())
