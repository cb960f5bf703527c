"""What unknown users seem to have: shapes of real accounts, as often as these have them, and for a name the same."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from tests.sasl.parties import TLS, plain
from xmppd.sasl import Challenge, Compute, Keys, Part, Pretence, SASLError, Shape, begin, shape_of
from xmppd.sasl.keys import HASHES, derive_all
from xmppd.sasl.pretence import SHAPES

SECRET: Final = b"a secret of the server"
DEFAULT: Final[Shape] = tuple(Part(hash, 4096, 16) for hash in HASHES)
IMPORTED: Final[Shape] = (Part("SHA-1", 10000, 12),)
STRONG: Final[Shape] = (Part("SHA-256", 20000, 16), Part("SHA-512", 30000, 18))
NAMES: Final = [f"user{number}" for number in range(2000)]


def pretence_of(counts: dict[Shape, int], secret: bytes = SECRET) -> Pretence:
    pretence = Pretence(secret)
    for shape, accounts in counts.items():
        pretence.count(shape, accounts)
    return pretence


def seen(keys: Keys) -> tuple[int, int]:
    """What a client is shown of keys."""
    return keys.iterations, len(keys.salt)


def shown(pretence: Pretence, hash: str) -> Counter[tuple[int, int]]:
    return Counter(seen(pretence.keys(name, hash)) for name in NAMES)


def share(pretence: Pretence, hash: str, answer: tuple[int, int]) -> float:
    return shown(pretence, hash)[answer] / len(NAMES)


def test_a_shape_is_what_can_be_asked_of_keys() -> None:
    assert shape_of(derive_all("pencil")) == DEFAULT
    assert shape_of({"SHA-1": Keys(bytes(12), 10000, bytes(20), bytes(20))}) == IMPORTED
    assert shape_of({}) == ()


@pytest.mark.parametrize("hash", HASHES)
def test_where_there_are_no_accounts_it_is_what_the_first_would_have(hash: str) -> None:
    pretence = Pretence(SECRET, 5000)
    assert shown(pretence, hash) == {(5000, 16): len(NAMES)}
    assert {hash: seen(keys) for hash, keys in pretence.credentials("nobody").items()} == {"SHA-256": (5000, 16)}
    pretence.iterations = 6000
    assert shown(pretence, hash) == {(6000, 16): len(NAMES)}


def test_each_shape_is_answered_as_often_as_accounts_have_it() -> None:
    pretence = pretence_of({DEFAULT: 60, IMPORTED: 30, STRONG: 10})
    assert share(pretence, "SHA-1", (10000, 12)) == pytest.approx(30 / 90, abs=0.04)
    assert share(pretence, "SHA-1", (4096, 16)) == pytest.approx(60 / 90, abs=0.04)
    assert share(pretence, "SHA-256", (20000, 16)) == pytest.approx(10 / 70, abs=0.03)
    assert share(pretence, "SHA-512", (30000, 18)) == pytest.approx(10 / 70, abs=0.03)
    compared = Counter(next(iter(pretence.credentials(name).items())) for name in NAMES)
    hashes = Counter((hash, keys.iterations) for hash, keys in compared.elements())
    assert hashes["SHA-1", 10000] / len(NAMES) == pytest.approx(0.3, abs=0.04)
    assert hashes["SHA-256", 4096] / len(NAMES) == pytest.approx(0.6, abs=0.04)
    assert hashes["SHA-256", 20000] / len(NAMES) == pytest.approx(0.1, abs=0.03)


def test_one_account_among_thousands_is_not_alone() -> None:
    pretence = pretence_of({DEFAULT: 1000, IMPORTED: 5})
    assert shown(pretence, "SHA-1")[10000, 12] > 0


def test_a_hash_that_no_account_has_is_answered_as_on_an_empty_host() -> None:
    assert shown(pretence_of({IMPORTED: 3}), "SHA-512") == {(4096, 16): len(NAMES)}


def test_asked_by_each_mechanism_a_name_is_one_account() -> None:
    """Who has the iterations of the imported ones for PLAIN has them for SCRAM-SHA-1."""
    pretence = pretence_of({DEFAULT: 50, IMPORTED: 50})
    for name in NAMES:
        ((hash, keys),) = pretence.credentials(name).items()
        assert pretence.keys(name, hash) == keys
        assert (hash == "SHA-1") == (seen(pretence.keys(name, "SHA-1")) == (10000, 12))


def test_the_same_name_has_the_same_keys_whoever_counts_in_whatever_order() -> None:
    once = pretence_of({DEFAULT: 50, IMPORTED: 50, STRONG: 7})
    again = pretence_of({STRONG: 7, IMPORTED: 50, DEFAULT: 50})
    other = pretence_of({STRONG: 7, IMPORTED: 50, DEFAULT: 50}, b"another secret")
    for hash in HASHES:
        assert [once.keys(name, hash) for name in NAMES] == [again.keys(name, hash) for name in NAMES]
        assert not {once.keys(name, hash).salt for name in NAMES} & {other.keys(name, hash).salt for name in NAMES}
    assert [once.credentials(name) for name in NAMES] == [again.credentials(name) for name in NAMES]


def test_a_shape_that_grows_takes_names_and_gives_none_back() -> None:
    """As real accounts go from an old shape to the new one, by a new password, and not from one old to another."""
    pretence = pretence_of({DEFAULT: 500, IMPORTED: 300, STRONG: 200})
    before = {name: seen(pretence.keys(name, "SHA-1")) for name in NAMES}
    pretence.count(DEFAULT, 10)
    changed = [name for name in NAMES if seen(pretence.keys(name, "SHA-1")) != before[name]]
    assert len(changed) < 20
    pretence.count(DEFAULT, 1000)
    changed = [name for name in NAMES if seen(pretence.keys(name, "SHA-1")) != before[name]]
    assert changed
    assert {seen(pretence.keys(name, "SHA-1")) for name in changed} == {(4096, 16)}


def test_a_name_whose_shape_changes_has_another_salt_as_one_with_a_new_password() -> None:
    pretence = pretence_of({DEFAULT: 1})
    old = pretence.keys("nobody", "SHA-1")
    pretence.count(DEFAULT, -1)
    pretence.count(tuple(part._replace(iterations=5000) for part in DEFAULT))
    assert pretence.keys("nobody", "SHA-1").salt != old.salt


@pytest.mark.parametrize("size", [12, 36, 64, 65, 200])
def test_salts_of_any_length(size: int) -> None:
    pretence = pretence_of({(Part("SHA-1", 4096, size),): 1})
    salts = {pretence.keys(name, "SHA-1").salt for name in NAMES}
    assert {len(salt) for salt in salts} == {size}
    assert len(salts) == len(NAMES)


def test_the_rarest_shape_gives_its_place_to_a_new_one() -> None:
    pretence = pretence_of({(Part("SHA-1", 5000 + number, 16),): 2 + number for number in range(SHAPES)})
    assert (5000, 16) in shown(pretence, "SHA-1")
    pretence.count(IMPORTED, 1000)
    assert (10000, 12) in shown(pretence, "SHA-1")
    assert (5000, 16) not in shown(pretence, "SHA-1")
    pretence.count((Part("SHA-1", 5000, 16),), -1)
    assert (5000, 16) not in shown(pretence, "SHA-1")


def test_an_account_without_keys_counts_for_nothing() -> None:
    assert shown(pretence_of({(): 5, IMPORTED: 1}), "SHA-1") == {(10000, 12): len(NAMES)}


# Asked by the mechanisms.


def challenge(pretence: Pretence, hash: str, user: str, credentials: dict[str, Keys] | None = None) -> str:
    """Salt and iterations as the client reads them."""
    mechanism = begin(f"SCRAM-{hash}", TLS, pretence)
    mechanism.receive(f"n,,n={user},r=abc".encode())
    outcome = mechanism.found(credentials)
    assert isinstance(outcome, Challenge)
    return outcome.payload.decode().split(",", 1)[1]


def test_scram_answers_for_an_unknown_name_what_is_pretended() -> None:
    pretence = pretence_of({DEFAULT: 5, IMPORTED: 5})
    answers = Counter(challenge(pretence, "SHA-1", name).rpartition("=")[2] for name in NAMES)
    assert answers["10000"] / len(NAMES) == pytest.approx(0.5, abs=0.05)
    assert answers["4096"] / len(NAMES) == pytest.approx(0.5, abs=0.05)


def test_an_account_that_lacks_the_hash_is_answered_as_an_unknown_one() -> None:
    pretence = pretence_of({DEFAULT: 5, IMPORTED: 5, STRONG: 5})
    own = {"SHA-1": Keys(bytes(12), 10000, bytes(20), bytes(20))}
    assert challenge(pretence, "SHA-1", "alice", own) == "s=AAAAAAAAAAAAAAAA,i=10000"
    for name in NAMES[:100]:
        assert challenge(pretence, "SHA-512", name, own) == challenge(pretence, "SHA-512", name)


def test_plain_computes_what_it_would_for_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: Counter[tuple[str, int, int]] = Counter()

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        costs[name, iterations, len(salt)] += 1
        return bytes(32)

    monkeypatch.setattr("hashlib.pbkdf2_hmac", counted)
    pretence = pretence_of({DEFAULT: 70, IMPORTED: 30})
    for name in NAMES:
        mechanism = begin("PLAIN", TLS, pretence)
        mechanism.receive(f"\0{name}\0wrong".encode())
        step = mechanism.found(None)
        assert isinstance(step, Compute)
        with pytest.raises(SASLError, match="not-authorized"):
            mechanism.computed(step.work())
    assert sum(costs.values()) == len(NAMES)
    assert costs["sha1", 10000, 12] / len(NAMES) == pytest.approx(0.3, abs=0.04)
    assert costs["sha256", 4096, 16] / len(NAMES) == pytest.approx(0.7, abs=0.04)


def test_who_is_known_is_compared_with_the_own_keys() -> None:
    assert plain("\0alice\0correct horse").user == "alice"
