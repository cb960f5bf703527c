"""XEP-0124 sections 15 to 19 and XEP-0206: keys, streams, errors, security, and XMPP inside of it."""

from __future__ import annotations

from hashlib import sha1

import pytest

from tests.kit.bosh import FIRST_RID, PATH, XBOSH, Bosh, body, bosh, condition
from tests.kit.http import Http
from tests.kit.tls import trusting
from tests.kit.world import World
from xmppd.xmpp import namespaces as ns

from .doors import a_web, http_door


def keys(number: int, seed: str = "seed") -> list[str]:
    """A sequence of keys, in the order of their use."""
    made = [sha1(seed.encode()).hexdigest()]
    for _ in range(number - 1):
        made.append(sha1(made[-1].encode()).hexdigest())
    return made[::-1]


# 15 Protecting insecure sessions


async def test_15_4_each_request_has_the_next_key(web: World) -> None:
    client, sequence = Bosh(web), keys(4)
    web.clients.append(client)
    await client.create(newkey=sequence[0])
    connection = await client.post(key=sequence[1])
    await client.turn()
    assert connection.silent
    assert condition(await client.answer(await client.post(key=sequence[2].upper(), type="terminate"))) is None
    assert condition(await client.answer(connection)) == ""


@pytest.mark.parametrize("key", [None, "0" * 40, keys(4)[0], keys(4)[2]])
async def test_15_4_a_request_without_the_right_key_ends_the_session_and_is_not_handled(
    web: World, key: str | None
) -> None:
    client = Bosh(web)
    web.clients.append(client)
    await client.create(newkey=keys(4)[0])
    request = await client.post("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", key=key)
    answer = await client.answer(request)
    assert condition(answer) == "item-not-found"
    assert len(answer.xml) == 0


async def test_15_5_a_new_sequence_begins_with_the_last_key_of_the_old(web: World) -> None:
    client, old, new = Bosh(web), keys(2), keys(3, "another")
    web.clients.append(client)
    await client.create(newkey=old[0])
    first = await client.post(key=old[1], newkey=new[0])
    await client.turn()
    await client.post(key=new[1], type="terminate")
    assert condition(await client.answer(first)) == ""


# 16 Multiple streams


