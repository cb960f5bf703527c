"""Addresses at and past each limit of RFC 7622."""

from base64 import b64encode

import pytest

from tests.kit.client import error_of
from tests.kit.login import failure, say
from tests.stories.hard_input.calm import Calm

LONG = "a" * 1023
LABELS = ".".join(["a" * 63] * 16)  # 1023 bytes
AT_THE_LIMIT = [
    f"{LONG}@localhost",
    f"{LONG}@localhost/{LONG}",
    f"x@localhost/{LONG}",
    f"{'é' * 511}@localhost",
    f"x@{LABELS}",
    f"{LONG}@{LABELS}/{LONG}",
    LABELS,
]
PAST_IT = [
    f"{LONG}a@localhost",
    f"x@localhost/{LONG}a",
    f"{'é' * 512}@localhost",
    f"x@{LABELS}.a",
    f"x@{'a' * 64}.example",
    f"{'a' * 60_000}@localhost",
    f"x@localhost/{'é' * 25_000}",
    "ⅵ" * 20_000 + "@localhost",
    *("", "@", "/", "@localhost", "x@", "x@localhost/", "localhost/", "x@@localhost", "x y@localhost"),
    *("x@local host", "x@-localhost", "x@localhost-", "x@.localhost", "x@localhost..", "x@[::1", "x:y@localhost"),
    *("x&amp;y@localhost", "x&lt;@localhost", "x&quot;@localhost", "x&apos;y@localhost", "x@localhost/&#133;"),
    *("x@localhost/\ue000", "♚@localhost", "x@localhost/&#xFFFD;&#x202E;&#xE0001;", "x@xn--a"),
]


@pytest.mark.parametrize("kind", ["message", "iq", "presence"])
async def test_past_a_limit_an_address_is_malformed(calm: Calm, kind: str) -> None:
    eve = await calm.world.session("eve/x")
    inside = "<ping xmlns='urn:xmpp:ping'/>" if kind == "iq" else ""
    type = {"iq": "get", "presence": "subscribe", "message": "chat"}[kind]
    for address in PAST_IT:
        eve.send(f"<{kind} to='{address}' type='{type}' id='1'>{inside}</{kind}>")
        error = await eve.receive()
        assert error_of(error) == "jid-malformed", address[:80]
    await eve.receives_nothing()
    await calm.chat()


async def test_at_a_limit_it_is_not(calm: Calm) -> None:
    eve = await calm.world.session("eve/x")
    for address in AT_THE_LIMIT:
        reply = await eve.ask(f"<iq type='get' to='{address}'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert error_of(reply) in ("service-unavailable", "remote-server-not-found"), address[:80]


async def test_names_that_nobody_can_have_do_not_log_in(calm: Calm) -> None:
    for name in (LONG, LONG + "a", "\x00", "é" * 600, "=2C", "=XX", "a" * 2900, "ⅵ" * 700, "x@localhost", "a/b"):
        client = await calm.world.dial()
        await client.open()
        answer = await say(client, "auth", b64encode(f"n,,n={name},r=abc".encode()).decode(), "SCRAM-SHA-1")
        assert failure(answer) in ("challenge", "not-authorized", "malformed-request"), name[:80]
        await client.close()
    await calm.chat()
