"""Data channels between two slixmpp clients, through the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from slixmpp import JID

from tests.client.people import left, people, until, within
from tests.kit.world import World, a_world
from xmppd.client.channels import Channel, ChannelBroken, ChannelRefused, Channels, anyone, contacts, own, unpacked

EXTENSION = "xmppd.extensions.data_channels"
A = "a@localhost/game"


def the_world(**options: Any) -> AbstractAsyncContextManager[World]:
    modules: dict[str, Any] = {name: {} for name in ("ping", "disco", "roster", "presence")}
    return a_world(modules={**modules, EXTENSION: options})


async def count(asker: JID) -> AsyncIterator[object]:
    """Numbers

    without an end."""
    number = 0
    while True:
        yield {"x": number}
        number += 1
        await asyncio.sleep(0)


async def read(channel: Channel[Any], number: int) -> list[Any]:
    """So many records, then leave."""
    records = []
    async for record in channel:
        records.append(record)
        if len(records) == number:
            break
    return records


async def refusal(channel: Channel[Any]) -> str:
    with pytest.raises(ChannelRefused) as refused:
        await within(read(channel, 1))
    return refused.value.condition


async def test_records_come_in_the_order_they_were_yielded() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):

        @Channels.of(a).service("few", allow=anyone)
        async def few(asker: JID) -> AsyncIterator[object]:
            for number in range(1000):
                yield {"x": number}

        for batch in (0, 1, 1000):
            channel = Channels.of(b).open(A, "few", batch=batch, decode=unpacked)
            assert await within(read(channel, 2000)) == [{"x": number} for number in range(1000)]


async def test_bytes_are_bytes_and_large_records_take_many_blocks() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
        sizes = (0, 1, 127, 128, 4095, 4096, 100_000)

        @Channels.of(a).service("bulk", allow=anyone)
        async def bulk(asker: JID) -> AsyncIterator[bytes]:
            for size in sizes:
                yield bytes([size % 251]) * size

        records = await within(read(Channels.of(b).open(A, "bulk"), 10))
        assert records == [bytes([size % 251]) * size for size in sizes]


async def test_the_service_knows_who_asks() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):

        @Channels.of(a).service("mirror", allow=anyone)
        async def mirror(asker: JID) -> AsyncIterator[bytes]:
            yield asker.full.encode()

        assert await within(read(Channels.of(b).open(A, "mirror"), 1)) == [b"b@localhost/game"]


async def test_leaving_the_loop_closes_the_channel() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
        closed = asyncio.Event()

        @Channels.of(a).service("ticks", allow=anyone)
        async def ticks(asker: JID) -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"tick"
                    await asyncio.sleep(0)
            finally:
                closed.set()

        async for record in Channels.of(b).open(A, "ticks"):
            assert record == b"tick"
            break
        await within(closed.wait())


async def test_leaving_the_block_closes_the_channel() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
        closed = asyncio.Event()

        @Channels.of(a).service("silence", allow=anyone)
        async def silence(asker: JID) -> AsyncIterator[bytes]:
            try:
                await asyncio.Event().wait()
                yield b""
            finally:
                closed.set()

        async with Channels.of(b).open(A, "silence"):
            pass
        await within(closed.wait())
        await until(lambda: len(world.module(EXTENSION).streams) == 0)


async def test_a_service_that_fails_closes_the_channel(caplog: pytest.LogCaptureFixture) -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):

        @Channels.of(a).service("broken", allow=anyone)
        async def broken(asker: JID) -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError("no more")

        assert await within(read(Channels.of(b).open(A, "broken", batch=60_000), 2)) == [b"one"]
        assert "the service failed" in caplog.text


class TestRefused:
    """Why a channel does not open."""

    async def test_a_service_that_is_not_there(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
            Channels.of(a)
            assert await refusal(Channels.of(b).open(A, "telemetry")) == "item-not-found"

    async def test_a_client_that_knows_no_channels(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (_, b):
            assert await refusal(Channels.of(b).open(A, "telemetry")) == "feature-not-implemented"

    async def test_nobody_there(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            assert await refusal(Channels.of(b).open("nobody@localhost/x", "telemetry")) == "service-unavailable"

    async def test_a_stranger_where_the_service_is_for_contacts(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
            Channels.of(a).service("telemetry")(count)
            assert await refusal(Channels.of(b).open(A, "telemetry")) == "forbidden"

    async def test_a_contact_where_the_service_is_for_the_own_account(self) -> None:
        async with the_world() as world, people(world, "a/game", "a/other", "b/game") as (a, a2, b):
            Channels.of(a).service("telemetry", allow=own)(count)
            assert await refusal(Channels.of(b).open(A, "telemetry")) == "forbidden"
            assert await within(read(Channels.of(a2).open(A, "telemetry", decode=unpacked), 1)) == [{"x": 0}]

    async def test_more_channels_than_the_service_takes(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
            Channels.of(a).service("telemetry", allow=anyone, most_channels=1)(count)
            async with Channels.of(b).open(A, "telemetry"):
                assert await refusal(Channels.of(b).open(A, "telemetry")) == "resource-constraint"

    async def test_more_channels_than_the_server_takes(self) -> None:
        async with the_world(channels_per_session=1) as world, people(world, "a/game", "b/game") as (a, b):
            Channels.of(a, block_size=512).service("telemetry", allow=anyone)(count)
            channels = Channels.of(b)
            channels.opening.patience = 0.01
            async with channels.open(A, "telemetry"):
                assert await refusal(channels.open(A, "telemetry")) == "remote-server-timeout"


async def test_a_contact_who_sees_the_presence_may_ask() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
        Channels.of(a).service("telemetry", allow=contacts)(count)
        pushed = asyncio.Event()
        a.add_event_handler("roster_update", lambda _: pushed.set())
        await a.get_roster()
        a.send_presence()
        b.send_presence_subscription(JID("a@localhost"))
        while a.client_roster["b@localhost"]["subscription"] not in ("from", "both"):
            pushed.clear()
            await within(pushed.wait())
        assert len(await within(read(Channels.of(b).open(A, "telemetry"), 3))) == 3


class TestAnEnd:
    """Whoever goes, nothing dangles."""

    async def test_of_the_readers_session_stops_the_service(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (a, b):
            closed = asyncio.Event()

            @Channels.of(a).service("silence", allow=anyone)
            async def silence(asker: JID) -> AsyncIterator[bytes]:
                try:
                    yield b"begun"
                    await asyncio.Event().wait()
                finally:
                    closed.set()

            channel = Channels.of(b).open(A, "silence")
            records = aiter(channel)
            assert await within(anext(records)) == b"begun"
            b.abort()
            await within(closed.wait())
            with pytest.raises(ChannelBroken, match="the connection ended"):
                await anext(records)

    async def test_of_the_connection_ends_the_asking(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            asking = asyncio.ensure_future(read(Channels.of(b).open(A, "telemetry"), 1))
            await a.receive()
            b.abort()
            with pytest.raises(ChannelBroken, match="the connection ended"):
                await within(asking)

    async def test_of_the_connection_ends_the_opening(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            opening = asyncio.ensure_future(Channels.of(b).open(A, "telemetry").start())
            asked = await a.receive()
            a.send(f"<iq type='result' to='b@localhost/game' id='{asked.get('id')}'/>")
            await a.ask("<iq type='get' to='b@localhost/game'><ping xmlns='urn:xmpp:ping'/></iq>")
            b.abort()
            with pytest.raises(ChannelBroken, match="the connection ended"):
                await within(opening)

    async def test_of_the_connection_ends_the_closing(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            channel = Channels.of(b).open(A, "telemetry")
            opening = asyncio.ensure_future(channel.start())
            asked = await a.receive()
            a.send(f"<iq type='result' to='b@localhost/game' id='{asked.get('id')}'/>")
            ibb = f"xmlns='http://jabber.org/protocol/ibb' sid='{asked[0].get('sid')}'"
            await a.ask(f"<iq type='set' to='b@localhost/game'><open {ibb} block-size='4096' stanza='message'/></iq>")
            await within(opening)
            closing = asyncio.ensure_future(channel.close())
            await a.receives("c:iq[@type='set'][*[@sid]]")
            b.abort()
            await within(closing)

    async def test_of_the_servers_session_ends_the_loop(self) -> None:
        async with the_world() as world, people(world, "a/game", "b/game") as (a, b):

            @Channels.of(a).service("silence", allow=anyone)
            async def silence(asker: JID) -> AsyncIterator[bytes]:
                yield b"begun"
                await asyncio.Event().wait()

            async for record in Channels.of(b).open(A, "silence"):
                assert record == b"begun"
                await left(a)

    async def test_in_the_middle_of_a_record_is_told(self) -> None:
        async with the_world() as world, people(world, "b/game") as (b,):
            a = await world.session("a/game")
            records = aiter(Channels.of(b).open(A, "telemetry"))
            first = asyncio.ensure_future(anext(records))
            asked = await a.receive()
            a.send(f"<iq type='result' to='b@localhost/game' id='{asked.get('id')}'/>")
            sid = asked[0].get("sid")
            ibb = f"xmlns='http://jabber.org/protocol/ibb' sid='{sid}'"
            await a.ask(f"<iq type='set' to='b@localhost/game'><open {ibb} block-size='4096' stanza='message'/></iq>")
            a.send(f"<message to='b@localhost/game'><data {ibb} seq='0'>AWEFYg==</data></message>")
            assert await within(first) == b"a"
            await a.ask(f"<iq type='set' to='b@localhost/game'><close {ibb}/></iq>")
            with pytest.raises(ChannelBroken, match="in the middle of a record"):
                await anext(records)


async def test_a_reader_who_does_not_read_is_cut_off() -> None:
    async with the_world() as world, people(world, "a/game", "b/game") as (a, b):

        @Channels.of(a).service("bulk", allow=anyone, most_unsent=1 << 20)
        async def bulk(asker: JID) -> AsyncIterator[bytes]:
            while True:
                yield bytes(1000)
                await asyncio.sleep(0)

        channel = Channels.of(b).open(A, "bulk", most_unread=20_000)
        records = aiter(channel)
        await within(anext(records))
        await until(lambda: channel.ended)
        assert [len(record) for record in [await anext(records) for _ in range(21)]] == [1000] * 21
        with pytest.raises(ChannelBroken, match="wait to be read, more than 20000"):
            await anext(records)
