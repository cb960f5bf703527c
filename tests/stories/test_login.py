"""RFC 6120 6: logging in by SASL, and every way to fail."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from lxml import etree
from scramp import ScramClient

from tests.kit.client import Client
from tests.kit.login import failure, mechanisms, plain, say, scram
from tests.kit.tls import secure, tls_of
from tests.kit.world import World, a_world

SCRAMS = [f"SCRAM-{hash}" for hash in ("SHA-512", "SHA-256", "SHA-1")]
LIMITS = {
    "max_failures_per_connection": 5,
    "max_failures_per_account_and_address": 3,
    "max_failures_per_account": 50,
    "max_failures_per_address": 8,
    "max_failure_wait": 300,
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}, limits=LIMITS) as made:
        await made.account("alice")
        yield made


async def clear(world: World) -> Client:
    client = await world.dial()
    await client.open()
    return client


def endpoint(client: Client) -> bytes:
    """The tls-server-end-point of the certificate that the client was shown (RFC 5929 4)."""
    shown = tls_of(client).getpeercert(binary_form=True)
    assert shown
    return sha256(shown).digest()


# What is offered


async def test_in_the_clear_no_password_and_no_binding_is_offered(world: World) -> None:
    assert mechanisms(await clear(world)) == SCRAMS


async def test_over_tls_all_that_is_possible_is_offered(world: World) -> None:
    client = await secure(world)
    plus = [name for scram in SCRAMS for name in (f"{scram}-PLUS", scram)]
    assert mechanisms(client) == [*plus, "PLAIN"]


async def test_the_type_of_channel_binding_is_offered(world: World) -> None:
    client = await secure(world)
    assert client.features is not None
    (binding,) = client.features.iterfind(
        "{urn:xmpp:sasl-cb:0}sasl-channel-binding/{urn:xmpp:sasl-cb:0}channel-binding"
    )
    assert binding.get("type") == "tls-server-end-point"


async def test_after_login_no_mechanism_is_offered(world: World) -> None:
    client = await clear(world)
    await client.login("alice", "alice")
    assert mechanisms(client) == []


async def test_hosts_may_offer_different_mechanisms() -> None:
    override = {"b.example": {"auth": {"mechanisms": ["ANONYMOUS"]}}}
    async with a_world(hosts=["a.example", "b.example"], host_config=override, modules={}) as world:
        assert mechanisms(await clear(world)) == SCRAMS
        client = await world.dial()
        client.host = "b.example"
        await client.open()
        assert mechanisms(client) == ["ANONYMOUS"]


# Success


@pytest.mark.parametrize("mechanism", SCRAMS)
async def test_scram(world: World, mechanism: str) -> None:
    client = await clear(world)
    assert failure(await scram(client, mechanism, "alice", "alice")) == "success"
    await client.open()
    assert (await client.bind("phone")) == "alice@localhost/phone"


@pytest.mark.parametrize("mechanism", SCRAMS)
async def test_scram_bound_to_the_channel(world: World, mechanism: str) -> None:
    client = await secure(world)
    answer = await scram(client, f"{mechanism}-PLUS", "alice", "alice", endpoint(client))
    assert failure(answer) == "success"


async def test_plain(world: World) -> None:
    client = await secure(world)
    assert failure(await say(client, "auth", plain("alice", "alice"), "PLAIN")) == "success"
    await client.open()
    await client.bind("phone")
    await client.ping()


async def test_plain_without_an_initial_response(world: World) -> None:
    client = await secure(world)
    challenge = await say(client, "auth", "", "PLAIN")
    assert (failure(challenge), challenge.text or "=") == ("challenge", "=")
    assert failure(await say(client, "response", plain("alice", "alice"))) == "success"


async def test_an_empty_initial_response_is_an_equals_sign(world: World) -> None:
    client = await secure(world)
    assert failure(await say(client, "auth", "=", "PLAIN")) in ("challenge", "malformed-request")


async def test_names_are_prepared(world: World) -> None:
    client = await clear(world)
    assert failure(await scram(client, "SCRAM-SHA-256", "Alice", "alice")) == "success"
    await client.open()
    assert (await client.bind("phone")) == "alice@localhost/phone"


async def test_anonymous() -> None:
    async with a_world(modules={"ping": {}}, auth={"mechanisms": ["ANONYMOUS"]}) as world:
        names = set()
        for _ in range(2):
            client = await clear(world)
            assert mechanisms(client) == ["ANONYMOUS"]
            assert failure(await say(client, "auth", "", "ANONYMOUS")) == "success"
            await client.open()
            names.add((await client.bind()).local)
            await client.ping()
        assert len(names) == 2
        assert not await world.host.accounts.exists(names.pop())


# Failure


WRONG = [
    ("encryption-required", "auth", plain("alice", "alice"), "PLAIN"),
    ("invalid-mechanism", "auth", "", "DIGEST-MD5"),
    ("invalid-mechanism", "auth", "", ""),
    ("invalid-mechanism", "auth", "", "EXTERNAL"),
    ("invalid-mechanism", "auth", "", "ANONYMOUS"),
    ("invalid-mechanism", "auth", "biws", "SCRAM-SHA-1-PLUS"),
    ("incorrect-encoding", "auth", "!!!!", "SCRAM-SHA-1"),
    ("incorrect-encoding", "auth", "YQ", "SCRAM-SHA-1"),
    ("incorrect-encoding", "auth", "<a/>", "SCRAM-SHA-1"),
    ("malformed-request", "auth", b64encode(b"hello").decode(), "SCRAM-SHA-1"),
    ("malformed-request", "auth", b64encode(b"\xff\xfe").decode(), "SCRAM-SHA-1"),
    ("malformed-request", "auth", b64encode(b"n,,n=alice,r=" + b"a" * 8000).decode(), "SCRAM-SHA-1"),
    ("malformed-request", "response", "", ""),
    ("aborted", "abort", "", ""),
]


@pytest.mark.parametrize(("condition", "name", "text", "mechanism"), WRONG)
async def test_a_wrong_step_has_its_failure(world: World, condition: str, name: str, text: str, mechanism: str) -> None:
    client = await clear(world)
    assert failure(await say(client, name, text, mechanism)) == condition
    await client.login("alice", "alice")  # 6.4.5: the client may try again


async def test_a_client_may_abort_in_the_middle(world: World) -> None:
    client = await clear(world)
    answer = await say(client, "auth", b64encode(b"n,,n=alice,r=abc").decode(), "SCRAM-SHA-1")
    assert failure(answer) == "challenge"
    assert failure(await say(client, "abort")) == "aborted"
    assert failure(await say(client, "response", "biws")) == "malformed-request"
    await client.login("alice", "alice")


async def test_a_new_exchange_forgets_the_old_one(world: World) -> None:
    client = await clear(world)
    await say(client, "auth", b64encode(b"n,,n=alice,r=abc").decode(), "SCRAM-SHA-1")
    await client.login("alice", "alice")


async def said_to(world: World, user: str, mechanism: str) -> bytes:
    """All the bytes of the failure for this user with a wrong password."""
    client = await secure(world)
    if mechanism == "PLAIN":
        answer = await say(client, "auth", plain(user, "wrong"), "PLAIN")
    else:
        answer = await scram(client, mechanism, user, "wrong")
    assert failure(answer) == "not-authorized"
    return etree.tostring(answer)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
async def test_an_unknown_user_and_a_wrong_password_are_told_the_same(world: World, mechanism: str) -> None:
    assert await said_to(world, "alice", mechanism) == await said_to(world, "nobody", mechanism)


async def test_nobody_acts_for_another(world: World) -> None:
    await world.account("bob")
    client = await secure(world)
    message = plain("alice", "alice", "bob@localhost")
    assert failure(await say(client, "auth", message, "PLAIN")) == "invalid-authzid"
    message = plain("alice", "alice", "alice@localhost")
    assert failure(await say(client, "auth", message, "PLAIN")) == "success"


async def test_a_login_bound_to_another_channel_fails(world: World) -> None:
    client = await secure(world)
    answer = await scram(client, "SCRAM-SHA-256-PLUS", "alice", "alice", b"another certificate")
    assert failure(answer) == "not-authorized"


async def test_a_client_from_whom_binding_was_hidden_is_told(world: World) -> None:
    client = await secure(world)
    answer = await scram(client, "SCRAM-SHA-256", "alice", "alice", endpoint(client))
    assert failure(answer) == "not-authorized"


async def test_after_some_failures_the_stream_is_closed(world: World) -> None:
    client = await clear(world)
    for _ in range(4):
        assert failure(await say(client, "auth", "", "DIGEST-MD5")) == "invalid-mechanism"
    assert failure(await say(client, "auth", "", "DIGEST-MD5")) == "invalid-mechanism"
    await client.receives_stream_error("policy-violation")


async def test_who_is_logged_in_cannot_log_in_again(world: World) -> None:
    client = await clear(world)
    await client.login("alice", "alice")
    client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biws</auth>")
    await client.receives_stream_error("unsupported-stanza-type")


async def test_an_access_rule_keeps_out_who_has_the_right_password() -> None:
    door = {"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": "optional", "access": "staff"}
    async with a_world(modules={}, listen=[door], acl={"staff": {"user": ["bob@localhost"]}}) as world:
        await world.account("alice")
        await world.account("bob")
        assert failure(await scram(await clear(world), "SCRAM-SHA-1", "alice", "alice")) == "not-authorized"
        assert failure(await scram(await clear(world), "SCRAM-SHA-1", "bob", "bob")) == "success"


# Throttling


async def tries(world: World, user: str, password: str, times: int = 1) -> str:
    """The condition of the last of so many tries, each on a connection of its own."""
    for _ in range(times):
        client = await clear(world)
        condition = failure(await scram(client, "SCRAM-SHA-1", user, password))
        await client.close()
    return condition


async def test_who_guesses_at_an_account_has_to_wait(world: World) -> None:
    assert await tries(world, "alice", "wrong", 3) == "not-authorized"
    assert await tries(world, "alice", "alice") == "temporary-auth-failure"
    await world.advance(2)
    assert await tries(world, "alice", "alice") == "success"


async def test_who_guesses_side_by_side_learns_no_more(world: World) -> None:
    guesses = []
    for password in (*["wrong"] * 4, "alice"):
        client, login = await clear(world), ScramClient(["SCRAM-SHA-1"], "alice", password)
        begun = await say(client, "auth", b64encode(login.get_client_first().encode()).decode(), "SCRAM-SHA-1")
        login.set_server_first(b64decode(begun.text or "").decode())
        guesses.append((client, b64encode(login.get_client_final().encode()).decode()))
    told = [failure(await say(client, "response", final)) for client, final in guesses]
    assert told == ["not-authorized"] * 3 + ["temporary-auth-failure"] * 2


async def test_each_further_failure_doubles_the_wait(world: World) -> None:
    await tries(world, "alice", "wrong", 3)
    for wait in (1, 2, 4, 8):
        await world.advance(wait - 0.5)
        assert await tries(world, "alice", "alice") == "temporary-auth-failure"
        await world.advance(0.5)
        assert await tries(world, "alice", "wrong") == "not-authorized"


async def test_others_from_the_same_address_are_not_held_up(world: World) -> None:
    await world.account("bob")
    await tries(world, "alice", "wrong", 3)
    assert await tries(world, "bob", "bob") == "success"


async def test_a_success_clears_the_account(world: World) -> None:
    for _ in range(2):
        assert await tries(world, "alice", "wrong", 2) == "not-authorized"
        assert await tries(world, "alice", "alice") == "success"


async def test_who_guesses_at_many_accounts_from_one_address_has_to_wait(world: World) -> None:
    for number in range(8):
        assert await tries(world, f"user{number}", "wrong") == "not-authorized"
    assert await tries(world, "alice", "alice") == "temporary-auth-failure"
    await world.advance(2)
    assert await tries(world, "alice", "alice") == "success"


async def test_unknown_users_are_throttled_like_known_ones(world: World) -> None:
    assert await tries(world, "nobody", "wrong", 4) == "temporary-auth-failure"


async def test_figures_of_logins_are_kept(world: World) -> None:
    await tries(world, "alice", "wrong", 2)
    await tries(world, "alice", "alice")
    shared: Any = world.server.shared
    assert (shared.traffic.failures.value, shared.traffic.logins.value) == (2, 1)
