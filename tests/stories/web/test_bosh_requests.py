"""XEP-0124 sections 9 to 14: acknowledgements, inactivity, pace, the end, and the ids of requests."""

from __future__ import annotations

import pytest

from tests.kit.bosh import FIRST_RID, HTTPBIND, Bosh, body, bosh, condition
from tests.kit.client import NAMES
from tests.kit.world import World

from .doors import message

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
        requests += b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
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
