"""XEP-0114: external components, their handshake and their stanzas both ways."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import error_of
from tests.kit.component import DOMAIN, HEADER, Component, component, door, doors
from tests.kit.raw import Raw
from tests.kit.world import World, a_world
from tests.stories.serving import Serving
from xmppd.config import Config, ConfigError
from xmppd.server import Server
from xmppd.testing import settings

MODULES: dict[str, Any] = {name: {} for name in ("disco", "offline", "ping", "presence", "privacy", "roster")}
OTHER = "other.localhost"
FOREIGN = "bus.example"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(listen=doors(door(DOMAIN, OTHER, FOREIGN), door(DOMAIN)), modules=MODULES) as made:
        yield made


async def error_after(world: World, sent: str) -> str:
    async with Raw(world.server.doors[1].port) as raw:
        await raw.send(sent.encode())
        return await raw.error()


# The header


async def test_example_2_the_server_replies_with_a_header(world: World) -> None:
    """XEP-0114 3: from the component's name, with the id of the stream."""
    bus = await Component.connect(world)
    header = await bus.open()
    assert (header.get("from"), header.nsmap[None]) == (DOMAIN, "jabber:component:accept")
    again = await Component.connect(world)
    ids = {header.get("id"), (await again.open()).get("id")}
    assert len(ids) == 2
    assert None not in ids


@pytest.mark.parametrize(
    ("domain", "namespace", "condition"),
    [
        ("elsewhere.localhost", "jabber:component:accept", "host-unknown"),
        ("localhost", "jabber:component:accept", "host-unknown"),
        (DOMAIN, "jabber:component:connect", "invalid-namespace"),
        (DOMAIN, "jabber:client", "invalid-namespace"),
    ],
)
async def test_a_header_that_is_refused(world: World, domain: str, namespace: str, condition: str) -> None:
    """MUST return a stream error, behind an opening tag and before a closing one (`Raw.error` looks)."""
    header = HEADER.format(domain=domain).replace("jabber:component:accept", namespace)
    assert await error_after(world, header) == condition


async def test_a_door_knows_its_own_domains_alone(world: World) -> None:
    there = await Component.connect(world, OTHER, number=2)
    await there.open()
    await there.receives_stream_error("host-unknown")


# The handshake


async def test_example_4_an_empty_handshake_acknowledges_success(world: World) -> None:
    bus = await Component.connect(world)
    await bus.open()
    answer = await bus.shake()
    assert answer.tag == "{jabber:component:accept}handshake"
    assert not answer.text
    await bus.ping()


async def test_credentials_that_are_not_valid_end_the_stream_and_the_connection(world: World) -> None:
    """MUST close the stream and the underlying TCP connection, SHOULD return not-authorized."""
    bus = await Component.connect(world)
    await bus.open()
    bus.send(f"<handshake>{bus.handshake('wrong')}</handshake>")
    await bus.receives_stream_error("not-authorized")
    assert OTHER not in world.host.domains


async def test_nothing_is_sent_before_the_handshake(world: World) -> None:
    bus = await Component.connect(world)
    await bus.open()
    bus.send(f"<message from='{DOMAIN}' to='localhost'/>")
    await bus.receives_stream_error("not-authorized")


async def test_stanzas_right_behind_the_handshake_are_taken(world: World) -> None:
    bus = await Component.connect(world)
    await bus.open()
    ping = f"<iq type='get' id='1' from='{DOMAIN}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
    bus.send(f"<handshake>{bus.handshake()}</handshake>{ping}")
    await bus.receives("a:handshake")
    await bus.receives("a:iq[@type='result'][@id='1']")


async def test_a_domain_has_one_component(world: World) -> None:
    bus = await component(world)
    twin = await Component.connect(world, number=2)
    await twin.open()
    twin.send(f"<handshake>{twin.handshake()}</handshake>")
    await twin.receives_stream_error("conflict")
    ping = await bus.receives("a:iq[@type='get']")  # whether it is alive: the twin may be itself, come back
    bus.send(f"<iq type='result' id='{ping.get('id')}' from='{DOMAIN}' to='{ping.get('from')}'/>")
    await bus.ping()
    await world.advance(60)
    await bus.ping()


