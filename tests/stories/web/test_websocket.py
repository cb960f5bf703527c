"""RFC 7395: XMPP over WebSocket."""

from __future__ import annotations

import asyncio

import pytest
from lxml import etree

from tests.kit.client import NAMES, PATIENCE
from tests.kit.tls import trusting
from tests.kit.websocket import BINARY, CLOSE, PING, PONG, TEXT, WebSocket, masked, packed, websocket
from tests.kit.world import World
from xmppd.xmpp import namespaces as ns

from .doors import a_web, http_door


async def test_two_clients_talk_one_by_websocket_one_by_tcp(web: World) -> None:
    alice, bob = await websocket(web, "alice/page"), await web.session("bob/phone")
    alice.send(f"<message xmlns='jabber:client' to='{bob.jid}' type='chat'><body>hello</body></message>")
    said = await bob.receives("c:message[@type='chat']")
    assert said.findtext("c:body", namespaces=NAMES) == "hello"
    bob.send(f"<message to='{alice.jid}' type='chat'><body>well met</body></message>")
    await alice.receives("c:message[c:body='well met']")


async def test_3_1_the_server_answers_with_the_subprotocol(web: World) -> None:
    client = await websocket(web)
    assert (client.status, client.headers["sec-websocket-protocol"]) == (101, "xmpp")


async def test_3_1_without_the_subprotocol_there_is_no_websocket(web: World) -> None:
    assert (await websocket(web, sec_websocket_protocol=None)).status == 400
    assert (await websocket(web, sec_websocket_protocol="chat")).status == 400


async def test_3_2_binary_messages_are_refused(web: World) -> None:
    client = await websocket(web)
    client.put(masked(BINARY, b"<open/>"))
    await client.closes(1003)


async def test_3_3_a_message_in_fragments_is_one_message(web: World) -> None:
    client = await websocket(web)
    client.put(masked(TEXT, b"<open xmlns='", 0) + masked(0, ns.FRAMING.encode(), 0))
    client.put(masked(PING, b"between"))
    assert await client.message() == (PONG, b"between")
    client.put(masked(0, b"' to='localhost' version='1.0'/>"))
    assert (await client.receive()).tag == f"{{{ns.FRAMING}}}open"