async def test_16_2_a_session_has_one_stream_and_no_name_for_it(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert (await client.create()).xml.get("stream") is None


async def test_16_3_a_request_for_another_stream_is_an_empty_request(web: World) -> None:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post(to="localhost", route="xmpp:localhost:9999")
    await alice.turn()
    assert waiting.silent


async def test_16_4_payload_for_a_named_stream_is_refused(web: World) -> None:
    alice = await bosh(web, "alice/page")
    assert condition(await alice.ask_server("<presence/>", stream="second")) == "item-not-found"


async def test_16_4_the_name_of_a_stream_is_ignored_where_there_is_no_payload(web: World) -> None:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post(stream="second")
    await alice.turn()
    assert waiting.silent


# 17 Errors


async def test_17_2_a_session_that_is_not_there_is_not_found(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    client.sid = "guessed"
    assert condition(await client.ask_server()) == "item-not-found"


async def test_17_1_clients_without_a_version_are_told_by_status(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    assert (await client.create(ver=None)).xml.get("ver") is None
    assert (await client.answer(await client.post(rid=client.rid + 1000))).status == 404


async def test_17_2_a_stream_error_is_told_as_remote_stream_error(web: World) -> None:
    client = await bosh(web)
    answer = await client.ask_server("<presence xmlns='jabber:client'/>")
    assert condition(answer) == "remote-stream-error"
    assert answer.xml[0].tag == f"{{{ns.STREAM}}}error"
    assert answer.xml[0][0].tag == "{urn:ietf:params:xml:ns:xmpp-streams}not-authorized"


async def test_17_2_a_session_ended_while_no_request_was_held_is_told_to_the_next(web: World) -> None:
    alice = await bosh(web, "alice/page")
    second = await web.session("alice/page")
    assert condition(await alice.ask_server()) == "remote-stream-error"
    await second.ping()


async def test_17_2_at_shutdown_it_is_told(web: World) -> None:
    alice = await bosh(web, "alice/page")
    waiting = await alice.post()
    await alice.turn()
    web.server.doors[-1].say_goodbye()
    assert condition(await alice.answer(waiting)) == "system-shutdown"


async def test_the_script_syntax_is_not_spoken(web: World) -> None:
    connection = await Http.dial(web.server.doors[-1].port)
    answer = await connection.ask("GET", f"{PATH}?%3Cbody%20rid%3D%271%27%2F%3E")
    assert (answer.status, b"POST" in answer.body) == (405, True)
    await connection.close()


# 19 Security


async def test_19_1_without_tls_nobody_logs_in_by_default() -> None:
    async with a_web(http_door(cleartext="never")) as web:
        client = Bosh(web)
        web.clients.append(client)
        answer = await client.create()
        assert condition(answer) == "remote-stream-error"
        assert b"https" in answer.body


async def test_19_1_with_tls_plain_is_offered() -> None:
    async with a_web(http_door(tls=True, cleartext="never")) as web:
        client = Bosh(web)
        web.clients.append(client)
        client._free.append(await Http.dial(client.port, trusting()))
        client._all += client._free
        answer = await client.create()
        assert b"PLAIN" in answer.body


async def test_19_1_without_tls_plain_is_not_offered(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    answer = await client.create()
    assert b"SCRAM-SHA-1" in answer.body
    assert b">PLAIN<" not in answer.body


async def test_19_1_a_secure_session_is_not_used_in_clear_and_does_not_end_by_that() -> None:
    async with a_web(http_door(trusted_proxies=["127.0.0.1"])) as web:
        alice = Bosh(web)
        web.clients.append(alice)
        alice.headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5"}
        await alice.create()
        spy = await Http.dial(alice.port)
        spy.send("POST", PATH, body(rid=alice.rid + 1, sid=alice.sid, type="terminate"))
        assert (await spy.answer()).status == 403
        assert await spy.ended()
        await spy.close()
        waiting = await alice.post()
        await alice.turn()
        assert waiting.silent


# Cross-origin


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ([], "https://evil.example", None),
        (["https://chat.example"], "https://evil.example", None),
        (["https://chat.example"], "https://chat.example", "https://chat.example"),
        (["*"], "https://anywhere.example", "*"),
    ],
)
async def test_pages_of_other_sites_need_to_be_allowed(origins: list[str], origin: str, allowed: str | None) -> None:
    async with a_web(http_door(origins=origins)) as web:
        connection = await Http.dial(web.server.doors[-1].port)
        preflight = await connection.ask("OPTIONS", PATH, origin=origin, access_control_request_method="POST")
        assert preflight.headers.get("access-control-allow-origin") == allowed
        assert preflight.status == (403 if allowed is None else 204)
        request = body(rid=FIRST_RID, to="localhost", ver="1.11")
        answer = await connection.ask("POST", PATH, request, origin=origin)
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert answer.status == (403 if allowed is None else 200)
        await connection.close()


async def test_a_form_of_a_strange_page_is_not_served() -> None:
    async with a_web(http_door(origins=["*"])) as web:
        connection = await Http.dial(web.server.doors[-1].port)
        request = body(rid=FIRST_RID, to="localhost", content="text/html")
        assert (await connection.ask("POST", PATH, request, sec_fetch_mode="navigate")).status == 403
        await connection.close()


# XEP-0206


async def test_0206_the_first_answer_has_version_restartlogic_and_features(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    answer = await client.create()
    assert answer.xml.get(f"{{{XBOSH}}}version") == "1.0"
    assert answer.xml.get(f"{{{XBOSH}}}restartlogic") == "true"
    assert answer.xml.get("authid")
    assert answer.xml[0].tag == f"{{{ns.STREAM}}}features"
    assert b"xmlns:stream=" in answer.body.partition(b">")[0]


async def test_0206_starttls_and_compression_are_not_offered(web: World) -> None:
    client = Bosh(web)
    web.clients.append(client)
    answer = await client.create()
    assert b"starttls" not in answer.body
    assert b"compression" not in answer.body


async def test_0206_after_the_login_a_restart_gives_the_features_anew(web: World) -> None:
    await web.account("alice")
    client = await bosh(web)
    await client.receive()
    await client.authenticate("alice", "alice")
    features = await client.open()
    assert features.find(f"{{{ns.BIND}}}bind") is not None


async def test_0206_without_a_restart_nothing_goes_on(web: World) -> None:
    await web.account("alice")
    client = await bosh(web)
    await client.receive()
    await client.authenticate("alice", "alice")
    assert condition(await client.ask_server("<presence xmlns='jabber:client'/>")) == "bad-request"


async def test_0206_what_comes_with_a_restart_is_ignored(web: World) -> None:
    await web.account("alice")
    client = await bosh(web)
    await client.receive()
    await client.authenticate("alice", "alice")
    answer = await client.ask_server("<presence/>", xmlns__xmpp=XBOSH, xmpp__restart="true", to="localhost")
    assert answer.xml[0].tag == f"{{{ns.STREAM}}}features"
