"""XEP-0124: Bidirectional-streams Over Synchronous HTTP, sections 5 to 8: a session begins, and carries stanzas."""

from __future__ import annotations

import pytest

from tests.kit.bosh import FIRST_RID, HTTPBIND, PATH, Bosh, body, bosh, condition
from tests.kit.client import NAMES
from tests.kit.http import Http
from tests.kit.world import World

from .doors import a_web, message


async def test_two_clients_talk_one_by_bosh_one_by_tcp(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    alice.send(message(bob.jid))
    await alice.ping()
    await bob.receives("c:message[c:body='hello']")
    bob.send(f"<message to='{alice.jid}' type='chat'><body>well met</body></message>")
    await alice.receives("c:message[c:body='well met']")


# 5 HTTP overview, 6 <body/>


async def test_5_the_content_type_of_requests_is_ignored(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    for kind in ("application/x-www-form-urlencoded", "text/plain", "image/png"):
        connection = await client.connection()
        connection.send("POST", PATH, body(rid=FIRST_RID, to="localhost", ver="1.11"), content_type=kind)
        assert (await client.answer(connection)).xml.get("sid")


@pytest.mark.parametrize(("accepts", "used"), [("gzip, deflate", "gzip"), ("gzip, zstd", "zstd"), ("identity", None)])
async def test_5_long_answers_are_compressed_for_who_accepts_it(web: World, accepts: str, used: str | None) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    alice.headers = {"accept-encoding": accepts}
    waiting = await alice.post()
    bob.send(f"<message to='{alice.jid}'><body>{'na ' * 1000}</body></message>")
    answer = await alice.answer(waiting)
    assert answer.headers.get("content-encoding") == used
    assert answer.xml.findtext("c:message/c:body", namespaces=NAMES) == "na " * 1000


async def test_5_http_1_0_is_served_and_the_connection_closed(web: World) -> None:
    connection = await Http.dial(web.server.doors[-1].port)
    request = body(rid=FIRST_RID, to="localhost", ver="1.11")
    connection.put(b"POST /http-bind HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(request), request))
    assert (await connection.answer()).xml.get("sid")
    assert await connection.ended()
    await connection.close()


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"hello",
        b"<body/>",
        b"<body xmlns='http://jabber.org/protocol/httpbind'/>",
        b"<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost'>",
        b"<other xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost'/>",
        body(rid=0, to="localhost"),
        body(rid=-5, to="localhost"),
        body(rid="one", to="localhost"),
        body(rid=2**53, to="localhost"),
        body(rid=1, to="localhost", wait="long"),
        body(rid=1, to="localhost", hold="-1"),
        body(rid=1, to="localhost", ver="new"),
        body(rid=1, to="localhost", content="text/html\\r\\nSet-Cookie: a=b"),
        body(rid=1, to="localhost") * 2,
    ],
)
async def test_6_what_is_no_body_of_a_client_is_a_bad_request(web: World, request_body: bytes) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert condition(await client.answer(await client.put(request_body))) == "bad-request"


@pytest.mark.parametrize(
    "inside",
    [
        "text",
        "<message xmlns='jabber:client'>",
        "<!-- note --><presence xmlns='jabber:client'/>",
        "<?do it?>",
        "</body><body>",
        "</stream:stream>",
        "<presence xmlns='jabber:client'>&lol;</presence>",
        "<presence xmlns='jabber:client'/>text",
    ],
)
async def test_6_the_content_is_whole_elements_and_nothing_beside_them(web: World, inside: str) -> None:
    alice = await bosh(web, "alice/page")
    assert condition(await alice.ask_server(inside)) == "bad-request"


async def test_6_children_without_a_namespace_are_stanzas(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    await alice.post(f"<message to='{bob.jid}'><body>plain</body></message>")
    await bob.receives("c:message[c:body='plain']")


async def test_6_a_body_with_a_prefix_is_a_body(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    await alice.put(
        f"<?xml version='1.0' encoding='utf-8'?>\n<b:body xmlns:b='{HTTPBIND}' rid='{alice.rid + 1}' sid='{alice.sid}'>"
        f"{message(bob.jid)}</b:body>\n".encode()
    )
    await bob.receives("c:message[c:body='hello']")


# 7 Initiating a session


async def test_7_1_answers_have_the_content_type_that_the_client_wants(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    answer = await client.create(content="text/html; charset=utf-8")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (await client.ask_server("<presence/>")).headers["content-type"] == "text/html; charset=utf-8"


async def test_7_1_without_a_wish_it_is_text_xml(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert (await client.create()).headers["content-type"] == "text/xml; charset=utf-8"


async def test_7_2_the_answer_tells_what_was_agreed_upon(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    told = (await client.create(wait=60, hold=1, ver="1.6")).xml.attrib
    assert (told["wait"], told["hold"], told["requests"], told["ver"]) == ("60", "1", "2", "1.6")
    assert (told["inactivity"], told["maxpause"], told["polling"], told["from"]) == ("150", "300", "2", "localhost")
    assert len(told["sid"]) >= 20


async def test_7_2_the_server_has_its_limits(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    told = (await client.create(wait=86400, hold=100, ver="2.0")).xml.attrib
    assert (told["wait"], told["hold"], told["requests"], told["ver"]) == ("120", "1", "3", "1.11")


async def test_7_2_session_ids_differ(web: World) -> None:
    sids = {(await bosh(web)).sid for _ in range(20)}
    assert len(sids) == 20


async def test_7_2_a_host_that_is_not_served_is_unknown(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert condition(await client.create(to="elsewhere.example")) == "host-unknown"


async def test_7_2_a_route_is_ignored(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert condition(await client.create(route="xmpp:elsewhere.example:9999")) is None


# 8 Sending and receiving


async def test_8_a_request_is_held_until_there_is_something_to_say(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    waiting = await alice.post()
    await alice.turn()
    assert waiting.silent
    bob.send(f"<message to='{alice.jid}'><body>now</body></message>")
    assert (await alice.answer(waiting)).xml.findtext("c:message/c:body", namespaces=NAMES) == "now"


async def test_8_no_more_requests_are_held_than_agreed_upon(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    first = await alice.post()
    await alice.turn()
    second = await alice.post(message(bob.jid))
    assert (await alice.answer(first)).body == f"<body xmlns='{HTTPBIND}'/>".encode()
    await bob.receives("c:message")
    await alice.turn()
    assert second.silent


async def test_8_two_requests_are_held_where_that_was_agreed_upon() -> None:
    async with a_web(limits={"max_bosh_hold": 2}) as web:
        alice, bob = await bosh(web, "alice/page", hold=2), await web.session("bob/phone")
        first, second = await alice.post(), await alice.post(message(bob.jid))
        await bob.receives("c:message")
        await alice.turn()
        assert first.silent
        assert second.silent


async def test_8_who_has_two_connections_and_asks_for_two_can_send_at_any_time(web: World) -> None:
    """As the library stanza does: it polls by one connection and sends by the other."""
    alice, bob = await bosh(web, "alice/page", hold=2), await web.session("bob/phone")
    held = await alice.post()
    for number in range(3):
        sent = await alice.post(message(bob.jid, f"{number}"))
        await bob.receives(f"c:message[c:body='{number}']")
        assert len((await alice.answer(held)).xml) == 0, "its connection is free for the next"
        held = sent


async def test_8_a_request_is_answered_when_it_was_held_as_long_as_agreed_upon(web: World) -> None:
    alice = await bosh(web, "alice/page", wait=30)
    waiting = await alice.post()
    await alice.turn()
    await web.advance(20)
    await alice.turn()
    assert waiting.silent
    await web.advance(10)
    assert (await alice.answer(waiting)).body == f"<body xmlns='{HTTPBIND}'/>".encode()


async def test_8_stanzas_say_their_namespace(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    waiting = await alice.post()
    bob.send(f"<message to='{alice.jid}'><body>now</body></message>")
    assert b"<message xmlns='jabber:client' " in (await alice.answer(waiting)).body


async def test_8_what_came_while_no_request_was_held_comes_with_the_next(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    for text in ("one", "two"):
        bob.send(f"<message to='{alice.jid}'><body>{text}</body></message>")
    await bob.ping()
    assert [each.findtext("c:body", namespaces=NAMES) for each in (await alice.ask_server()).xml] == ["one", "two"]
