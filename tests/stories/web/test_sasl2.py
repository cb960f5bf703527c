"""SASL2, Bind 2 and FAST over HTTP: what depends on the carrier (XEP-0388, XEP-0386, XEP-0484)."""

from __future__ import annotations

import pytest

from tests.kit.bosh import Bosh
from tests.kit.client import Client
from tests.kit.sasl2 import NAMES, ask, authenticate, find, hashed, local, plain, text
from tests.kit.websocket import websocket
from tests.kit.world import World
from xmppd.xmpp import namespaces as ns

from .doors import a_web, http_door

KINDS = ["websocket", "bosh"]
BIND = f"<bind xmlns='{ns.BIND2}'><tag>page</tag></bind>"
FAST = f"<fast xmlns='{ns.FAST}'/>"
NONE = "HT-SHA-256-NONE"
WISH = f"<request-token xmlns='{ns.FAST}' mechanism='{NONE}'/>"
PROXY = http_door(trusted_proxies=["127.0.0.1"], cleartext="never")
BY_HTTPS = {"x_forwarded_for": "203.0.113.9", "x_forwarded_proto": "https"}


async def enter(web: World, kind: str, **headers: str) -> Client:
    """A connection of this kind with its features read; nothing was said yet."""
    await web.account("alice")
    if kind == "websocket":
        client: Client = await websocket(web, **headers)
    else:
        client = Bosh(web)
        client.headers = dict(headers)
        web.clients.append(client)
    await client.open()
    return client


def offered(client: Client) -> tuple[list[str | None], list[str | None]]:
    """The mechanisms, and those for tokens."""
    assert client.features is not None
    both = ("sasl2:authentication/sasl2:mechanism", ".//fast:fast/fast:mechanism")
    first, second = ([each.text for each in client.features.iterfind(path, NAMES)] for path in both)
    return first, second


@pytest.mark.parametrize("kind", KINDS)
async def test_in_the_clear_neither_a_password_nor_a_token_may_pass(web: World, kind: str) -> None:
    client = await enter(web, kind)
    mechanisms, tokens = offered(client)
    assert "PLAIN" not in mechanisms
    assert not tokens
    answer = await ask(client, authenticate("PLAIN", plain("alice", "alice")))
    assert local(answer[0]) == "encryption-required"
    answer = await ask(client, authenticate(NONE, hashed("alice", "guess"), FAST))
    assert local(answer[0]) == "invalid-mechanism"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_logs_in_with_one_message_and_comes_back_with_a_token(kind: str) -> None:
    async with a_web(PROXY) as web:
        client = await enter(web, kind, **BY_HTTPS)
        mechanisms, tokens = offered(client)
        assert "PLAIN" in mechanisms
        assert not [name for name in mechanisms if (name or "").endswith("-PLUS")]
        assert tokens == [NONE]  # nobody knows the certificate that the proxy has shown
        answer = await ask(client, authenticate("PLAIN", plain("alice", "alice"), BIND + WISH))
        assert text(answer, "sasl2:authorization-identifier").startswith("alice@localhost/page/")
        await client.ping()
        given = find(answer, "fast:token")
        assert given is not None
        await client.close()
        again = await enter(web, kind, **BY_HTTPS)
        answer = await ask(again, authenticate(NONE, hashed("alice", given.get("token", "")), FAST + BIND))
        assert find(answer, "bind:bound") is not None
        await again.ping()
