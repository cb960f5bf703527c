"""XEP-0160: Best Practices for Handling Offline Messages, with XEP-0203 and XEP-0334."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

MODULES: dict[str, dict[str, Any]] = {"ping": {}, "offline": {}, "tests.stories.appearing": {}}
HINTS = "urn:xmpp:hints"
STATES = "http://jabber.org/protocol/chatstates"
NEGATIVE = "<presence><priority>-1</priority></presence>"

Factory = Callable[..., Any]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        await made.account("bob")
        yield made


def chat(text: str, to: str = "bob@localhost", type: str = "chat") -> str:
    return f"<message to='{to}' type='{type}'><body>{text}</body></message>"


async def texts(client: Client) -> list[str | None]:
    """The bodies of all messages that have come in."""
    return [stanza.findtext("{jabber:client}body") for stanza in await client.pending()]


async def stored(world: World, name: str = "bob") -> int:
    box = world.module("offline")._boxes.get(name)
    if box is not None:
        await box.settled()
    row = await world.host.house.storage.fetch_one("SELECT count(*) FROM offline WHERE name = ?", name)
    assert row is not None
    return int(row[0])


async def test_messages_are_delivered_in_order_and_dated(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one"))
    await alice.ping()
    await world.advance(60.25)
    alice.send(chat("two", type="normal") + "<message to='bob@localhost' id='3'><body>three</body></message>")
    await alice.receives_nothing()
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    first = await bob.receives("c:message[@type='chat'][@from='alice@localhost/phone'][@to='bob@localhost']")
    assert first.xpath("string(c:body)", namespaces={"c": "jabber:client"}) == "one"
    delay = first.find("{urn:xmpp:delay}delay")
    assert delay is not None
    assert (delay.get("from"), delay.get("stamp")) == ("localhost", "2023-11-14T22:13:20.000000Z")
    await bob.receives("c:message[@type='normal'][c:body='two'][delay:delay/@stamp='2023-11-14T22:14:20.250000Z']")
    await bob.receives("c:message[@id='3'][c:body='three'][delay:delay/@stamp='2023-11-14T22:14:20.250001Z']")
    await bob.receives_nothing()


async def test_messages_are_delivered_once(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one"))
    await alice.ping()
    bob = await world.online("bob/phone", "")
    bob.send("<presence/>")
    assert await texts(bob) == ["one"]
    bob.send("<presence><show>away</show></presence>")
    await bob.receives_nothing()
    await bob.close()
    again = await world.session("bob/phone")
    again.send("<presence/>")
    await again.receives_nothing()
    assert await stored(world) == 0


async def test_messages_are_delivered_once_over_tls_too(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send("".join(chat(str(number)) for number in range(100)))
    await alice.ping()
    for expected in ([str(number) for number in range(100)], []):
        bob = await world.dial()
        await bob.open()
        await bob.secure()
        await bob.login("bob", "bob")
        await bob.bind("phone")
        bob.send("<presence/>")
        assert await texts(bob) == expected
        await bob.close()


async def test_letters_come_as_they_were_sent(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(
        "<message to='bob@localhost/away' xml:lang='de' id='&lt;&amp;' type='chat'>"
        "<body>gr&#252;&#223; &lt;dich&gt;</body><x xmlns='urn:x:&amp;'><y a='1'/></x></message>"
    )
    await alice.receives_nothing()
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    message = await bob.receives("c:message[@to='bob@localhost/away'][@id='<&'][c:body='grüß <dich>']")
    assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert message.find("{urn:x:&}x/{urn:x:&}y") is not None


@pytest.mark.parametrize("type", ["chat", "normal", "", "unheard-of"])
async def test_types_that_are_stored(world: World, type: str) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one", type=type) if type else "<message to='bob@localhost'><body>one</body></message>")
    await alice.receives_nothing()
    assert await stored(world) == 1


@pytest.mark.parametrize(("type", "answer"), [("groupchat", "service-unavailable"), ("headline", ""), ("error", "")])
async def test_types_that_are_not_stored(world: World, type: str, answer: str) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one", type=type))
    if answer:
        await alice.receives_error(answer)
    await alice.receives_nothing()
    assert await stored(world) == 0


@pytest.mark.parametrize(
    ("letter", "kept", "answer"),
    [
        (f"<composing xmlns='{STATES}'/>", 0, ""),
        (f"<composing xmlns='{STATES}'/><thread>t</thread>", 0, ""),
        ("", 0, ""),
        (f"<body>x</body><active xmlns='{STATES}'/>", 1, ""),
        (f"<gone xmlns='{STATES}'/><store xmlns='{HINTS}'/>", 1, ""),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", 1, ""),
        ("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", 1, ""),
        ("<subject>s</subject>", 1, ""),
        (f"<body>x</body><no-permanent-store xmlns='{HINTS}'/>", 1, ""),
        (f"<body>x</body><no-store xmlns='{HINTS}'/>", 0, "service-unavailable"),
        (f"<body>x</body><no-store xmlns='{HINTS}'/><store xmlns='{HINTS}'/>", 0, "service-unavailable"),
        (f"<composing xmlns='{STATES}'/><no-store xmlns='{HINTS}'/>", 0, ""),
    ],
)
async def test_what_is_worth_keeping(world: World, letter: str, kept: int, answer: str) -> None:
    alice = await world.session("alice/phone")
    alice.send(f"<message to='bob@localhost' type='chat'>{letter}</message>")
    if answer:
        await alice.receives_error(answer)
    await alice.receives_nothing()
    assert await stored(world) == kept


async def test_a_session_with_negative_priority_gets_none(world: World) -> None:
    alice = await world.session("alice/phone")
    bob = await world.online("bob/bot", NEGATIVE)
    alice.send(chat("one"))
    await alice.receives_nothing()
    await bob.receives_nothing()
    bob.send("<presence><priority>0</priority></presence>")
    assert await texts(bob) == ["one"]


async def test_a_session_that_has_not_sent_presence_gets_none(world: World) -> None:
    alice = await world.session("alice/phone")
    bob = await world.session("bob/phone")
    alice.send(chat("one"))
    await alice.ping()
    await bob.receives_nothing()
    assert await stored(world) == 1


async def test_who_has_too_many_gets_no_more() -> None:
    async with a_world(modules=MODULES | {"offline": {"max_user_messages": 2}}) as world:
        await world.account("bob")
        alice = await world.session("alice/phone")
        alice.send(chat("one") + chat("two") + chat("three"))
        error = await alice.receives_error("service-unavailable")
        assert error.get("from") == "bob@localhost"
        bob = await world.online("bob/phone", "")
        bob.send("<presence/>")
        assert await texts(bob) == ["one", "two"]
        await bob.close()
        alice.send(chat("four"))
        await alice.receives_nothing()
        assert await stored(world) == 1


async def test_nobody_is_nobody(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one", to="nobody@localhost"))
    await alice.receives_error("service-unavailable")
    assert await stored(world, "nobody") == 0


async def test_two_resources_at_once_get_each_message_once_between_them(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send("".join(chat(str(number)) for number in range(300)))
    await alice.ping()
    phone, laptop = await world.session("bob/phone"), await world.session("bob/laptop")
    phone.send("<presence/>")
    laptop.send("<presence/>")
    got = [await texts(phone), await texts(laptop)]
    assert sorted(got, key=len) == [[], [str(number) for number in range(300)]]


async def test_what_the_clients_socket_does_not_have_stays_stored(world: World) -> None:
    """The connection breaks while messages are on their way to a client that reads slowly."""
    alice = await world.session("alice/phone")
    padding = "x" * 20000
    alice.send("".join(chat(f"{number} {padding}") for number in range(200)))
    await alice.ping()
    bob = await world.session("bob/phone")
    session = world.host.sessions.find(bob.jid)
    assert session is not None
    bob.writer.transport.pause_reading()  # type: ignore[attr-defined]
    bob.send("<presence/>")
    while not world.module("offline")._boxes.get("bob").handed:
        await alice.ping()
    cut_off(session.door.transport)  # type: ignore[attr-defined]
    while world.host.sessions.find(bob.jid):
        await alice.ping()
    first = await numbers_to_the_end(bob)
    again = await world.session("bob/laptop")
    again.send("<presence/>")
    then: list[int] = []
    while 199 not in then:
        then += numbers_in(await again.receive())
    await again.receives_nothing()
    assert first == list(range(len(first)))
    assert len(first) < 200, "all of it fitted into the socket: the test proves nothing"
    assert then == list(range(then[0], 200))
    assert then[0] <= len(first), "what lies between was lost"


def cut_off(transport: asyncio.Transport) -> None:
    """As when the network is gone: what the peer has not acknowledged never reaches it."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def numbers_in(stanza: Element) -> list[int]:
    body = stanza.findtext("{jabber:client}body")
    return [int(body.split()[0])] if body else []


async def numbers_to_the_end(client: Client) -> list[int]:
    """All that the client's socket still has, though the connection was reset."""
    numbers: list[int] = []
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    try:
        while True:
            numbers += numbers_in(await client.receive())
    except (OSError, AssertionError):
        client.reader._exception = None  # type: ignore[attr-defined]  # it hides what came in before it
        client.reader.feed_eof()
        client._take(await client.reader.read())
    return numbers + [number for stanza in client._inbox for number in numbers_in(stanza)]


async def test_feature_is_advertised(world: World) -> None:
    assert world.host.features["msgoffline"] == 1


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(chat("one"))
    await alice.ping()
    await world.host.remove_account(alice.jid.bare.__class__.parse("bob@localhost"))
    assert await stored(world) == 0
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    await bob.receives_nothing()
