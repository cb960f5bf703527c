"""XEP-0484: FAST, logging in again by a token."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from scramp import ScramClient

from tests.kit.client import Client
from tests.kit.sasl2 import DESKTOP, NAMES, PHONE, ask, authenticate, find, hashed, local, scram, text
from tests.kit.tls import secure, tls_of
from tests.kit.world import World, a_world
from xmppd.listeners.request import Request
from xmppd.sasl.keys import derive
from xmppd.tokens import Token
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.jid import JID
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


async def test_guesses_side_by_side_learn_nothing_past_the_limit() -> None:
    limits = {"max_failures_per_account_and_address": 1, "max_failures_per_connection": 9}
    async with a_world(modules={}, limits=limits) as world:
        await world.account("alice")

        async def another() -> None:
            for _ in range(2):
                await come(world, "guess")

        meanwhile(world, another)
        assert failure(await come(world, "guess")) == "temporary-auth-failure"


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


def meanwhile(world: World, happens: Callable[[], Awaitable[object]]) -> None:
    """Once, between a login's look for the token and its use, something happens."""
    tokens = world.host.tokens
    of, first = tokens.of, [happens]

    async def slowly(*key: Any) -> list[Token]:
        found = await of(*key)
        if first:
            await first.pop()()
        return found

    tokens.of = slowly  # type: ignore[method-assign]


async def test_of_two_logins_at_once_with_one_count_one_is_refused(world: World) -> None:
    token = await a_token(world)
    counted = f"<fast xmlns='{ns.FAST}' count='1'/>"

    async def replayed() -> None:
        assert local(await come(world, token, counted)) == "success"

    meanwhile(world, replayed)
    assert failure(await come(world, token, counted)) == "not-authorized"


async def test_a_count_does_not_go_back_where_two_logins_meet(world: World) -> None:
    token = await a_token(world)
    assert local(await come(world, token)) == "success"

    async def counted() -> None:
        assert local(await come(world, token, f"<fast xmlns='{ns.FAST}' count='7'/>")) == "success"

    meanwhile(world, counted)
    assert local(await come(world, token)) == "success"
    assert failure(await come(world, token, f"<fast xmlns='{ns.FAST}' count='7'/>")) == "not-authorized"


async def test_a_token_that_is_invalidated_meanwhile_is_refused(world: World) -> None:
    token = await a_token(world)

    async def left() -> None:
        assert local(await come(world, token, f"<fast xmlns='{ns.FAST}' invalidate='1'/>")) == "success"

    meanwhile(world, left)
    assert failure(await come(world, token)) == "not-authorized"


async def test_3_6_who_logs_out_leaves_no_newer_token_behind(world: World) -> None:
    old = await a_token(world)
    world.clock._now += DAY
    new = token_of(await come(world, old))
    assert new
    assert local(await come(world, old, f"<fast xmlns='{ns.FAST}' invalidate='true'/>")) == "success"
    assert failure(await come(world, old)) == "not-authorized"
    assert failure(await come(world, new)) == "not-authorized"


async def test_3_6_who_logs_out_may_ask_for_another_token(world: World) -> None:
    old = await a_token(world)
    new = token_of(await come(world, old, f"<fast xmlns='{ns.FAST}' invalidate='true'/>{wish()}"))
    assert failure(await come(world, old)) == "not-authorized"
    assert local(await come(world, new)) == "success"


async def test_a_token_of_a_login_begun_before_the_password_changed_is_good_for_nothing(world: World) -> None:
    client, login = await secure(world), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
    challenge = await ask(client, authenticate("SCRAM-SHA-1", login.get_client_first().encode(), wish()))
    login.set_server_first(b64decode(challenge.text or "").decode())
    await world.host.set_password("alice", "another")
    final = b64encode(login.get_client_final().encode()).decode()
    token = token_of(await ask(client, f"<response xmlns='{ns.SASL2}'>{final}</response>"))
    assert failure(await come(world, token)) == "not-authorized"


async def test_a_token_of_a_login_begun_before_the_account_was_removed_opens_nobody_elses(world: World) -> None:
    """The name may be somebody else's by then."""
    client, login = await secure(world), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
    challenge = await ask(client, authenticate("SCRAM-SHA-1", login.get_client_first().encode(), wish()))
    login.set_server_first(b64decode(challenge.text or "").decode())
    await world.host.remove_account(JID.parse("alice@localhost"))
    final = b64encode(login.get_client_final().encode()).decode()
    token = token_of(await ask(client, f"<response xmlns='{ns.SASL2}'>{final}</response>"))
    assert failure(await come(world, token)) == "not-authorized"
    await world.host.create_account("alice", "hers now")
    assert failure(await come(world, token)) == "not-authorized"


async def test_keys_for_another_hash_leave_tokens_good(world: World) -> None:
    await world.host.accounts.create_many([("old", {"SHA-1": derive("pencil", "SHA-1")})])
    token = token_of(await scram(await secure(world), "old", "pencil", wish()))
    await world.host.accounts.add_keys("old", "SHA-256", derive("pencil", "SHA-256"))
    assert local(await come(world, token, user="old")) == "success"


async def test_who_has_no_account_gets_no_token() -> None:
    """A name for one session is not for the next one."""
    async with a_world(modules={}, auth={"mechanisms": ["ANONYMOUS"]}) as world:
        answer = await ask(await secure(world), authenticate("ANONYMOUS", None, wish()))
        assert local(answer) == "success"
        assert not token_of(answer)


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


async def test_2_3_where_none_are_given_any_more_none_is_taken(world: World) -> None:
    token = await a_token(world)
    auth = world.host.config.auth.model_copy(update={"token_lifetime": 0.0})
    world.host.config = replace(world.host.config, auth=auth)
    assert failure(await come(world, token)) == "invalid-mechanism"


async def test_nothing_secret_stands_in_what_is_logged(world: World) -> None:
    token = await a_token(world)
    found = await world.host.tokens.of("alice", PHONE, world.host.accounts.credentials)
    assert token in [each.secret for each in found]
    assert token not in repr(found)
    assert repr(world.host.house.secret) not in repr(world.host.house)
    assert "initial" not in repr(Request("PLAIN", b"password", "", "", None, None, None, "", ()))


async def test_an_account_has_tokens_for_so_many_clients(world: World) -> None:
    first = await a_token(world)
    for number in range(50):
        world.clock._now += 1
        await a_token(world, agent=f"00000000-0000-4000-8000-{number:012}")
    assert failure(await come(world, first)) == "not-authorized"
