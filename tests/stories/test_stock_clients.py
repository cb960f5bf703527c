"""What the clients people use say to a server, as it was seen on the wire, and what they wait for."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from scramp import ScramClient

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.testing import MODULES
from xmppd.xmpp.stanza import Element

from .comparing import same

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
REGISTER = "jabber:iq:register"
SCRAM = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]


@pytest.fixture
async def open_world() -> AsyncIterator[World]:
    """A world with two hosts, where strangers may register."""
    modules: dict[str, Any] = {name: {} for name in MODULES}
    modules |= {"register": {"allow": True}, "disco": {"extra_domains": ["irc.localhost"]}}
    async with a_world(hosts=["localhost", "irc.localhost"], modules=modules) as made:
        yield made


async def asks(client: Client, payload: str, to: str = "", type: str = "get") -> Element:
    """A request whose result is returned."""
    where = f" to='{to}'" if to else ""
    reply = await client.ask(f"<iq type='{type}'{where}>{payload}</iq>")
    assert reply.get("type") == "result", error_of(reply)
    return reply


def xpath(element: Element | None, path: str) -> list[str]:
    assert element is not None
    return [str(found) for found in element.xpath(path, namespaces=NAMES)]


async def dialled(world: World, *, secure: bool = False) -> Client:
    client = await world.dial()
    await client.open()
    if secure:
        await client.secure()
    return client


# Logging in


async def test_pidgin_profanity_gajim_scram_sha_256_is_offered_before_sha_1(world: World) -> None:
    client = await dialled(world)
    assert xpath(client.features, "sasl:mechanisms/sasl:mechanism/text()") == SCRAM


async def test_mcabber_sendxmpp_plain_is_offered_last_and_under_tls_alone(world: World) -> None:
    client = await dialled(world, secure=True)
    offered = xpath(client.features, "sasl:mechanisms/sasl:mechanism/text()")
    assert [name for name in offered if not name.endswith("-PLUS")] == [*SCRAM, "PLAIN"]


async def test_gajim_logs_in_with_scram_sha_256(world: World) -> None:
    await world.account("alice")
    client = await dialled(world)
    scram = ScramClient(["SCRAM-SHA-256"], "alice", "alice")
    first = b64encode(scram.get_client_first().encode()).decode()
    client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>")
    challenge = await client.receives("sasl:challenge")
    scram.set_server_first(decoded(challenge))
    client.send(f"<response xmlns='{SASL}'>{b64encode(scram.get_client_final().encode()).decode()}</response>")
    scram.set_server_final(decoded(await client.receives("sasl:success")))


def decoded(element: Element) -> str:
    return b64decode(element.text or "").decode()


async def test_sendxmpp_logs_in_with_plain(world: World) -> None:
    await world.account("alice")
    client = await dialled(world, secure=True)
    message = b64encode(b"\0alice\0alice").decode()
    client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{message}</auth>")
    await client.receives("sasl:success")
    await client.open()
    assert await client.bind("sendxmpp") == "alice@localhost/sendxmpp"


async def test_bind_is_said_to_be_required_and_session_to_be_optional(world: World) -> None:
    alice = await world.session("alice/phone")
    assert alice.features is not None
    assert len(alice.features.findall(f"{{{BIND}}}bind/{{{BIND}}}required")) == 1
    assert len(alice.features.findall(f"{{{SESSION}}}session/{{{SESSION}}}optional")) == 1


@pytest.mark.parametrize("to", ["", "localhost"])
async def test_pidgin_converse_mcabber_begin_a_session_though_it_is_optional(world: World, to: str) -> None:
    alice = await world.session("alice/phone")
    reply = await asks(alice, f"<session xmlns='{SESSION}'/>", to, "set")
    assert len(reply) == 0


async def test_profanity_sends_presence_before_it_asks_for_the_roster(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    await alice.close()
    again = await world.session("alice/profanity")
    again.send("<presence><priority>0</priority></presence>")
    roster = await asks(again, "<query xmlns='jabber:iq:roster'/>")
    assert xpath(roster, "roster:query/roster:item[@subscription='both']/@jid") == ["bob@localhost"]
    senders = {stanza.get("from") for stanza in await again.pending()}
    assert "bob@localhost/phone" in senders
    await bob.receives("c:presence[@type='unavailable']")
    await bob.receives("c:presence[@from='alice@localhost/profanity'][not(@type)]")
    bob.send("<presence to='alice@localhost' type='unsubscribe'/>")
    await again.receives_in_any_order("c:iq[@type='set']/roster:query/..", "c:presence[@type='unsubscribe']")


# Looking around


async def test_every_client_discovers_the_server_and_each_of_its_items(open_world: World) -> None:
    alice = await open_world.session("alice/phone")
    server = await asks(alice, f"<query xmlns='{INFO}'/>", "localhost")
    assert xpath(server, "info:query/info:identity[@type='im']/@category") == ["server"]
    items = await asks(alice, f"<query xmlns='{ITEMS}'/>", "localhost")
    assert xpath(items, "items:query/items:item/@jid") == ["conference.localhost", "irc.localhost"]
    for item, category in {"conference.localhost": "conference", "irc.localhost": "server"}.items():
        reply = await asks(alice, f"<query xmlns='{INFO}'/>", item)
        assert reply.get("from") == item
        assert xpath(reply, "info:query/info:identity/@category") == [category]
        assert (await asks(alice, f"<query xmlns='{ITEMS}'/>", item)).get("from") == item


async def test_converse_gajim_discover_their_own_address(world: World) -> None:
    alice = await world.online("alice/phone")
    info = await asks(alice, f"<query xmlns='{INFO}'/>", "alice@localhost")
    assert xpath(info, "info:query/info:identity[@type='registered']/@category") == ["account"]
    items = await asks(alice, f"<query xmlns='{ITEMS}'/>", "alice@localhost")
    assert xpath(items, "items:query/items:item/@jid") == ["alice@localhost/phone"]


async def test_pidgin_looks_for_commands(world: World) -> None:
    alice = await world.session("alice/phone")
    node = "http://jabber.org/protocol/commands"
    reply = await asks(alice, f"<query xmlns='{ITEMS}' node='{node}'/>", "localhost")
    assert same(reply[0], f"<query xmlns='{ITEMS}' node='{node}'/>")


async def test_pidgin_asks_for_its_own_card(world: World) -> None:
    alice = await world.session("alice/phone")
    assert same((await asks(alice, "<vCard xmlns='vcard-temp'/>"))[0], "<vCard xmlns='vcard-temp'/>")


@pytest.mark.parametrize(
    ("empty", "full"),
    [
        (
            "<storage xmlns='storage:bookmarks'/>",
            "<storage xmlns='storage:bookmarks'><conference jid='r@c.localhost' autojoin='1'/></storage>",
        ),
        ("<roster xmlns='roster:delimiter'/>", "<roster xmlns='roster:delimiter'>::</roster>"),
        (
            "<storage xmlns='storage:rosternotes'/>",
            "<storage xmlns='storage:rosternotes'><note jid='bob@localhost'>met in Elsinore</note></storage>",
        ),
    ],
)
async def test_gajim_psi_keep_things_of_their_own(world: World, empty: str, full: str) -> None:
    alice = await world.session("alice/phone")
    assert same((await asks(alice, f"<query xmlns='jabber:iq:private'>{empty}</query>"))[0][0], empty)
    await asks(alice, f"<query xmlns='jabber:iq:private'>{full}</query>", type="set")
    assert same((await asks(alice, f"<query xmlns='jabber:iq:private'>{empty}</query>"))[0][0], full)


# Accounts


def submitted(asked: Element, values: dict[str, str]) -> str:
    """The form as a client sends it back: every field of the question, filled in."""
    fields = []
    for field in asked.xpath(".//x:field", namespaces=NAMES):
        var = str(field.get("var"))
        value = values.get(var) or field.findtext("{jabber:x:data}value") or ""
        fields.append(f"<field var='{var}'><value>{value}</value></field>")
    return f"<query xmlns='{REGISTER}'><x xmlns='jabber:x:data' type='submit'>{''.join(fields)}</x></query>"


async def test_gajim_pidgin_register_by_data_form(open_world: World) -> None:
    client = await dialled(open_world)
    asked = await asks(client, f"<query xmlns='{REGISTER}'/>", "localhost")
    filled = submitted(asked, {"username": "alice", "password": "secret"})
    await asks(client, filled, "localhost", "set")
    await client.login("alice", "secret")


async def test_gajim_changes_its_password_by_data_form(world: World) -> None:
    alice = await world.session("alice/phone")
    asked = await asks(alice, f"<query xmlns='{REGISTER}'/>", "localhost")
    await asks(alice, submitted(asked, {"password": "newer"}), "localhost", "set")
    assert await world.host.accounts.check_password("alice", "newer")


# About others


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("<query xmlns='jabber:iq:version'/>", "{jabber:iq:version}version"),
        ("<query xmlns='jabber:iq:last'/>", ""),
        ("<time xmlns='urn:xmpp:time'/>", "{urn:xmpp:time}utc"),
    ],
)
async def test_version_last_activity_and_time_of_the_server(world: World, payload: str, told: str) -> None:
    alice = await world.session("alice/phone")
    reply = await asks(alice, payload, "localhost")
    assert reply[0].findtext(told) if told else reply[0].get("seconds") is not None


@pytest.mark.parametrize(
    "payload",
    [
        "<query xmlns='jabber:iq:version'><name>Psi &amp; Co</name><version>1.5</version></query>",
        "<query xmlns='jabber:iq:last' seconds='903'/>",
        "<time xmlns='urn:xmpp:time'><tzo>-06:00</tzo><utc>2006-12-19T17:58:35Z</utc></time>",
    ],
)
async def test_version_last_activity_and_time_of_a_contact(world: World, payload: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/psi")
    await world.friends(alice, bob)
    name, namespace = payload[1 : payload.index(" ")], payload.split("'")[1]
    question = f"<{name} xmlns='{namespace}'/>"
    alice.send(f"<iq type='get' id='v1' to='bob@localhost/psi'>{question}</iq>")
    asked = await bob.receives("c:iq[@type='get'][@id='v1'][@from='alice@localhost/phone'][@to='bob@localhost/psi']")
    assert same(asked[0], question)
    bob.send(f"<iq type='result' id='v1' to='alice@localhost/phone'>{payload}</iq>")
    answer = await alice.receives("c:iq[@type='result'][@id='v1'][@from='bob@localhost/psi']")
    assert same(answer[0], payload)


async def test_a_contact_that_does_not_know_the_question_says_so(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/psi")
    alice.send("<iq type='get' id='v1' to='bob@localhost/psi'><query xmlns='jabber:iq:version'/></iq>")
    await bob.receives("c:iq[@id='v1']")
    condition = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    bob.send(f"<iq type='error' id='v1' to='alice@localhost/phone'><error type='cancel'>{condition}</error></iq>")
    assert (await alice.receives_error("service-unavailable")).get("from") == "bob@localhost/psi"


async def test_finch_pings_without_to(world: World) -> None:
    alice = await world.session("alice/phone")
    assert len(await asks(alice, "<ping xmlns='urn:xmpp:ping'/>")) == 0


@pytest.mark.parametrize(
    ("type", "payload"),
    [
        ("get", "<query xmlns='jabber:iq:roster'/>"),
        ("get", "<vCard xmlns='vcard-temp'/>"),
        ("get", "<ping xmlns='urn:xmpp:ping'/>"),
        ("get", f"<query xmlns='{INFO}'/>"),
        ("set", "<query xmlns='jabber:iq:private'><x xmlns='urn:example:x'/></query>"),
    ],
)
@pytest.mark.parametrize("to", ["", " to='alice@localhost'"])
async def test_some_libraries_send_iqs_with_a_bare_from(world: World, type: str, payload: str, to: str) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq from='alice@localhost'{to} type='{type}'>{payload}</iq>")
    assert (reply.get("type"), reply.get("to")) == ("result", "alice@localhost/phone")