async def test_one_that_is_dead_gives_way_soon(world: World) -> None:
    bus = await component(world)
    twin = await Component.connect(world)
    await twin.open()
    twin.send(f"<handshake>{twin.handshake()}</handshake>")
    await twin.receives_stream_error("conflict")
    await bus.receives("a:iq[@type='get']")
    await world.advance(30)
    await bus.receives_stream_error("connection-timeout")
    await (await component(world)).ping()


async def test_its_place_is_free_when_it_has_gone(world: World) -> None:
    bus = await component(world)
    await bus.close()
    bus = await component(world, number=2)
    await bus.drop()
    await world.server.doors[2].emptied()
    await (await component(world)).ping()


async def test_who_guesses_waits() -> None:
    limits = {"max_failures_per_address": 2}
    async with a_world(listen=doors(), modules=MODULES, limits=limits) as world:
        for secret, condition in [("a", "not-authorized")] * 2 + [("pssst", "policy-violation")]:
            bus = await Component.connect(world)
            await bus.open()
            bus.send(f"<handshake>{bus.handshake(secret)}</handshake>")
            await bus.receives_stream_error(condition)
        await world.advance(2)
        await component(world)


async def test_an_access_rule_may_refuse_it() -> None:
    changes: dict[str, Any] = {"acl": {"here": {"ip": ["10.0.0.0/8"]}}, "access_rules": {"near": {"allow": "here"}}}
    async with a_world(listen=doors(door(access="near")), modules=MODULES, **changes) as world:
        bus = await Component.connect(world)
        await bus.open()
        bus.send(f"<handshake>{bus.handshake()}</handshake>")
        await bus.receives_stream_error("not-authorized")


# Stanzas of the component


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        ("<message to='localhost'/>", "improper-addressing"),
        (f"<message from='{OTHER}' to='localhost'/>", "invalid-from"),
        ("<message from='alice@localhost' to='localhost'/>", "invalid-from"),
        ("<mail/>", "unsupported-stanza-type"),
    ],
)
async def test_the_domain_of_from_must_be_its_own(world: World, stanza: str, condition: str) -> None:
    bus = await component(world)
    bus.send(stanza)
    await bus.receives_stream_error(condition)


async def test_any_user_at_its_hostname_may_be_the_sender(world: World) -> None:
    bus, alice = await component(world), await world.online("alice/phone")
    bus.send(f"<message from='romeo@{DOMAIN}/orchard' to='alice@localhost' id='1'><body>hi</body></message>")
    message = await alice.receives(f"c:message[@from='romeo@{DOMAIN}/orchard'][@id='1']")
    assert message.findtext("{jabber:client}body") == "hi"


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        (f"<message from='{DOMAIN}' id='1'/>", "bad-request"),
        (f"<message from='a@{DOMAIN}' to='@@' id='1'/>", "jid-malformed"),
        (f"<iq type='get' from='a@{DOMAIN}' to='localhost' id='1'/>", "bad-request"),
        (f"<message from='{DOMAIN}' to='bob@elsewhere.example' id='1'/>", "remote-server-not-found"),
    ],
    ids=["no address", "no address that is one", "no payload", "a domain that nobody serves"],
)
async def test_what_cannot_be_sent_is_answered(world: World, stanza: str, condition: str) -> None:
    bus = await component(world)
    bus.send(stanza)
    await bus.receives_error(condition)


async def test_what_it_sends_takes_the_road_offline(world: World) -> None:
    bus = await component(world)
    await world.account("alice")
    bus.send(f"<message from='{DOMAIN}' to='alice@localhost' type='chat'><body>later</body></message>")
    bus.send(f"<message from='{DOMAIN}' to='nobody@localhost' id='2'><body>never</body></message>")
    await bus.receives_error("service-unavailable")
    await bus.ping()
    alice = await world.session("alice/phone")
    alice.send("<presence/>")
    await alice.receives_in_any_order(f"c:message[@from='{DOMAIN}'][delay:delay]", "c:presence")


