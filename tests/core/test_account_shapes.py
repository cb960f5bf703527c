"""Unknown users seem to have what the host's accounts have: counted at the start, and kept up to date."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.storage.conftest import url  # noqa: F401 - a fixture
from xmppd.accounts import Accounts
from xmppd.sasl import HASHES, Challenge, Context, Keys, begin, derive
from xmppd.sasl.keys import SIZES
from xmppd.storage import Storage, open_storage

FAKE = b"a secret"
HOST = "example.org"
SECRET = "pencil"  # noqa: S105
NAMES = [f"nobody{number}" for number in range(1000)]


@pytest.fixture
async def storage(url: str, tmp_path: Path) -> AsyncIterator[Storage]:  # noqa: F811 - the fixture
    storage = await open_storage(url, tmp_path)
    yield storage
    await storage.close()


async def started(storage: Storage, iterations: int = 4096, host: str = HOST) -> Accounts:
    """The host's accounts as after a restart."""
    accounts = Accounts(host, storage, iterations, FAKE)
    await accounts.prepare()
    return accounts


def keys(hash: str, iterations: int = 4096, salt: int = 16) -> Keys:
    size = SIZES[hash]
    return Keys(secrets.token_bytes(salt), iterations, secrets.token_bytes(size), secrets.token_bytes(size))


def of_all(iterations: int = 4096) -> dict[str, Keys]:
    return {hash: keys(hash, iterations) for hash in HASHES}


def of_sha_1() -> dict[str, Keys]:
    return {"SHA-1": keys("SHA-1", 10000, 12)}


async def answer(accounts: Accounts, hash: str, user: str) -> tuple[str, str]:
    """Salt and iterations as SCRAM tells them to a client that names this user."""
    mechanism = begin(f"SCRAM-{hash}", Context(HOST, secure=True), accounts.pretence)
    mechanism.receive(f"n,,n={user},r=abc".encode())
    outcome = mechanism.found(await accounts.credentials(user))
    assert isinstance(outcome, Challenge)
    _, salt, iterations = outcome.payload.decode().split(",")
    return salt, iterations


async def answers(accounts: Accounts) -> list[tuple[str, str]]:
    return [await answer(accounts, hash, name) for hash in HASHES for name in NAMES]


async def share(accounts: Accounts, hash: str, salt: int, iterations: int) -> float:
    """How many of the unknown are answered so; `salt` in characters of base64."""
    counts = Counter((len(salt), told) for salt, told in [await answer(accounts, hash, name) for name in NAMES])
    return counts[salt + 2, f"i={iterations}"] / len(NAMES)


async def test_what_was_imported_is_answered_as_often_as_it_is_there(storage: Storage) -> None:
    accounts = await started(storage)
    await accounts.create_many([(f"old{number}", of_sha_1()) for number in range(30)])
    await accounts.create_many([(f"new{number}", of_all()) for number in range(70)])
    for known in (accounts, await started(storage)):
        assert await share(known, "SHA-1", 16, 10000) == pytest.approx(0.3, abs=0.06)
        assert await share(known, "SHA-1", 24, 4096) == pytest.approx(0.7, abs=0.06)
        assert await share(known, "SHA-256", 24, 4096) == 1
        assert await share(known, "SHA-512", 24, 4096) == 1


async def test_a_name_is_answered_the_same_after_a_restart(storage: Storage) -> None:
    accounts = await started(storage)
    await accounts.create_many([(f"old{number}", of_sha_1()) for number in range(5)])
    await accounts.create_many([(f"new{number}", of_all()) for number in range(5)])
    assert await answers(accounts) == await answers(accounts) == await answers(await started(storage))


@pytest.mark.parametrize("salt", [12, 13, 14, 15, 16, 36, 64])
@pytest.mark.parametrize("iterations", [4096, 99_999, 1_000_000])
async def test_what_the_database_counts_is_what_was_stored(storage: Storage, salt: int, iterations: int) -> None:
    accounts = await started(storage)
    await accounts.create_many([("alice", {hash: keys(hash, iterations, salt) for hash in HASHES})])
    later = await started(storage)
    for hash in HASHES:
        pretended = later.pretence.keys("nobody", hash)
        assert (pretended.iterations, len(pretended.salt)) == (iterations, salt)
        assert pretended == accounts.pretence.keys("nobody", hash)


