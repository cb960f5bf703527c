"""XEP-0484: FAST, logging in again by a token."""

import hmac
from base64 import b64decode
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from tests.kit.client import Client
from tests.kit.sasl2 import DESKTOP, NAMES, PHONE, ask, authenticate, find, hashed, local, scram, text
from tests.kit.tls import secure, tls_of
from tests.kit.world import World, a_world
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element
from xmppd.xmpp.timestamps import parse_datetime

NONE, ENDP = "HT-SHA-256-NONE", "HT-SHA-256-ENDP"
FAST = f"<fast xmlns='{ns.FAST}'/>"
BIND = f"<bind xmlns='{ns.BIND2}'/>"
DAY = 86400.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as made:
        await made.account("alice")
        yield made


def wish(mechanism: str = NONE) -> str:
    return f"<request-token xmlns='{ns.FAST}' mechanism='{mechanism}'/>"


def token_of(answer: Element) -> str:
    found = find(answer, "fast:token")
    return "" if found is None else found.get("token", "")


async def a_token(world: World, mechanism: str = NONE, agent: str = PHONE) -> str:
    answer = await scram(await secure(world), "alice", "alice", wish(mechanism), agent)
    token = token_of(answer)
    assert token
    return token


async def come(
    world: World, token: str, inside: str = FAST, mechanism: str = NONE, agent: str = PHONE, user: str = "alice"
) -> Element:
    client = await secure(world)
    return await ask(client, authenticate(mechanism, hashed(user, token), inside, agent))


def failure(answer: Element) -> str:
    assert local(answer) == "failure", answer
    return local(answer[0])


def binding(client: Client) -> bytes:
    shown = tls_of(client).getpeercert(binary_form=True)
    assert shown
    return sha256(shown).digest()


async def test_it_is_offered_over_tls_alone(world: World) -> None:
    clear = await world.dial()
    await clear.open()
    hidden = await secure(world)
    assert find(clear.features, ".//fast:fast") is None
    assert hidden.features is not None
    assert [each.text for each in hidden.features.iterfind(".//fast:fast/fast:mechanism", NAMES)] == [ENDP, NONE]


async def test_a_client_that_asks_gets_a_token_with_its_end(world: World) -> None:
    answer = await scram(await secure(world), "alice", "alice", wish())
    token = find(answer, "fast:token")
    assert token is not None
    assert len(token.get("token", "")) >= 43
    assert parse_datetime(token.get("expiry", "")).timestamp() == world.clock.time() + 30 * DAY


async def test_with_it_a_reconnect_is_one_round_trip_to_a_session(world: World) -> None:
    token = await a_token(world)
    client = await secure(world)
    answer = await ask(client, authenticate(NONE, hashed("alice", token), FAST + BIND))
    assert text(answer, "sasl2:authorization-identifier").startswith("alice@localhost/")
    assert b64decode(text(answer, "sasl2:additional-data")) == hmac.digest(token.encode(), b"Responder", "sha256")
    await client.ping()


async def test_a_token_with_channel_binding_is_good_on_the_servers_own_tls_alone(world: World) -> None:
    token = await a_token(world, ENDP)
    client = await secure(world)
    assert (
        failure(await ask(client, authenticate(ENDP, hashed("alice", token, b"elsewhere"), FAST))) == "not-authorized"
    )
    proof = hashed("alice", token, binding(client))
    assert local(await ask(client, authenticate(ENDP, proof, FAST))) == "success"


async def test_a_token_is_good_for_its_own_mechanism_alone(world: World) -> None:
    token = await a_token(world, ENDP)
    assert failure(await come(world, token)) == "not-authorized"


async def test_a_token_is_good_for_its_own_client_and_account_alone(world: World) -> None:
    await world.account("bob")
    token = await a_token(world)
    assert failure(await come(world, token, agent=DESKTOP)) == "not-authorized"
    assert failure(await come(world, token, agent="")) == "not-authorized"
    assert failure(await come(world, token, user="bob")) == "not-authorized"
    assert failure(await come(world, token, user="nobody")) == "not-authorized"
    assert local(await come(world, token)) == "success"


