"""Streams that break the rules: the right error, and nobody else notices anything."""

import asyncio
import random

import pytest

from tests.kit.client import error_of
from tests.kit.raw import HEADER, Raw
from tests.stories.hard_input.calm import LIMIT, Calm
from tests.stories.test_streams_errors import error_behind_login
from tests.wire.streams import HEADER as WIRE_HEADER
from tests.wire.test_hard_input import FORBIDDEN

INSIDE = {
    name: (stream.removeprefix(WIRE_HEADER), condition)
    for name, (stream, condition) in FORBIDDEN.items()
    if stream.startswith(WIRE_HEADER) and stream != WIRE_HEADER
}


async def test_every_forbidden_stream_has_its_error(calm: Calm) -> None:
    for name, (stream, condition) in FORBIDDEN.items():
        assert await calm.error_after(stream[: 1 << 18]) == condition, name
        await calm.chat()


async def test_so_it_has_in_place_of_the_header_behind_a_login(calm: Calm) -> None:
    for name, (stream, condition) in FORBIDDEN.items():
        assert await error_behind_login(calm.world, stream[: len(WIRE_HEADER) + LIMIT + 1]) == condition, name
        await calm.chat()


async def test_so_it_has_after_login(calm: Calm) -> None:
    for attack, condition in INSIDE.values():
        eve = await calm.world.session("eve/x")
        eve.send(attack[: LIMIT + 1])
        await eve.receives_stream_error(condition)
        await calm.chat()
    assert len(calm.world.host.sessions) == 2


@pytest.mark.parametrize("namespace", ["%zz", "http://[bad"])
async def test_a_namespace_that_is_no_uri_in_a_login(calm: Calm, namespace: str) -> None:
    """Expat takes any text for one, and libxml2 does not."""
    login = f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><a xmlns='{namespace}'/></authenticate>"
    assert await calm.error_after(HEADER + login.encode()) == "policy-violation"
    await calm.chat()


async def test_slow_senders_of_one_byte(calm: Calm) -> None:
    attacks = [
        (HEADER + b"<iq></presence>", "not-well-formed"),
        (HEADER + b"<iq><!-- > --></iq>", "restricted-xml"),
        (HEADER + b"<iq id='" + b">" * 20_000, "policy-violation"),
        (b"<!DOCTYPE a>", "restricted-xml"),
    ]
    errors = await asyncio.gather(*(calm.error_after(stream, 1) for stream, _ in attacks))
    assert errors == [condition for _, condition in attacks]
    await calm.chat()


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
async def test_a_stanza_of_the_limit_and_one_byte_more(calm: Calm, size: int) -> None:
    frame = "<message to='bob@localhost/x'><body></body></message>"
    eve = await calm.world.session("eve/x")
    eve.send(frame.replace("></body", f">{'a' * (size - len(frame))}</body"))
    if size == LIMIT:
        await calm.one.receives("c:message[@from='eve@localhost/x']")
    else:
        await eve.receives_stream_error("policy-violation")
    await calm.chat()


async def test_a_stanza_that_never_ends(calm: Calm) -> None:
    eve = await calm.world.session("eve/x")
    eve.send("<message to='bob@localhost/x'>")
    for _ in range(LIMIT // 1000):
        eve.send("<a>" + "a" * 993 + "</a>")
        await calm.chat()
    eve.send("<a>" * 300)
    await eve.receives_stream_error("policy-violation")


async def test_random_bytes(calm: Calm) -> None:
    chance = random.Random(7)
    for _ in range(200):
        noise = chance.randbytes(chance.randrange(1, 2000))
        assert await calm.error_after(HEADER * chance.randrange(2) + noise + b">\xff>")
    await calm.chat()


async def test_streams_with_one_byte_broken(calm: Calm) -> None:
    chance = random.Random(8)
    stream = HEADER + b"<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq></stream:stream>"
    for at in range(0, len(stream), 3):
        broken = stream[:at] + bytes([chance.randrange(256)]) + stream[at + 1 :]
        assert await calm.error_after(broken + b"</stream:stream>\xff>")
    await calm.chat()


@pytest.mark.parametrize("sender", ["bob@localhost/x", "localhost", "eve@localhost/y", "eve@elsewhere", "", "@"])
async def test_a_wrong_from(calm: Calm, sender: str) -> None:
    eve = await calm.world.session("eve/x")
    eve.send(f"<message from='{sender}' to='bob@localhost/x' id='1'/>")
    if sender in ("", "@"):
        await eve.receives_error("jid-malformed")
    else:
        await eve.receives_stream_error("invalid-from")
    await calm.chat()


async def test_garbage_inside_of_good_stanzas(calm: Calm) -> None:
    eve = await calm.world.session("eve/x")
    for payload in (
        "<ping xmlns='urn:xmpp:ping'/>" * 2,
        "<a xmlns=''/>",
        "text<a xmlns='urn:a'/>text",
        "<error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>",
        f"<{'a' * 60_000} xmlns='urn:a'/>",
        f"<a xmlns='{'urn:' * 10_000}'/>",
        "<query xmlns='jabber:iq:roster'>" + "<item/>" * 5000 + "</query>",
        "<query xmlns='jabber:iq:roster'><item jid='@'/></query>",
        "<query xmlns='jabber:iq:roster'>" + "<a>" * 60 + "</a>" * 60 + "</query>",
    ):
        for type in ("get", "set"):
            for to in ("localhost", "eve@localhost", "bob@localhost"):
                reply = await eve.ask(f"<iq type='{type}' to='{to}'>{payload}</iq>")
                assert error_of(reply) or (type, to) == ("get", "eve@localhost"), payload[:80]
    await calm.chat()


async def test_a_client_that_leaves_in_the_middle_of_everything(calm: Calm) -> None:
    stream = HEADER + b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hLHI9YWJj</auth>"
    for at in range(0, len(stream), 7):
        async with Raw(calm.world.server.port) as raw:
            await raw.send(stream[:at])
    await calm.chat()
