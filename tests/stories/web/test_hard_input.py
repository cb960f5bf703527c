"""What strangers send to the door for HTTP."""

from __future__ import annotations

import pytest

from tests.kit.bosh import FIRST_RID, PATH, body, bosh
from tests.kit.http import Http
from tests.kit.world import World

from .doors import HANDLERS, a_web, http_door


async def dial(web: World) -> Http:
    return await Http.dial(web.server.doors[-1].port)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nbroken header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        (b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n", 413),
        (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 20000), 431),
        (b"GET / HTTP/1.1\r\n%b\r\n" % (b"a: b\r\n" * 200), 431),
        (b"GET / HTTP/1.1\r\na: %b\r\n\r\n" % (b"b" * 20000), 431),
        (b"<stream:stream xmlns='jabber:client'>", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ],
)
async def test_what_is_no_request_is_refused_and_closed(web: World, data: bytes, status: int) -> None:
    connection = await dial(web)
    connection.put(data)
    assert (await connection.answer()).status == status
    assert await connection.ended()
    await connection.close()


async def test_a_chunked_body_past_the_limit_is_refused(web: World) -> None:
    connection = await dial(web)
    connection.put(b"POST /http-bind HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.put(b"80000\r\n%b\r\n80000\r\n%b\r\n" % (b"a" * 0x80000, b"a" * 0x80000))
    assert (await connection.answer()).status == 413
    await connection.close()


async def test_a_body_byte_by_byte_has_its_time(web: World) -> None:
    connection = await dial(web)
    connection.put(b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(5):
        connection.put(b"<")
        await (await bosh(web)).turn()
        await web.advance(5)
    assert (await connection.answer()).status == 408
    await connection.close()


async def test_who_says_nothing_is_closed(web: World) -> None:
    connection = await dial(web)
    await (await bosh(web)).turn()
    await web.advance(26)
    assert (await connection.answer()).status == 408
    await connection.close()


async def test_a_connection_without_requests_is_closed_after_a_while(web: World) -> None:
    connection = await dial(web)
    assert (await connection.ask("GET", "/nothing")).status == 404
    await web.advance(190)
    assert await connection.ended()
    await connection.close()


async def test_requests_sent_at_once_are_answered_in_their_order(web: World) -> None:
    alice = await bosh(web, "alice/page")
    connection = await dial(web)
    connection.send("POST", PATH, body(rid=alice.rid + 1, sid=alice.sid))
    connection.send("GET", "/nothing")
    await alice.turn()
    assert connection.silent
    await alice.answer(await alice.post("<presence/>", rid=alice.rid + 2))
    assert (await connection.answer()).status == 200
    assert (await connection.answer()).status == 404
    await connection.close()


async def test_expect_100_continue_is_answered(web: World) -> None:
    connection = await dial(web)
    request = body(rid=FIRST_RID, to="localhost", ver="1.11")
    connection.put(
        b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(request)
    )
    assert (await connection.answer()).status == 100
    connection.put(request)
    assert (await connection.answer()).xml.get("sid")
    await connection.close()


async def test_an_upgrade_that_is_not_known_is_passed_over(web: World) -> None:
    connection = await dial(web)
    request = body(rid=FIRST_RID, to="localhost", ver="1.11")
    connection.put(
        b"POST /http-bind HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(request), request)
    )
    assert (await connection.answer()).xml.get("sid")
    await connection.close()


HANDSHAKE = (
    b"GET /xmpp-websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
)


async def test_a_request_behind_an_upgrade_that_is_refused_is_answered(web: World) -> None:
    connection = await dial(web)
    connection.put(HANDSHAKE.replace(b"xmpp\r", b"chat\r") * 2000)
    connection.send("GET", "/nothing")
    for _ in range(2000):
        assert (await connection.answer()).status == 400
    assert (await connection.answer()).status == 404
    await connection.close()


async def test_an_upgrade_behind_a_request_that_waits_is_refused(web: World) -> None:
    alice = await bosh(web, "alice/page")
    connection = await dial(web)
    connection.send("POST", PATH, body(rid=alice.rid + 1, sid=alice.sid))
    connection.put(HANDSHAKE)
    await alice.answer(await alice.post("<presence/>", rid=alice.rid + 2))
    assert (await connection.answer()).status == 200
    assert (await connection.answer()).status == 400
    connection.put(HANDSHAKE)
    assert (await connection.answer()).status == 101
    await connection.close()


async def test_too_many_connections_from_one_address_are_closed() -> None:
    async with a_web(limits={"max_connections_per_address": 3}) as web:
        connections = [await dial(web) for _ in range(3)]
        for connection in connections:
            assert (await connection.ask("GET", "/")).status == 404
        one_more = await dial(web)
        assert await one_more.ended()
        for connection in [*connections, one_more]:
            await connection.close()


async def test_a_session_guessed_at_is_not_found_and_costs_nothing(web: World) -> None:
    alice = await bosh(web, "alice/page")
    connection = await dial(web)
    for number in range(200):
        answer = await connection.ask("POST", PATH, body(rid=alice.rid + 1, sid=f"{alice.sid}{number}"))
        assert answer.xml.get("condition") == "item-not-found"
    await alice.ping()
    await connection.close()


async def test_sessions_that_never_come_back_are_gone() -> None:
    limits = {"max_unauthenticated": 100_000, "max_unauthenticated_per_address": 100_000, "login_timeout": 1000}
    async with a_web(limits=limits | {"max_connections_per_address": 100_000}) as web:
        connection = await dial(web)
        request = body(rid=FIRST_RID, to="localhost", ver="1.11")
        for _ in range(100):
            for _ in range(100):
                connection.send("POST", PATH, request)
            for _ in range(100):
                assert (await connection.answer()).status == 200
        door = web.server.doors[-1]
        assert len(door.bosh.sessions) == 10_000
        await web.advance(152)
        assert not door.bosh.sessions
        assert web.server.shared is not None
        assert not web.server.shared.unauthenticated
        await connection.close()


async def test_who_does_not_log_in_has_to_go(web: World) -> None:
    client = await bosh(web)
    waiting = await client.post()
    await client.turn()
    await web.advance(62)
    answer = await client.answer(waiting)
    while answer.xml.get("type") != "terminate":
        answer = await client.ask_server()
    assert answer.xml.get("condition") == "remote-stream-error"


async def test_who_does_not_fetch_what_is_sent_is_cut_off() -> None:
    async with a_web(http_door(request_handlers=HANDLERS), limits={"max_queue": 65536}) as web:
        alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
        for _ in range(10):
            bob.send(f"<message to='{alice.jid}' type='headline'><body>{'x' * 10000}</body></message>")
        await bob.ping()
        assert not web.host.sessions.of(alice.jid.bare)