async def test_and_privacy_lists(world: World) -> None:
    bus, alice = await component(world), await world.online("alice/phone")
    item = f"<item type='jid' value='{DOMAIN}' action='deny' order='1'/>"
    await alice.ask(f"<iq type='set'><query xmlns='jabber:iq:privacy'><list name='x'>{item}</list></query></iq>")
    await alice.ask("<iq type='set'><query xmlns='jabber:iq:privacy'><default name='x'/></query></iq>")
    bus.send(f"<message from='{DOMAIN}' to='alice@localhost' id='1'><body>hi</body></message>")
    await bus.receives_error("service-unavailable")
    assert not [stanza for stanza in await alice.pending() if stanza.get("from") == DOMAIN]


async def test_it_may_be_a_contact(world: World) -> None:
    """Subscription and presence as with any contact of another server (RFC 6121 3 and 4)."""
    bus, alice = await component(world), await world.online("alice/phone")
    alice.send(f"<presence to='news@{DOMAIN}' type='subscribe'/>")
    await bus.receives("a:presence[@type='subscribe'][@from='alice@localhost']")
    bus.send(
        f"<presence from='news@{DOMAIN}' to='alice@localhost' type='subscribed'/>"
        f"<presence from='news@{DOMAIN}/x' to='alice@localhost'><show>chat</show></presence>"
    )
    await bus.ping()
    stanzas = await alice.pending()
    assert stanzas[-1].findtext("{jabber:client}show") == "chat"


# Stanzas for the component


async def test_stanzas_to_its_domain_reach_it(world: World) -> None:
    bus, alice = await component(world), await world.session("alice/phone")
    alice.send(f"<message to='room@{DOMAIN}/x' id='1' xml:lang='de'><body>hi</body><a xmlns='urn:a'/></message>")
    message = await bus.receives("a:message[@id='1'][a:body='hi']")
    assert (message.get("from"), message.get("to")) == ("alice@localhost/phone", f"room@{DOMAIN}/x")
    assert [child.tag for child in message] == ["{jabber:component:accept}body", "{urn:a}a"]
    bus.send(
        f"<message from='room@{DOMAIN}/x' to='alice@localhost/phone' type='error' id='1'><error type='auth'/></message>"
    )
    error = await alice.receives("c:message[@type='error'][c:error]")
    assert error.get("id") == "1"


async def test_components_reach_each_other_and_themselves(world: World) -> None:
    bus, other = await component(world), await component(world, OTHER)
    bus.send(f"<message from='{DOMAIN}' to='{OTHER}' id='1'><body>hi</body></message>")
    await other.receives("a:message[@id='1'][a:body]")
    bus.send(f"<message from='{DOMAIN}' to='a@{DOMAIN}' id='2'/>")
    await bus.receives("a:message[@id='2']")


async def test_while_it_is_away_its_senders_are_told_to_wait(world: World) -> None:
    alice = await world.session("alice/phone")
    for _ in range(2):
        alice.send(f"<message to='room@{DOMAIN}' id='1'/><presence to='{DOMAIN}' type='unavailable'/>")
        error = await alice.receives_error("remote-server-timeout")
        assert error.find("{jabber:client}error").get("type") == "wait"
        await alice.receives_nothing()
        bus = await component(world)
        await bus.close()


# What it is listed as


async def test_disco_lists_it_while_it_is_connected(world: World) -> None:
    """By the host it is a subdomain of, as ejabberd does; others are named in the option extra_domains."""
    alice = await world.session("alice/phone")

    async def listed() -> set[str | None]:
        reply = await alice.ask(
            "<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
        )
        return {item.get("jid") for item in reply[0]}

    assert await listed() == set()
    bus, _ = await component(world), await component(world, FOREIGN)
    assert await listed() == {DOMAIN}
    await bus.close()
    assert await listed() == set()


