"""RFC 6120 4: streams, how they open, restart and end."""

from collections.abc import AsyncIterator

import pytest
from lxml import etree

from tests.kit.raw import HEADER, Raw
from tests.kit.world import World, a_world
from xmppd.xmpp import namespaces as ns


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}, "presence": {}, "roster": {}}) as made:
        yield made


async def answer(world: World, sent: bytes) -> etree._Element:
    """The whole stream that the server answers with, when the client ends its own behind `sent`."""
    async with Raw(world.server.port) as raw:
        await raw.send(sent + b"</stream:stream>")
        return etree.fromstring(await raw.read())


async def test_the_server_answers_a_header_with_a_header(world: World) -> None:
    stream = await answer(world, HEADER)
    assert stream.tag == f"{{{ns.STREAM}}}stream"
    assert (stream.get("from"), stream.get("version")) == ("localhost", "1.0")
    assert stream.get(f"{{{ns.XML}}}lang") == "en"
    assert stream.nsmap[None] == ns.CLIENT
    assert [child.tag for child in stream] == [f"{{{ns.STREAM}}}features"]


async def test_each_stream_has_its_own_id(world: World) -> None:
    ids = {(await answer(world, HEADER)).get("id") for _ in range(5)}
    assert len(ids) == 5
    assert all(id and len(id) >= 16 for id in ids)


async def test_a_header_needs_no_declaration(world: World) -> None:
    assert len(await answer(world, HEADER[HEADER.index(b"<stream") :])) == 1


async def test_a_header_with_other_prefixes_and_quotes_is_taken(world: World) -> None:
    header = b'<s:stream xmlns="jabber:client" xmlns:s="http://etherx.jabber.org/streams" version="1.0">'
    async with Raw(world.server.port) as raw:
        await raw.send(header + b"</s:stream>")
        assert await raw.error() == ""
        assert b"features" in raw.answer


async def test_where_there_is_one_host_a_header_need_not_name_it(world: World) -> None:
    stream = await answer(world, HEADER.replace(b" to='localhost'", b""))
    assert stream.get("from") == "localhost"


async def test_a_host_is_prepared_before_it_is_compared(world: World) -> None:
    assert (await answer(world, HEADER.replace(b"localhost", b"LocalHost"))).get("from") == "localhost"


async def test_after_login_the_header_is_addressed_to_the_user(world: World) -> None:
    await world.account("alice")
    alice = await world.dial()
    await alice.open()
    await alice.login("alice", "alice")
    assert alice.features is not None
    header = alice.features.getparent()
    assert header is not None
    assert (header.get("to"), header.get("from")) == ("alice@localhost", "localhost")


async def test_white_space_keeps_a_stream_alive(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(" \n\t\r\n" * 100)
    await alice.receives_nothing()


async def test_the_end_of_a_stream_is_answered_after_all_before_it(world: World) -> None:
    bob = await world.online("bob/x")
    alice = await world.session("alice/phone")
    alice.send("<message to='bob@localhost/x'><body>last words</body></message></stream:stream>")
    await bob.receives("c:message[c:body='last words']")
    assert await alice.reader.read() == b"</stream:stream>"


async def test_nothing_behind_the_end_is_handled(world: World) -> None:
    bob = await world.online("bob/x")
    alice = await world.session("alice/phone")
    alice.send("</stream:stream><message to='bob@localhost/x'><body>too late</body></message>")
    assert await alice.reader.read() == b"</stream:stream>"
    await bob.receives_nothing()


@pytest.mark.parametrize("way", ["the end", "half a connection", "none at all", "an error"])
async def test_however_a_client_leaves_its_contacts_see_it(world: World, way: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/x")
    await world.friends(alice, bob)
    alice.send("<presence to='bob@localhost/x'/>")
    await bob.receives("c:presence")
    match way:
        case "the end":
            await alice.close()
        case "half a connection":
            alice.writer.write_eof()
        case "none at all":
            alice.writer.transport.abort()
        case "an error":
            alice.send("<message></presence>")
    await bob.receives("c:presence[@from='alice@localhost/phone'][@type='unavailable']")
    assert len(world.host.sessions) == 1
    alice.writer.close()


async def test_a_client_that_tells_an_error_is_let_go_without_one(world: World) -> None:
    alice = await world.session("alice/phone")
    alice.send(
        "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    )
    assert await alice.reader.read() == b"</stream:stream>"


async def test_stanzas_in_one_read_are_handled_in_order(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.session("bob/x")
    alice.send("".join(f"<message to='bob@localhost/x' id='{n}'/>" for n in range(500)))
    for number in range(500):
        await bob.receives(f"c:message[@id='{number}']")


async def test_a_stanza_may_come_byte_by_byte(world: World) -> None:
    bob = await world.session("bob/x")
    alice = await world.session("alice/phone")
    for byte in "<message to='bob@localhost/x' id='a>b'><body>é</body></message>".encode():
        alice.send(bytes([byte]))
        await alice.writer.drain()
    await bob.receives("c:message[@id='a>b']/c:body[.='é']/..")


async def test_a_prefixed_stanza_reaches_others_in_plain_form(world: World) -> None:
    bob = await world.session("bob/x")
    alice = await world.session("alice/phone")
    alice.send("<c:message xmlns:c='jabber:client' to='bob@localhost/x'><c:body>hi</c:body><stream:x/></c:message>")
    message = await bob.receives("c:message[c:body='hi']")
    assert message.find(f"{{{ns.STREAM}}}x") is not None
    assert message.prefix is None


async def test_the_language_of_the_stream_is_that_of_its_stanzas(world: World) -> None:
    bob, alice = await world.session("bob/x"), await world.session("alice/phone")
    alice.send("<message to='bob@localhost/x'/><message to='bob@localhost/x' xml:lang='de'/>")
    await bob.receives("c:message[@xml:lang='en']")
    await bob.receives("c:message[@xml:lang='de']")
