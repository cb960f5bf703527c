"""XEP-0124: Bidirectional-streams Over Synchronous HTTP, sections 5 to 14: a session and its requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.bosh import FIRST_RID, HTTPBIND, PATH, Bosh, body, bosh, condition
from tests.kit.client import NAMES
from tests.kit.http import Http
from tests.kit.world import World

MESSAGE = "<message xmlns='jabber:client' to='{to}' type='chat'><body>{text}</body></message>"


def message(to: Any, text: str = "hello") -> str:
    return MESSAGE.format(to=to, text=text)


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
    assert (told["wait"], told["hold"], told["requests"], told["ver"]) == ("120", "2", "3", "1.11")


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


async def test_8_two_requests_are_held_where_that_was_agreed_upon(web: World) -> None:
    alice, bob = await bosh(web, "alice/page", hold=2), await web.session("bob/phone")
    first, second = await alice.post(), await alice.post(message(bob.jid))
    await bob.receives("c:message")
    await alice.turn()
    assert first.silent
    assert second.silent


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


# 9 Acknowledgements


async def test_9_1_the_server_acknowledges_requests_to_who_does_so(web: World) -> None:
    alice = Bosh(web)
    web.clients.append(alice)
    assert (await alice.create(ack=1)).xml.get("ack") == str(FIRST_RID)
    alice = await bosh(web, "alice/page", ack=1)
    first = await alice.post()
    await alice.turn()
    await alice.post("<iq xmlns='jabber:client' type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert (await alice.answer(first)).xml.get("ack") == str(alice.rid)


async def test_9_1_an_answer_to_the_last_request_has_no_ack(web: World) -> None:
    alice = await bosh(web, "alice/page", ack=1)
    waiting = await alice.post()
    await alice.turn()
    await web.advance(60)
    assert (await alice.answer(waiting)).xml.get("ack") is None


async def test_9_2_an_answer_that_the_client_seems_to_miss_is_reported(web: World) -> None:
    alice = await bosh(web, "alice/page", ack=1, wait=5)
    waiting = await alice.post()
    await alice.turn()
    await web.advance(6)
    await alice.answer(waiting)
    missing = alice.rid
    await web.advance(3)
    answer = await alice.ask_server(ack=missing - 1)
    assert answer.xml.get("report") == str(missing)
    assert int(answer.xml.get("time", "0")) >= 3000


# 10 Inactivity


async def test_10_who_makes_no_request_for_too_long_is_gone(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.online("bob/phone")
    alice.send(f"<presence xmlns='jabber:client' to='{bob.jid}'/>")
    await alice.ping()
    await bob.receives("c:presence[not(@type)]")
    await web.advance(151)
    await bob.receives("c:presence[@type='unavailable']")
    assert condition(await alice.ask_server()) is not None


async def test_10_a_page_that_asks_once_a_minute_stays(web: World) -> None:
    alice = await bosh(web, "alice/page")
    for _ in range(5):
        waiting = await alice.post()
        await alice.turn()
        await web.advance(60)
        await alice.answer(waiting)
        await web.advance(60)
    await alice.ping()


async def test_10_what_was_not_fetched_goes_back_when_the_session_ends(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    bob.send(f"<message to='{alice.jid}' type='chat'><body>did you see this?</body></message>")
    await bob.ping()
    await web.advance(151)
    again = await web.session("alice/phone")
    again.send("<presence/>")
    stanzas = await again.pending()
    assert any(each.findtext("c:body", namespaces=NAMES) == "did you see this?" for each in stanzas)


async def test_10_a_pause_is_answered_at_once_with_all_that_is_held(web: World) -> None:
    alice = await bosh(web, "alice/page")
    first = await alice.post()
    await alice.turn()
    second = await alice.post(pause=120)
    for waiting in (first, second):
        assert (await alice.answer(waiting)).body == f"<body xmlns='{HTTPBIND}'/>".encode()


async def test_10_the_answer_to_a_pause_has_no_payload(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    bob.send(f"<message to='{alice.jid}'><body>later</body></message>")
    await bob.ping()
    assert len((await alice.ask_server(pause=120)).xml) == 0
    assert len((await alice.ask_server()).xml) == 1


async def test_10_a_pause_lasts_as_long_as_it_was_asked_for(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await alice.ask_server(pause=300)
    await web.advance(290)
    alice.reconnect()
    await alice.ping()
    await alice.ask_server(pause=10)
    await web.advance(12)
    assert condition(await alice.ask_server()) is not None


async def test_10_after_the_next_request_the_time_is_the_usual_one(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await alice.ask_server(pause=300)
    await alice.ping()
    await web.advance(151)
    assert condition(await alice.ask_server()) is not None


async def test_10_a_longer_pause_than_allowed_is_none(web: World) -> None:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post(pause=301)
    await alice.turn()
    assert waiting.silent


# 11 Overactivity, 12 Polling


async def test_11_too_many_requests_at_once_end_the_session(web: World) -> None:
    alice = await bosh(web, "alice/page")
    connection = await alice.connection()
    requests = b""
    for _ in range(3):  # one packet, so that none is answered before all have come
        alice.rid += 1
        text = body("<presence xmlns='jabber:client'/>", rid=alice.rid, sid=alice.sid)
        requests += b"POST /http-bind HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
    connection.put(requests)
    answers = [condition(await connection.answer()) for _ in range(3)]
    assert answers == ["other-request", "other-request", "policy-violation"]


async def test_11_empty_requests_one_upon_the_other_end_the_session(web: World) -> None:
    alice = await bosh(web, "alice/page")
    first = await alice.post()
    await alice.turn()
    second = await alice.post()
    assert condition(await alice.answer(first)) == "other-request"
    assert condition(await alice.answer(second)) == "policy-violation"


async def test_11_one_more_request_may_be_made_to_end_the_session(web: World) -> None:
    alice = await bosh(web, "alice/page", hold=1)
    first = await alice.post()
    await alice.turn()
    last = await alice.post(type="terminate")
    assert condition(await alice.answer(first)) == ""
    assert (await alice.answer(last)).status == 200


async def test_11_who_waits_as_long_as_polling_may_ask_again(web: World) -> None:
    alice = await bosh(web, "alice/page")
    first = await alice.post()
    await alice.turn()
    await web.advance(2)
    await alice.post()
    assert condition(await alice.answer(first)) is None


@pytest.mark.parametrize("terms", [{"wait": 0}, {"hold": 0}])
async def test_12_who_polls_is_answered_at_once(web: World, terms: dict[str, int]) -> None:
    alice = await bosh(web, "alice/page", **terms)
    await web.advance(3)
    assert (await alice.ask_server()).body == f"<body xmlns='{HTTPBIND}'/>".encode()


async def test_12_who_polls_too_often_is_sent_away(web: World) -> None:
    alice = await bosh(web, "alice/page", wait=0)
    await web.advance(3)
    await alice.ask_server()
    assert condition(await alice.ask_server()) == "policy-violation"


async def test_12_who_has_just_received_something_may_poll_again(web: World) -> None:
    alice, bob = await bosh(web, "alice/page", wait=0), await web.session("bob/phone")
    await web.advance(3)
    bob.send(f"<message to='{alice.jid}'><body>now</body></message>")
    await bob.ping()
    await alice.ask_server()
    assert condition(await alice.ask_server()) is None


# 13 Terminating


async def test_13_the_payload_of_the_last_request_is_handled(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    await alice.post(message(bob.jid, "farewell"), type="terminate")
    await bob.receives("c:message[c:body='farewell']")


async def test_13_the_oldest_request_is_answered_with_terminate_the_others_with_nothing(web: World) -> None:
    alice = await bosh(web, "alice/page")
    first = await alice.post()
    await alice.turn()
    second = await alice.post(type="terminate")
    assert condition(await alice.answer(first)) == ""
    assert (await alice.answer(second)).body == f"<body xmlns='{HTTPBIND}'/>".encode()


async def test_13_the_session_is_over(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await alice.ask_server(type="terminate")
    await alice.turn()
    assert not web.host.sessions.of(alice.jid.bare)


# 14 Request ids


async def test_14_2_requests_are_handled_in_the_order_of_their_ids(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    begin = alice.rid
    second = await alice.post(message(bob.jid, "two"), rid=begin + 2)
    await alice.turn()
    assert second.silent
    first = await alice.post(message(bob.jid, "one"), rid=begin + 1)
    for text in ("one", "two"):
        await bob.receives(f"c:message[c:body='{text}']")
    assert condition(await alice.answer(first)) is None


@pytest.mark.parametrize("ahead", [3, 4, 1000, 10**14])
async def test_14_2_an_id_beyond_the_window_ends_the_session(web: World, ahead: int) -> None:
    alice = await bosh(web, "alice/page")
    connection = await alice.post(rid=alice.rid + ahead)
    assert condition(await alice.answer(connection)) == "item-not-found"


async def test_14_3_a_repeated_request_gets_the_same_answer_and_is_not_handled_again(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    inside = message(bob.jid) + "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
    first = await alice.ask_server(inside)
    again = await alice.answer(await alice.post(inside, rid=alice.rid))
    assert again.body == first.body
    await alice.ping()
    await bob.receives("c:message")
    await bob.receives_nothing()


async def test_14_3_a_request_repeated_while_it_is_held_takes_its_place(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    first = await alice.post()
    await alice.turn()
    again = await alice.post(rid=alice.rid)
    assert (await alice.answer(first)).xml.get("type") == "error"
    bob.send(f"<message to='{alice.jid}'><body>now</body></message>")
    assert (await alice.answer(again)).xml.findtext("c:message/c:body", namespaces=NAMES) == "now"


async def test_14_3_what_came_while_the_connection_was_broken_comes_to_the_repeated_request(web: World) -> None:
    alice, bob = await bosh(web, "alice/page"), await web.session("bob/phone")
    waiting = await alice.post()
    await alice.turn()
    await waiting.close()
    bob.send(f"<message to='{alice.jid}'><body>now</body></message>")
    await bob.ping()
    again = await alice.post(rid=alice.rid)
    assert (await alice.answer(again)).xml.findtext("c:message/c:body", namespaces=NAMES) == "now"


async def test_14_3_an_answer_that_is_kept_no_more_ends_the_session(web: World) -> None:
    alice = await bosh(web, "alice/page")
    old = alice.rid
    for _ in range(4):
        await alice.ping()
    assert condition(await alice.answer(await alice.post(rid=old))) == "item-not-found"


async def test_14_3_repeating_without_end_ends_the_session(web: World) -> None:
    alice = await bosh(web, "alice/page")
    await alice.ping()
    answers = [condition(await alice.answer(await alice.post(rid=alice.rid))) for _ in range(21)]
    assert answers == [None] * 20 + ["policy-violation"]


async def test_14_3_an_id_from_before_the_session_is_not_found(web: World) -> None:
    alice = await bosh(web, "alice/page")
    assert condition(await alice.answer(await alice.post(rid=1))) == "item-not-found"