async def test_disco_info_is_its_own_to_answer(world: World) -> None:
    bus, alice = await component(world), await world.session("alice/phone")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    alice.send(f"<iq type='get' to='{DOMAIN}' id='1'>{query}</iq>")
    asked = await bus.receives("a:iq[info:query]")
    bus.send(f"<iq type='result' from='{DOMAIN}' to='{asked.get('from')}' id='1'>{query}</iq>")
    await alice.receives(f"c:iq[@type='result'][@from='{DOMAIN}'][info:query]")


async def test_an_administrator_sees_who_is_connected(world: World) -> None:
    call = world.server.commands.call
    assert await call("connected_components") == []
    await component(world, OTHER)
    await world.advance(3)
    assert await call("connected_components") == [
        {"jid": OTHER, "uptime": 3, "ip": "127.0.0.1", "connection": "component", "tls": ""}
    ]
    assert any("component 127.0.0.1:" in door for door in (await call("status"))["doors"])  # type: ignore[index]


# Time


async def test_who_makes_no_handshake_is_sent_away(world: World) -> None:
    silent, begun = await Component.connect(world), await Component.connect(world)
    await begun.open()
    await world.advance(70)
    await begun.receives_stream_error("connection-timeout")
    assert b"connection-timeout" in await silent.reader.read()


async def test_a_silent_one_is_pinged_and_then_closed(world: World) -> None:
    bus = await component(world)
    await world.advance(245)
    await bus.receives("a:iq[@type='get'][@from='localhost']/*[namespace-uri()='urn:xmpp:ping']/..")
    await world.advance(130)
    await bus.receives_stream_error("connection-timeout")


async def test_one_that_answers_stays(world: World) -> None:
    bus = await component(world)
    for _ in range(3):
        await world.advance(245)
        ping = await bus.receive()
        bus.send(f"<iq type='result' id='{ping.get('id')}' from='{DOMAIN}' to='{ping.get('from')}'/>")
        await bus.ping()


# The house


async def test_at_the_end_it_is_told() -> None:
    async with a_world(listen=doors(), modules=MODULES) as world:
        bus = await component(world)
        await world.server.close()
        await bus.receives_stream_error("system-shutdown")
        assert world.server.router.domains == {}
        assert world.host.domains == {}


async def test_one_that_does_not_read_is_cut_off() -> None:
    async with a_world(listen=doors(), modules=MODULES, limits={"max_queue": 65536}) as world:
        bus, alice = await component(world), await world.session("alice/phone")
        bus.writer.transport.pause_reading()  # type: ignore[attr-defined]
        body = "a" * 100_000
        for _ in range(200):
            alice.send(f"<message to='{DOMAIN}' type='headline'><body>{body}</body></message>")
            await alice.ping()
            if not world.server.doors[1].connections:
                break
        alice.send(f"<message to='{DOMAIN}' id='1'/>")
        assert any(error_of(stanza) == "remote-server-timeout" for stanza in await alice.pending())
        bus.writer.transport.abort()


async def test_connections_of_one_address_are_bounded() -> None:
    async with a_world(listen=doors(), modules=MODULES, limits={"max_unauthenticated_per_address": 2}) as world:
        for _ in range(2):
            await (await Component.connect(world)).open()
        assert await error_after(world, "") == "resource-constraint"


def wrong(**changes: Any) -> Server:
    return Server(Config.from_dict(settings(modules={}, **changes)))


@pytest.mark.parametrize(
    ("domains", "reason"),
    [
        (["localhost"], "this server is localhost itself"),
        (["a@b.example"], "is no domain but an address"),
        ([], "needs hosts"),
    ],
)
async def test_a_door_that_cannot_be(domains: list[str], reason: str) -> None:
    entry = door(*domains) if domains else {"port": 0, "module": "component"}
    with pytest.raises(ConfigError, match=reason):
        await wrong(listen=doors(entry)).start()


async def test_a_domain_that_a_module_serves_is_refused() -> None:
    modules = {Serving.__module__: {}}
    with pytest.raises(ConfigError, match=r"hosts\.echo\.localhost: the domain echo\.localhost is served twice"):
        await Server(Config.from_dict(settings(modules=modules, listen=doors(door("echo.localhost"))))).start()