async def test_3_3_a_message_is_one_element(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.send("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>")
    await client.receives_stream_error("bad-format")


async def test_3_3_a_message_is_a_whole_element(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.send("<message xmlns='jabber:client'><body>to be contin")
    await client.receives_stream_error("not-well-formed")


async def test_3_3_the_first_character_is_the_beginning_of_a_tag(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.send(" <presence xmlns='jabber:client'/>")
    await client.receives_stream_error("bad-format")


async def test_3_3_1_an_xml_declaration_is_refused(web: World) -> None:
    client = await websocket(web)
    client.send(f"<?xml version='1.0'?><open xmlns='{ns.FRAMING}' to='localhost' version='1.0'/>")
    await client.receive()
    await client.receives_stream_error("not-well-formed")


@pytest.mark.parametrize("xml", ["<!-- note -->", "<?do this?>", "<!DOCTYPE x>"])
async def test_3_3_comments_instructions_and_doctypes_are_refused(web: World, xml: str) -> None:
    client = await websocket(web, "alice/page")
    client.send(f"{xml}<presence xmlns='jabber:client'/>")
    error = await client.receive()
    assert error.tag == f"{{{ns.STREAM}}}error"


async def test_3_3_2_elements_declare_their_own_namespaces(web: World) -> None:
    client = await websocket(web)
    features = await client.open()
    assert features.prefix == "stream"
    await web.account("alice")
    await client.login("alice", "alice")
    await client.bind("page")
    client.send("<presence xmlns='jabber:client'/>")
    opcode, payload = await client.message()
    assert (opcode, payload[:34]) == (TEXT, b"<presence xmlns='jabber:client' fr")
    assert etree.fromstring(payload).tag == f"{{{ns.CLIENT}}}presence"


async def test_3_4_the_answer_to_open_names_the_host_an_id_and_the_version(web: World) -> None:
    client = await websocket(web)
    client.send(f"<open xmlns='{ns.FRAMING}' to='localhost' version='1.0'/>")
    opened = await client.receive()
    assert (opened.get("from"), opened.get("version")) == ("localhost", "1.0")
    assert len(opened.get("id", "")) > 10
    assert len(opened) == 0


async def test_3_4_a_stream_begins_with_open(web: World) -> None:
    client = await websocket(web)
    client.send("<presence xmlns='jabber:client'/>")
    assert (await client.receive()).tag == f"{{{ns.FRAMING}}}open"
    await client.receives_stream_error("bad-format")


async def test_3_4_a_host_that_is_not_served_is_told_behind_an_open(web: World) -> None:
    client = await websocket(web)
    client.send(f"<open xmlns='{ns.FRAMING}' to='elsewhere.example' version='1.0'/>")
    assert (await client.receive()).tag == f"{{{ns.FRAMING}}}open"
    await client.receives_stream_error("host-unknown")


async def test_3_4_open_comes_once_for_each_stream(web: World) -> None:
    client = await websocket(web)
    await client.open()
    client.send(f"<open xmlns='{ns.FRAMING}' to='localhost' version='1.0'/>")
    await client.receives_stream_error("bad-format")


async def test_3_5_a_stream_error_declares_its_prefix(web: World) -> None:
    client = await websocket(web)
    await client.open()
    client.send("<presence xmlns='jabber:client'/>")
    error = await client.receive()
    assert (error.prefix, error.tag) == ("stream", f"{{{ns.STREAM}}}error")
    await client.receives_close()


async def test_3_6_close_is_answered_by_close_then_the_client_closes_the_websocket(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.send(f"<close xmlns='{ns.FRAMING}'/>")
    await client.receives_close()
    client.put(masked(CLOSE, (1000).to_bytes(2, "big")))
    await client.closes(1000)


async def test_3_6_whom_the_server_sends_away_answers_and_is_closed(web: World) -> None:
    client, other = await websocket(web, "alice/page"), await web.session("alice/phone")
    (session,) = [each for each in web.host.sessions.of(client.jid.bare) if each.jid == client.jid]
    session.door.close()
    await client.receives_close()
    client.send(f"<close xmlns='{ns.FRAMING}'/>")
    await client.closes(1000)
    await other.ping()


async def test_3_6_a_websocket_closed_without_close_ends_the_session(web: World) -> None:
    alice, bob = await websocket(web, "alice/page"), await web.online("bob/phone")
    alice.send("<presence xmlns='jabber:client'/>")
    await alice.receive()
    alice.send(f"<presence xmlns='jabber:client' to='{bob.jid}'/>")
    await bob.receives("c:presence[not(@type)]")
    await alice.drop()
    await bob.receives("c:presence[@type='unavailable']")


async def test_3_6_who_does_not_close_after_close_is_cut_off(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.send(f"<close xmlns='{ns.FRAMING}'/>")
    await client.receives_close()
    await web.advance(20)
    assert await client.reader.read() == b""


async def test_3_6_1_at_shutdown_clients_are_sent_elsewhere() -> None:
    async with a_web(http_door(see_other_uri="wss://b.example/xmpp-websocket")) as web:
        client = await websocket(web, "alice/page")
        web.server.doors[-1].say_goodbye()
        assert (await client.receive()).tag == f"{{{ns.STREAM}}}error"
        assert (await client.receives_close()).get("see-other-uri") == "wss://b.example/xmpp-websocket"


async def test_3_7_the_stream_is_restarted_by_open_after_sasl(web: World) -> None:
    await web.account("alice")
    client = await websocket(web)
    await client.open()
    await client.authenticate("alice", "alice")
    features = await client.open()
    assert features.find(f"{{{ns.BIND}}}bind") is not None


async def test_3_7_after_sasl_nothing_but_open_may_come(web: World) -> None:
    await web.account("alice")
    client = await websocket(web)
    await client.open()
    await client.authenticate("alice", "alice")
    client.send("<presence xmlns='jabber:client'/>")
    assert (await client.receive()).tag == f"{{{ns.FRAMING}}}open"
    await client.receives_stream_error("bad-format")


async def test_3_8_a_silent_client_is_pinged_by_a_websocket_ping_and_stays(web: World) -> None:
    client = await websocket(web, "alice/page")
    for _ in range(3):
        await web.advance(250)
        assert await client.message() == (PING, b"")
        client.put(masked(PONG, b""))
        await client.ping()


async def test_3_8_who_answers_no_ping_is_closed(web: World) -> None:
    client = await websocket(web, "alice/page")
    await web.advance(370)
    assert await client.message() == (PING, b"")
    await client.receives_stream_error("connection-timeout")


async def test_3_8_a_ping_is_answered(web: World) -> None:
    client = await websocket(web)
    client.put(masked(PING, b"anybody there?"))
    assert await client.message() == (PONG, b"anybody there?")


async def test_3_9_starttls_is_not_offered(web: World) -> None:
    client = await websocket(web)
    features = await client.open()
    assert features.find(f"{{{ns.TLS}}}starttls") is None


async def test_3_9_tls_makes_the_stream_secure_so_plain_is_offered() -> None:
    async with a_web(http_door(tls=True, cleartext="never")) as web:
        client = await WebSocket.knock(web.server.doors[-1].port, trusting())
        web.clients.append(client)
        features = await client.open()
        assert "PLAIN" in features.itertext()
        await web.account("alice")
        await client.login("alice", "alice")


async def test_without_tls_plain_is_not_offered(web: World) -> None:
    client = await websocket(web)
    features = await client.open()
    assert "SCRAM-SHA-1" in list(features.itertext())
    assert "PLAIN" not in list(features.itertext())


async def test_a_plain_door_lets_nobody_log_in_by_default() -> None:
    async with a_web(http_door(cleartext="never")) as web:
        client = await websocket(web)
        assert (client.status, b"https" in client.body) == (403, True)


async def test_a_trusted_proxy_that_says_https_makes_it_secure() -> None:
    async with a_web(http_door(cleartext="never", trusted_proxies=["127.0.0.1"])) as web:
        client = await websocket(web, x_forwarded_proto="https", x_forwarded_for="203.0.113.5")
        features = await client.open()
        assert "PLAIN" in list(features.itertext())
        await web.account("alice")
        await client.login("alice", "alice")
        await client.bind("page")
        (session,) = web.host.sessions.of(client.jid.bare)
        assert session.door.describe()["ip"] == "203.0.113.5"


async def test_what_a_stranger_says_of_its_proxy_is_not_believed() -> None:
    async with a_web(http_door(cleartext="never", trusted_proxies=["192.0.2.1"])) as web:
        assert (await websocket(web, x_forwarded_proto="https")).status == 403


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ([], "https://evil.example", 403),
        (["https://chat.example"], "https://evil.example", 403),
        (["https://chat.example"], "https://chat.example", 101),
        (["*"], "https://evil.example", 101),
        ([], None, 101),
    ],
)
async def test_pages_of_other_sites_need_to_be_allowed(origins: list[str], origin: str | None, status: int) -> None:
    async with a_web(http_door(origins=origins)) as web:
        assert (await websocket(web, origin=origin)).status == status


async def test_a_page_of_the_same_host_may_come(web: World) -> None:
    port = web.server.doors[-1].port
    assert (await websocket(web, origin=f"http://localhost:{port}")).status == 101


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sec_websocket_version": "8"}, 426),
        ({"sec_websocket_key": "short"}, 400),
        ({"sec_websocket_key": None}, 400),
        ({"upgrade": None}, 426),
        ({"method": "POST"}, 426),
        ({"path": "/nowhere"}, 404),
    ],
)
async def test_a_handshake_that_is_none_is_refused(web: World, changes: dict[str, str | None], status: int) -> None:
    assert (await websocket(web, **changes)).status == status


async def test_a_long_handshake_where_speed_is_limited_is_waited_for_and_not_for_ever() -> None:
    shaper = {"slow": {"rate": 200_000, "burst": 2000}}
    async with a_web(http_door(shaper="slow"), shaper=shaper) as web:
        client = await websocket(web, cookie="c" * 5000)
        await client.open()


async def test_deflate_is_agreed_upon_without_history(web: World) -> None:
    client = await websocket(web, sec_websocket_extensions="permessage-deflate; client_max_window_bits")
    agreed = client.headers["sec-websocket-extensions"]
    assert "server_no_context_takeover" in agreed
    assert "client_no_context_takeover" in agreed


async def test_a_long_message_comes_compressed_and_a_compressed_one_is_understood(web: World) -> None:
    client = await websocket(web, "alice/page", sec_websocket_extensions="permessage-deflate")
    text = f"<message xmlns='jabber:client' to='{client.jid}'><body>{'na ' * 2000}</body></message>".encode()
    client.put(masked(TEXT, packed(text), 0xC0))
    said = await client.receives("c:message")
    assert said.findtext("c:body", namespaces=NAMES) == "na " * 2000


async def test_a_deflate_bomb_is_not_unpacked(web: World) -> None:
    client = await websocket(web, "alice/page", sec_websocket_extensions="permessage-deflate")
    client.put(masked(TEXT, packed(b"<message>" + b" " * 10_000_000), 0xC0))
    await client.closes(1009)


async def test_a_message_over_the_limit_is_refused_before_it_is_read(web: World) -> None:
    client = await websocket(web, "alice/page")
    client.put(masked(TEXT, b"<message>" + b" " * 300_000)[:100])
    await client.closes(1009)


async def test_before_login_messages_are_short(web: World) -> None:
    client = await websocket(web)
    client.put(masked(TEXT, b"<open " + b" " * 20_000)[:100])
    await client.closes(1009)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (masked(TEXT, b"<a/>", 0xC0), 1002),  # compressed, and nobody agreed
        (masked(3, b""), 1002),
        (masked(0, b"x"), 1002),  # nothing to continue
        (masked(PING, b"x" * 126), 1002),
        (masked(PING, b"x", 0), 1002),
        (masked(TEXT, b"\xff\xfe<"), 1007),
        (masked(TEXT, b"<a", 0) + masked(TEXT, b"<b"), 1002),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(CLOSE, (1005).to_bytes(2, "big")), 1002),
        (masked(CLOSE, (999).to_bytes(2, "big")), 1002),
    ],
)
async def test_what_is_no_websocket_is_closed(web: World, frame: bytes, code: int) -> None:
    client = await websocket(web)
    client.put(frame)
    await client.closes(code)


async def test_a_bad_close_frame_is_the_end_behind_the_server_s_own_too(web: World) -> None:
    client = await websocket(web, "alice/page")
    (session,) = web.host.sessions.of(client.jid.bare)
    session.door.close()
    await client.receives_close()
    client.send(f"<close xmlns='{ns.FRAMING}'/>")
    opcode, payload = await client.message()
    assert (opcode, int.from_bytes(payload, "big")) == (CLOSE, 1000)
    client.put(masked(CLOSE, b"\x03"))
    assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""
    await client.drop()
