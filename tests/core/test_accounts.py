"""Accounts of a host: made, asked for, changed, removed, imported; and the memory of who exists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from xmppd.accounts import Accounts
from xmppd.accounts import accounts as module
from xmppd.sasl import HASHES, Keys, derive, matches
from xmppd.storage import Commit, Row, Storage, open_storage
from xmppd.xmpp.errors import StanzaError

ITERATIONS = 4096
FAKE = b"a secret"
SECRET = "pencil"  # noqa: S105


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await open_storage("sqlite", tmp_path)
    yield storage
    await storage.close()


@pytest.fixture
async def accounts(storage: Storage) -> Accounts:
    accounts = Accounts("example.org", storage, ITERATIONS, FAKE)
    await accounts.prepare()
    return accounts


async def test_an_account_is_made_and_its_password_known(accounts: Accounts) -> None:
    await accounts.create("Alice", SECRET)
    assert await accounts.exists("alice")
    assert await accounts.check_password("alice", SECRET)
    assert await accounts.check_password("ALICE", SECRET)
    assert not await accounts.check_password("alice", "pen")
    assert not await accounts.check_password("bob", SECRET)


async def test_keys_of_each_hash_are_kept_and_no_password(accounts: Accounts, storage: Storage) -> None:
    await accounts.create("alice", SECRET)
    credentials = await accounts.credentials("alice")
    assert credentials is not None
    assert list(credentials) == list(HASHES)
    for hash, keys in credentials.items():
        assert keys.iterations == ITERATIONS
        assert matches(SECRET, {hash: keys})
    assert SECRET not in str(await storage.fetch("SELECT * FROM accounts"))


async def test_nobody_has_no_credentials(accounts: Accounts) -> None:
    assert await accounts.credentials("nobody") is None


async def test_a_name_is_given_once(accounts: Accounts) -> None:
    await accounts.create("alice", SECRET)
    with pytest.raises(StanzaError, match="conflict"):
        await accounts.create("ALICE", "another")
    assert await accounts.check_password("alice", SECRET)


async def test_a_name_is_given_once_even_where_two_ask_at_once(accounts: Accounts, storage: Storage) -> None:
    """The other server process, or a second request while the first one hashes, has been quicker."""
    assert not await accounts.exists("alice")
    await Accounts("example.org", storage, ITERATIONS, FAKE).create("alice", "the quicker")
    with pytest.raises(StanzaError, match="conflict"):
        await accounts.create("alice", SECRET)
    assert await accounts.check_password("alice", "the quicker")


@pytest.mark.parametrize(("user", "password"), [("alice", ""), ("alice", "\u0007"), ("alice", "x" * 1024)])
async def test_passwords_nobody_can_have(accounts: Accounts, user: str, password: str) -> None:
    with pytest.raises(StanzaError, match="not-acceptable"):
        await accounts.create(user, password)
    assert await accounts.names() == []


@pytest.mark.parametrize("user", ["", "a@b", "a/b", "a b", "a\0b", "x" * 1024, "\ud800", "'", "\U0001f600", "a:b"])
async def test_names_nobody_can_have(accounts: Accounts, user: str) -> None:
    with pytest.raises(StanzaError, match="not-acceptable"):
        await accounts.create(user, SECRET)


async def test_a_password_is_changed(accounts: Accounts) -> None:
    await accounts.create("alice", SECRET)
    await accounts.set_password("alice", "crayon")
    assert await accounts.check_password("alice", "crayon")
    assert not await accounts.check_password("alice", SECRET)
    with pytest.raises(StanzaError, match="not-acceptable"):
        await accounts.set_password("alice", "")
    with pytest.raises(StanzaError, match="item-not-found"):
        await accounts.set_password("bob", SECRET)
    assert not await accounts.exists("bob")


async def test_an_account_is_removed_and_may_be_made_again(accounts: Accounts) -> None:
    await accounts.create("alice", SECRET)
    await accounts.remove("Alice")
    assert not await accounts.exists("alice")
    assert await accounts.credentials("alice") is None
    with pytest.raises(StanzaError, match="item-not-found"):
        await accounts.remove("alice")
    await accounts.create("alice", "crayon")
    assert await accounts.check_password("alice", "crayon")


async def test_hosts_do_not_know_each_others_accounts(accounts: Accounts, storage: Storage) -> None:
    other = Accounts("example.com", storage, ITERATIONS, FAKE)
    await other.prepare()
    await accounts.create("alice", SECRET)
    assert not await other.exists("alice")
    await other.create("alice", "another")
    await other.remove("alice")
    assert await accounts.check_password("alice", SECRET)
    assert (await accounts.names(), await other.names()) == (["alice"], [])


async def test_names_come_in_pages(accounts: Accounts) -> None:
    assert await accounts.names() == []
    await accounts.create_many((name, {}) for name in ["dora", "alice", "carol", "bob"])
    assert await accounts.names() == ["alice", "bob", "carol", "dora"]
    assert await accounts.names(limit=2) == ["alice", "bob"]
    assert await accounts.names("bob", 2) == ["carol", "dora"]


async def test_accounts_outlive_the_process(accounts: Accounts, storage: Storage) -> None:
    await accounts.create("alice", SECRET)
    later = Accounts("example.org", storage, ITERATIONS, FAKE)
    await later.prepare()
    assert await later.check_password("alice", SECRET)


async def test_too_few_iterations_are_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match="scram_iterations: at least 4096"):
        Accounts("example.org", storage, 4095, FAKE)


# The memory of who exists.


class Counted:
    """A storage that counts reads, and waits with them where told so."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.reads = 0
        self.before_answer: Accounts | None = None

    async def look(self, sql: str, *parameters: Any) -> Row | None:
        self.reads += 1
        row = await self._storage.look(sql, *parameters)
        if self.before_answer is not None:
            overtaking, self.before_answer = self.before_answer, None
            await overtaking.create_many([("alice", {})])
        return row

    def write(self, *statements: tuple[str, Sequence[Any]]) -> Commit:
        return self._storage.write(*statements)