async def test_plain_computes_for_unknown_users_what_accounts_cost(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = await started(storage)
    await accounts.create_many([(f"old{number}", of_sha_1()) for number in range(5)])
    await accounts.create_many([(f"new{number}", of_all()) for number in range(5)])
    costs: Counter[tuple[str, int]] = Counter()

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        costs[name, iterations] += 1
        return bytes(32)

    monkeypatch.setattr("hashlib.pbkdf2_hmac", counted)
    for name in NAMES[:300]:
        assert not await accounts.check_password(name, SECRET)
    assert sum(costs.values()) == 300
    assert costs["sha1", 10000] / 300 == pytest.approx(0.5, abs=0.1)
    assert costs["sha256", 4096] / 300 == pytest.approx(0.5, abs=0.1)


async def test_after_a_change_of_scram_iterations_unknown_users_are_as_old_as_accounts(storage: Storage) -> None:
    accounts = await started(storage)
    await accounts.create_many([(f"old{number}", of_all()) for number in range(45)])
    before = await answers(accounts)
    accounts.iterations = 10000
    assert await answers(accounts) == before == await answers(await started(storage, 10000))
    for number in range(5):
        await accounts.create(f"new{number}", SECRET)
    assert await share(accounts, "SHA-256", 24, 4096) == pytest.approx(0.9, abs=0.05)
    assert await share(accounts, "SHA-256", 24, 10000) == pytest.approx(0.1, abs=0.05)


async def test_an_empty_host_answers_what_its_first_account_would_have(storage: Storage) -> None:
    accounts = await started(storage, 5000)
    before = await answers(accounts)
    assert {iterations for _, iterations in before} == {"i=5000"}
    await accounts.create("alice", SECRET)
    assert await answers(accounts) == before


async def test_what_changes_is_counted_as_a_restart_would(storage: Storage) -> None:
    accounts = await started(storage)
    await accounts.create_many([(f"old{number}", of_sha_1()) for number in range(3)])
    accounts.iterations = 5000
    seen = [await answers(accounts)]

    async def differs() -> None:
        now = await answers(accounts)
        assert now not in seen
        assert now == await answers(await started(storage, 5000))
        seen.append(now)

    await accounts.create("alice", SECRET)
    await differs()
    await accounts.set_password("old0", SECRET)
    await differs()
    await accounts.add_keys("old1", "SHA-256", derive(SECRET, "SHA-256", 6000))
    await differs()
    await accounts.remove("old2")
    await differs()


async def test_what_changes_nothing_counts_for_nothing(storage: Storage) -> None:
    accounts = await started(storage)
    await accounts.create_many([("alice", of_all()), ("bob", of_sha_1())])
    before = await answers(accounts)
    await accounts.create_many([("alice", of_sha_1()), ("ALICE", of_sha_1())])
    await accounts.add_keys("alice", "SHA-1", keys("SHA-1", 9000))
    await accounts.add_keys("nobody", "SHA-1", keys("SHA-1", 9000))
    assert await answers(accounts) == before


async def test_hosts_count_their_own_accounts_and_share_no_salt(storage: Storage) -> None:
    """One who had the same salt on both would have an account on neither."""
    accounts = await started(storage)
    other = await started(storage, host="example.com")
    assert accounts.pretence.keys("nobody", "SHA-1").salt != other.pretence.keys("nobody", "SHA-1").salt
    await accounts.create_many([("alice", of_sha_1())])
    later = await started(storage, host="example.com")
    assert await share(later, "SHA-1", 24, 4096) == 1


@pytest.mark.parametrize("text", ["", "secret", "SCRAM-SHA-1$9999:$x", "SCRAM-SHA-1$9999:" + "$" * 400, "é" * 300])
async def test_what_another_hand_has_written_stops_nothing(storage: Storage, text: str) -> None:
    accounts = await started(storage)
    await accounts.create_many([("alice", of_sha_1()), ("bob", of_sha_1()), ("carol", of_sha_1())])
    sql = "UPDATE accounts SET scram_sha_1 = ? WHERE host = ? AND name <> 'alice'"
    await storage.write((sql, (text, HOST)))
    later = await started(storage)
    await later.set_password("bob", SECRET)
    await later.remove("carol")
    assert await later.check_password("bob", SECRET)
    assert not await later.check_password("nobody", SECRET)
