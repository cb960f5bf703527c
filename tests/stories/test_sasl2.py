"""XEP-0388: SASL2, and XEP-0474 and XEP-0480, which stand on it."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import pbkdf2_hmac, sha1

import pytest

from tests.kit.client import Client
from tests.kit.login import say
from tests.kit.sasl2 import NAMES, ask, authenticate, find, local, plain, scram, text
from tests.kit.tls import secure
from tests.kit.world import World, a_world
from xmppd.sasl.keys import derive
from xmppd.xmpp import namespaces as ns

RESPONSE = f"<response xmlns='{ns.SASL2}'/>"
ABORT = f"<abort xmlns='{ns.SASL2}'/>"
NEXT = f"<next xmlns='{ns.SASL2}' task='UPGR-SCRAM-SHA-256'/>"
UPGRADE = f"<upgrade xmlns='{ns.UPGRADE}'>UPGR-SCRAM-SHA-256</upgrade>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as made:
        await made.account("alice")
        yield made


async def opened(world: World) -> Client:
    client = await world.dial()
    await client.open()
    return client


def failure(answer: object) -> str:
    assert local(answer) == "failure"  # type: ignore[arg-type]
    return local(answer[0])  # type: ignore[index]


# 2.1 Mechanisms are negotiated


async def test_the_feature_lists_the_mechanisms_that_are_possible_here(world: World) -> None:
    clear, hidden = await opened(world), await secure(world)
    assert clear.features is not None
    assert hidden.features is not None
    names = [each.text for each in clear.features.iterfind("sasl2:authentication/sasl2:mechanism", NAMES)]
    assert names == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]
    names = [each.text for each in hidden.features.iterfind("sasl2:authentication/sasl2:mechanism", NAMES)]
    assert "PLAIN" in names
    assert "SCRAM-SHA-256-PLUS" in names


async def test_where_tls_must_come_first_it_is_not_offered() -> None:
    door = {"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": "required"}
    async with a_world(modules={}, listen=[door]) as world:
        await world.account("alice")
        client = await opened(world)
        assert find(client.features, "sasl2:authentication") is None
        assert failure(await scram(client, "alice", "alice")) == "encryption-required"


# 2.3 A login


async def test_a_login_ends_with_the_account_and_features_without_a_new_stream(world: World) -> None:
    client = await opened(world)
    answer = await scram(client, "alice", "alice")
    assert text(answer, "sasl2:authorization-identifier") == "alice@localhost"
    assert client.features is not None
    assert client.features.tag == f"{{{ns.STREAM}}}features"
    assert find(client.features, f"{{{ns.BIND}}}bind") is not None
    assert find(client.features, "sasl2:authentication") is None
    await client.bind("phone")
    await client.ping()


async def test_plain_takes_one_message(world: World) -> None:
    client = await secure(world)
    answer = await ask(client, authenticate("PLAIN", plain("alice", "alice")))
    assert local(answer) == "success"
    assert find(answer, "sasl2:additional-data") is None


async def test_a_mechanism_that_was_not_offered_fails(world: World) -> None:
    client = await opened(world)
    assert failure(await ask(client, authenticate("PLAIN", plain("alice", "alice")))) == "encryption-required"
    assert failure(await ask(client, authenticate("BLURDYBLOOP", b"x"))) == "invalid-mechanism"
    assert failure(await ask(client, authenticate("SCRAM-SHA-1-PLUS", b"x"))) == "invalid-mechanism"


async def test_who_acts_for_another_than_the_stream_says_fails(world: World) -> None:
    client = await world.dial()
    client.host = "localhost' from='bob@localhost"
    await client.open()
    await client.secure()
    answer = await ask(client, authenticate("PLAIN", plain("alice", "alice", "alice@localhost")))
    assert failure(answer) == "invalid-authzid"


async def test_a_wrong_password_fails_and_the_next_try_may_succeed(world: World) -> None:
    client = await opened(world)
    assert failure(await scram(client, "alice", "wrong")) == "not-authorized"
    assert failure(await scram(client, "nobody", "wrong")) == "not-authorized"
    assert local(await scram(client, "alice", "alice")) == "success"


async def test_too_many_failures_end_the_stream() -> None:
    async with a_world(modules={}, limits={"max_failures_per_connection": 2}) as world:
        client = await opened(world)
        await scram(client, "nobody", "wrong")
        assert failure(await scram(client, "nobody", "wrong")) == "not-authorized"
        await client.receives_stream_error("policy-violation")


@pytest.mark.parametrize(
    ("request_", "condition"),
    [
        (RESPONSE, "malformed-request"),
        (ABORT, "aborted"),
        (f"<authenticate xmlns='{ns.SASL2}'/>", "invalid-mechanism"),
        (
            f"<authenticate xmlns='{ns.SASL2}' mechanism='SCRAM-SHA-1'><initial-response>?</initial-response>"
            "</authenticate>",
            "incorrect-encoding",
        ),
        (
            f"<authenticate xmlns='{ns.SASL2}' mechanism='SCRAM-SHA-1'><user-agent id='no uuid'/></authenticate>",
            "malformed-request",
        ),
        (authenticate("SCRAM-SHA-1", b"rubbish"), "malformed-request"),
    ],
)
async def test_what_cannot_be_read_fails(world: World, request_: str, condition: str) -> None:
    client = await opened(world)
    assert failure(await ask(client, request_)) == condition
    assert local(await scram(client, "alice", "alice")) == "success"


# 2.4 During authentication


@pytest.mark.parametrize(
    "other",
    [
        "<message/>",
        "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<other xmlns='urn:x'/>",
        authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"),
        NEXT,
        f"<task-data xmlns='{ns.SASL2}'/>",
    ],
)
async def test_in_the_middle_of_a_login_nothing_else_may_come(world: World, other: str) -> None:
    client = await opened(world)
    assert local(await ask(client, authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))) == "challenge"
    client.send(other)
    error = await client.receive()
    assert error.tag == f"{{{ns.STREAM}}}error"


async def test_a_client_may_abort(world: World) -> None:
    client = await opened(world)
    assert local(await ask(client, authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))) == "challenge"
    assert failure(await ask(client, ABORT)) == "aborted"
    assert failure(await ask(client, RESPONSE)) == "malformed-request"


async def test_the_two_profiles_do_not_mix(world: World) -> None:
    client = await opened(world)
    login = b64encode(b"n,,n=alice,r=abc").decode()
    assert local(await say(client, "auth", login, "SCRAM-SHA-1")) == "challenge"
    assert failure(await ask(client, RESPONSE)) == "malformed-request"


async def test_after_success_another_login_ends_the_stream(world: World) -> None:
    client = await opened(world)
    await scram(client, "alice", "alice")
    client.send(authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))
    await client.receives_stream_error("unsupported-stanza-type")


# XEP-0474


async def test_scram_signs_what_was_offered_where_it_is_configured() -> None:
    async with a_world(modules={}, auth={"downgrade_protection": True}) as world:
        await world.account("alice")
        client = await opened(world)
        challenge = await ask(client, authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))
        said = dict(part.split("=", 1) for part in b64decode(challenge.text or "").decode().split(","))
        offer = "\x1e".join(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
        assert b64decode(said["h"]) == sha1(offer.encode()).digest()
        await ask(client, ABORT)
        assert local(await scram(client, "alice", "alice")) == "success"


async def test_over_tls_the_types_of_binding_are_signed_too() -> None:
    async with a_world(modules={}, auth={"downgrade_protection": True}) as world:
        client = await secure(world)
        assert client.features is not None
        names = [each.text or "" for each in client.features.iterfind("sasl2:authentication/sasl2:mechanism", NAMES)]
        challenge = await ask(client, authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))
        said = dict(part.split("=", 1) for part in b64decode(challenge.text or "").decode().split(","))
        offer = "\x1e".join(sorted(names)) + "\x1ftls-server-end-point"
        assert b64decode(said["h"]) == sha1(offer.encode()).digest()


async def test_otherwise_scram_signs_no_offer(world: World) -> None:
    challenge = await ask(await opened(world), authenticate("SCRAM-SHA-1", b"n,,n=alice,r=abc"))
    assert b",h=" not in b64decode(challenge.text or "")


# XEP-0480


async def old_account(world: World) -> None:
    """An account as an old server has exported it: keys for SHA-1 only."""
    await world.host.accounts.create_many([("old", {"SHA-1": derive("pencil", "SHA-1")})])


async def test_an_account_without_keys_for_a_hash_gets_them_at_login(world: World) -> None:
    await old_account(world)
    client = await secure(world)
    assert "UPGR-SCRAM-SHA-256" in [each.text for each in client.features.iter(f"{{{ns.UPGRADE}}}upgrade")]  # type: ignore[union-attr]
    answer = await scram(client, "old", "pencil", UPGRADE)
    assert local(answer) == "continue"
    assert text(answer, "sasl2:tasks/sasl2:task") == "UPGR-SCRAM-SHA-256"
    task = await ask(client, NEXT)
    salt = find(task, "scram:salt")
    assert salt is not None
    salted = pbkdf2_hmac("sha256", b"pencil", b64decode(salt.text or ""), int(salt.get("iterations", "")))
    hash = f"<hash xmlns='urn:xmpp:scram-upgrade:0'>{b64encode(salted).decode()}</hash>"
    answer = await ask(client, f"<task-data xmlns='{ns.SASL2}'>{hash}</task-data>")
    assert text(answer, "sasl2:authorization-identifier") == "old@localhost"
    assert find(answer, "sasl2:additional-data") is None  # it stood in <continue/>
    again = await opened(world)
    assert (await say(again, "auth", b64encode(b"n,,n=old,r=abc").decode(), "SCRAM-SHA-256")).tag.endswith("challenge")
    assert await world.host.accounts.check_password("old", "pencil")  # which takes SHA-256 where it is there


async def test_6_in_the_clear_no_keys_are_taken(world: World) -> None:
    """Who overhears what the client computes could log in with it."""
    await old_account(world)
    client = await opened(world)
    assert find(client.features, "sasl2:authentication/upgrade:upgrade") is None
    assert local(await scram(client, "old", "pencil", UPGRADE)) == "success"


async def test_keys_that_are_there_are_not_replaced(world: World) -> None:
    assert local(await scram(await secure(world), "alice", "alice", UPGRADE)) == "success"


async def test_nothing_but_the_task_may_be_done_before_the_success(world: World) -> None:
    await old_account(world)
    client = await secure(world)
    await scram(client, "old", "pencil", UPGRADE)
    assert failure(await ask(client, f"<next xmlns='{ns.SASL2}' task='UPGR-SCRAM-SHA-512'/>")) == "malformed-request"
    await scram(client, "old", "pencil", UPGRADE)
    await ask(client, NEXT)
    short = "<hash xmlns='urn:xmpp:scram-upgrade:0'>AAAA</hash>"
    assert failure(await ask(client, f"<task-data xmlns='{ns.SASL2}'>{short}</task-data>")) == "malformed-request"
    assert "SHA-256" not in (await world.host.accounts.credentials("old") or {})


async def test_a_task_that_libxml2_refuses_ends_the_stream(world: World) -> None:
    await old_account(world)
    client = await secure(world)
    await scram(client, "old", "pencil", UPGRADE)
    await ask(client, NEXT)
    client.send(f"<task-data xmlns='{ns.SASL2}'><hash xmlns='%zz'/></task-data>")
    await client.receives_stream_error("policy-violation")


@pytest.mark.parametrize(
    "other", [RESPONSE, f"<task-data xmlns='{ns.SASL2}'/>", authenticate("PLAIN", plain("old", "pencil")), "<message/>"]
)
async def test_2_4_after_continue_nothing_but_its_task_may_come(world: World, other: str) -> None:
    await old_account(world)
    client = await secure(world)
    assert local(await scram(client, "old", "pencil", UPGRADE)) == "continue"
    client.send(other)
    error = await client.receive()
    assert error.tag == f"{{{ns.STREAM}}}error"


async def test_upgrades_can_be_switched_off() -> None:
    async with a_world(modules={}, auth={"upgrades": False}) as world:
        await old_account(world)
        client = await secure(world)
        assert find(client.features, "sasl2:authentication/upgrade:upgrade") is None
        assert local(await scram(client, "old", "pencil", UPGRADE)) == "success"
