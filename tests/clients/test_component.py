"""slixmpp's component (XEP-0114) at a real server: both directions, disco, and what comes after a break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slixmpp import JID, ComponentXMPP
from slixmpp.exceptions import IqError

from tests.client.people import people, until, within
from tests.kit.component import DOMAIN, SECRET, doors
from tests.kit.world import World, a_world

pytestmark = pytest.mark.client

NODE = JID(f"room@{DOMAIN}")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    modules: dict[str, Any] = {name: {} for name in ("disco", "offline", "ping", "presence", "roster")}
    async with a_world(listen=doors(), modules=modules) as made:
        yield made


@asynccontextmanager
async def a_component(world: World, secret: str = SECRET) -> AsyncIterator[ComponentXMPP]:
    """Connected, and disconnected at the end."""
    xmpp = ComponentXMPP(DOMAIN, secret, "127.0.0.1", world.server.doors[1].port)
    plugins: Any = xmpp
    for plugin in ("xep_0030", "xep_0199", "xep_0297"):
        plugins.register_plugin(plugin)
    begun = asyncio.get_running_loop().create_future()
    for event in ("session_start", "stream_error", "disconnected"):
        xmpp.add_event_handler(event, lambda data, event=event: begun.done() or begun.set_result((event, data)))
    xmpp.connect("127.0.0.1", world.server.doors[1].port)
    xmpp.begun = await within(begun)
    try:
        yield xmpp
    finally:
        if xmpp.is_connected():
            await xmpp.disconnect()


async def test_messages_both_ways(world: World) -> None:
    async with a_component(world) as bus, people(world, "alice/desk") as (alice,):
        assert bus.begun[0] == "session_start"
        heard: list[tuple[str, str, str]] = []
        for xmpp in (bus, alice):
            xmpp.add_event_handler("message", lambda m: heard.append((m["from"].full, m["to"].full, m["body"])))
        alice.send_message(mto=NODE, mbody="hello & <good> day", mtype="chat")
        await until(lambda: heard)
        bus.send_message(mto=alice.boundjid, mfrom=JID(f"{NODE}/you"), mbody="good day", mtype="chat")
        await until(lambda: len(heard) == 2)
        assert heard == [
            ("alice@localhost/desk", str(NODE), "hello & <good> day"),
            (f"{NODE}/you", "alice@localhost/desk", "good day"),
        ]


async def test_presence_and_requests_both_ways(world: World) -> None:
    async with a_component(world) as bus, people(world, "alice/desk") as (alice,):
        seen: list[str] = []
        bus.add_event_handler("presence_subscribe", lambda p: seen.append(f"{p['type']} {p['from']} {p['to']}"))
        alice.add_event_handler("presence_available", lambda p: seen.append(f"{p['status']} {p['from']}"))
        alice.send_presence_subscription(pto=NODE)
        await until(lambda: seen)
        bus.send_presence(pto="alice@localhost", pfrom=NODE, ptype="subscribed")
        bus.send_presence(pto="alice@localhost/desk", pfrom=f"{NODE}/x", pstatus="here")
        await until(lambda: len(seen) == 2)
        assert seen == [f"subscribe alice@localhost {NODE}", f"here {NODE}/x"]
        alice.register_plugin("xep_0199")
        for asking, asked in ((alice, DOMAIN), (bus, "localhost"), (bus, "alice@localhost/desk")):
            plugins: Any = asking.plugin
            sender = None if asking is alice else JID(DOMAIN)
            await within(plugins["xep_0199"].send_ping(JID(asked), ifrom=sender))


async def test_service_discovery(world: World) -> None:
    async with a_component(world) as bus, people(world, "alice/desk") as (alice,):
        plugins: Any = bus.plugin
        plugins["xep_0030"].add_identity("component", "generic", name="The bus", jid=JID(DOMAIN))
        plugins["xep_0030"].add_feature("urn:example:bus", jid=JID(DOMAIN))
        disco: Any = alice.plugin
        alice.register_plugin("xep_0030")
        items = await within(disco["xep_0030"].get_items(JID("localhost")))
        assert {item[0] for item in items["disco_items"]["items"]} == {DOMAIN}
        answer = await within(disco["xep_0030"].get_info(JID(DOMAIN), local=False, cached=False))
        assert "urn:example:bus" in answer["disco_info"]["features"]
        assert ("component", "generic", None, "The bus") in answer["disco_info"]["identities"]
        server = await within(plugins["xep_0030"].get_info(JID("localhost"), ifrom=JID(DOMAIN), local=False))
        assert ("server", "im", None, "xmppd") in server["disco_info"]["identities"]


async def test_a_forwarded_message_is_a_client_s_wherever_it_goes(world: World) -> None:
    async with a_component(world) as bus, people(world, "alice/desk") as (alice,):
        alice.register_plugin("xep_0297")
        heard: list[Any] = []
        alice.add_event_handler("forwarded_stanza", heard.append)
        inner = bus.make_message(mto="a@b.example", mfrom="c@d.example", mbody="inside")
        outer = bus.make_message(mto=alice.boundjid, mfrom=NODE)
        outer["forwarded"]["stanza"] = inner
        outer.send()
        await until(lambda: heard)
        assert "body" in str(heard[0]["forwarded"])
        assert "jabber:component:accept" not in str(heard[0])


async def test_a_wrong_secret_is_refused(world: World) -> None:
    async with a_component(world, "wrong") as bus:
        assert bus.begun[0] in ("stream_error", "disconnected")
        assert await world.server.commands.call("connected_components") == []


async def test_while_it_is_away_a_client_is_told(world: World) -> None:
    async with people(world, "alice/desk") as (alice,):
        plugins: Any = alice
        plugins.register_plugin("xep_0199")
        ping = plugins.plugin["xep_0199"]
        async with a_component(world):
            await within(ping.send_ping(JID(DOMAIN)))
        await world.server.doors[1].emptied()
        with pytest.raises(IqError) as refused:
            await within(ping.send_ping(JID(DOMAIN)))
        assert refused.value.condition == "remote-server-timeout"
        async with a_component(world):
            await within(ping.send_ping(JID(DOMAIN)))