async def test_who_guesses_tokens_is_throttled() -> None:
    limits = {"max_failures_per_account_and_address": 2, "max_failures_per_connection": 9}
    async with a_world(modules={}, limits=limits) as world:
        await world.account("alice")
        token = await a_token(world)
        for _ in range(2):
            assert failure(await come(world, "guess")) == "not-authorized"
        assert failure(await come(world, token)) == "temporary-auth-failure"


async def test_a_token_without_the_fast_element_is_refused(world: World) -> None:
    assert failure(await come(world, await a_token(world), "")) == "invalid-mechanism"


async def test_in_the_clear_no_token_is_taken_or_given(world: World) -> None:
    token = await a_token(world)
    client = await world.dial()
    await client.open()
    assert failure(await ask(client, authenticate(NONE, hashed("alice", token), FAST))) == "invalid-mechanism"
    assert not token_of(await scram(client, "alice", "alice", wish()))


async def test_a_token_expires(world: World) -> None:
    token = await a_token(world)
    world.clock._now += 30 * DAY + 1
    assert failure(await come(world, token)) == "credentials-expired"


async def test_an_old_token_is_replaced_and_stays_good_until_the_new_one_is_used(world: World) -> None:
    old = await a_token(world)
    assert not token_of(await come(world, old))  # young
    world.clock._now += DAY
    new = token_of(await come(world, old))
    assert new not in ("", old)
    assert local(await come(world, old)) == "success"  # the answer was lost on the way: it comes again with the old one
    newer = token_of(await come(world, old))
    assert failure(await come(world, new)) == "not-authorized"  # of those never used the last counts
    assert local(await come(world, newer)) == "success"
    assert failure(await come(world, old)) == "not-authorized"


async def test_a_client_can_invalidate_its_token(world: World) -> None:
    token = await a_token(world)
    world.clock._now += 2 * DAY
    last = await come(world, token, f"<fast xmlns='{ns.FAST}' invalidate='true'/>")
    assert local(last) == "success"
    assert not token_of(last)
    assert failure(await come(world, token)) == "not-authorized"


async def test_a_count_that_was_seen_is_refused(world: World) -> None:
    token = await a_token(world)
    assert local(await come(world, token, f"<fast xmlns='{ns.FAST}' count='5'/>")) == "success"
    assert failure(await come(world, token, f"<fast xmlns='{ns.FAST}' count='5'/>")) == "not-authorized"
    assert failure(await come(world, token, f"<fast xmlns='{ns.FAST}' count='-1'/>")) == "not-authorized"
    assert local(await come(world, token, f"<fast xmlns='{ns.FAST}' count='6'/>")) == "success"


async def test_a_new_password_ends_every_token(world: World) -> None:
    token = await a_token(world)
    await world.host.set_password("alice", "another")
    assert failure(await come(world, token)) == "not-authorized"


async def test_an_account_that_is_removed_takes_its_tokens_along(world: World) -> None:
    token = await a_token(world)
    await world.host.remove_account((await world.session("alice/x")).jid.bare)
    await world.account("alice")
    assert failure(await come(world, token)) == "not-authorized"


async def test_the_database_holds_no_token(world: World) -> None:
    token = await a_token(world)
    rows = await world.host.house.storage.fetch("SELECT * FROM fast_tokens")
    assert rows
    assert token not in repr(rows)


async def test_no_token_is_given_where_none_are_wanted() -> None:
    async with a_world(modules={}, auth={"token_lifetime": 0}) as world:
        await world.account("alice")
        client = await secure(world)
        assert find(client.features, ".//fast:fast") is None
        assert not token_of(await scram(client, "alice", "alice", wish()))


async def test_an_account_has_tokens_for_so_many_clients(world: World) -> None:
    first = await a_token(world)
    for number in range(50):
        world.clock._now += 1
        await a_token(world, agent=f"00000000-0000-4000-8000-{number:012}")
    assert failure(await come(world, first)) == "not-authorized"