@pytest.fixture
def counted(storage: Storage) -> Counted:
    return Counted(storage)


@pytest.fixture
def remembering(accounts: Accounts, counted: Counted) -> Accounts:
    return Accounts("example.org", counted, ITERATIONS, FAKE)  # type: ignore[arg-type]


async def test_who_exists_is_remembered(remembering: Accounts, counted: Counted) -> None:
    assert remembering.known("alice") is None
    assert not await remembering.exists("alice")
    assert remembering.known("alice") is False
    await remembering.create_many([("alice", {})])
    assert remembering.known("alice") is True
    assert await remembering.exists("alice")
    await remembering.remove("alice")
    assert remembering.known("alice") is False
    assert counted.reads == 1


async def test_an_answer_overtaken_by_the_making_of_the_account_is_not_remembered(
    remembering: Accounts, counted: Counted
) -> None:
    counted.before_answer = remembering
    assert not await remembering.exists("alice")
    assert remembering.known("alice") is True


async def test_credentials_are_read_each_time_for_known_and_unknown_alike(
    remembering: Accounts, counted: Counted
) -> None:
    await remembering.create_many([("alice", {})])
    for _ in range(2):
        await remembering.credentials("alice")
        await remembering.credentials("nobody")
    assert counted.reads == 4


async def test_the_memory_is_bounded(remembering: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ABSENT", 2)
    monkeypatch.setattr(module, "PRESENT", 2)
    await remembering.create_many([("alice", {}), ("bob", {})])
    for name in ("x", "y", "z"):
        await remembering.exists(name)
    assert [remembering.known(name) for name in ("alice", "bob", "x", "y", "z")] == [True, True, None, False, False]
    await remembering.create_many([("carol", {})])
    assert [remembering.known(name) for name in ("alice", "bob", "carol")] == [None, True, True]
    assert await remembering.exists("alice")


# Import.


async def test_many_are_made_at_once(accounts: Accounts) -> None:
    imported = await accounts.create_many((f"user{number}", SECRET) for number in range(300))
    assert (imported.created, imported.existing, imported.refused) == (300, [], [])
    assert len(await accounts.names()) == 300
    assert await accounts.check_password("user299", SECRET)


async def test_ready_keys_are_taken_as_they_are(accounts: Accounts) -> None:
    keys = derive(SECRET, "SHA-1", 5000)
    await accounts.create_many([("alice", {"SHA-1": keys})])
    assert await accounts.credentials("alice") == {"SHA-1": keys}
    assert await accounts.check_password("alice", SECRET)


async def test_an_import_says_what_became_of_each(accounts: Accounts) -> None:
    await accounts.create("bob", "his own")
    weak = Keys(bytes(16), 10, bytes(20), bytes(20))
    imported = await accounts.create_many(
        [
            ("alice", SECRET),
            ("Alice", "twice"),
            ("bob", SECRET),
            ("a b", SECRET),
            ("carol", ""),
            ("dora", {"SHA-1": weak}),
        ]
    )
    assert imported.created == 1
    assert imported.existing == ["alice", "bob"]
    assert [name for name, _ in imported.refused] == ["a b", "carol", "dora"]
    assert "iterations" in imported.refused[2][1]
    assert await accounts.check_password("alice", SECRET)
    assert await accounts.check_password("bob", "his own")


async def test_an_import_of_nothing(accounts: Accounts) -> None:
    assert (await accounts.create_many([])).created == 0
    assert (await accounts.create_many([("a b", SECRET)])).created == 0
