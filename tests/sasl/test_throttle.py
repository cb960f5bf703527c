"""The throttle: who guesses waits, who mistypes hardly, and nobody can lock out another."""

from __future__ import annotations

import pytest

from xmppd.sasl.throttle import Patience, Throttle

OFFICE, HOME = "192.0.2.1", "198.51.100.7"
ALICE = "alice@example.org"


def fail(
    throttle: Throttle, times: int, *, address: str = OFFICE, account: str | None = ALICE, now: float = 0.0
) -> None:
    for _ in range(times):
        throttle.failed(address, account, now)


def test_a_few_mistakes_are_free() -> None:
    throttle = Throttle()
    fail(throttle, 19)
    assert throttle.wait(OFFICE, ALICE, 0.0) == 0.0


def test_then_the_wait_doubles_up_to_a_limit() -> None:
    throttle = Throttle()
    fail(throttle, 20)
    waits = []
    for _ in range(12):
        waits.append(throttle.wait(OFFICE, ALICE, 0.0))
        fail(throttle, 1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_a_wait_ends_and_an_old_failure_is_forgotten() -> None:
    throttle = Throttle()
    fail(throttle, 22)
    assert throttle.wait(OFFICE, ALICE, 3.0) == 1.0
    assert throttle.wait(OFFICE, ALICE, 4.0) == 0.0
    fail(throttle, 1, now=905.0)
    assert throttle.wait(OFFICE, ALICE, 905.0) == 0.0


def test_other_users_of_the_address_go_on_until_it_has_failed_for_many() -> None:
    throttle = Throttle()
    fail(throttle, 59)
    assert throttle.wait(OFFICE, "bob@example.org", 0.0) == 0.0
    fail(throttle, 1)
    assert throttle.wait(OFFICE, "bob@example.org", 0.0) == 1.0
    assert throttle.wait(OFFICE, None, 0.0) == 1.0
    assert throttle.wait(HOME, None, 0.0) == 0.0


def test_guessing_many_names_from_one_address() -> None:
    throttle = Throttle()
    for number in range(60):
        throttle.failed(OFFICE, f"user{number}@example.org", 0.0)
    assert throttle.wait(OFFICE, "user99@example.org", 0.0) == 1.0


def test_nobody_is_locked_out_from_another_address() -> None:
    throttle = Throttle()
    fail(throttle, 1000)
    assert throttle.wait(OFFICE, ALICE, 0.0) == 300.0
    assert throttle.wait(HOME, ALICE, 0.0) == 0.0


def test_an_account_guessed_at_from_all_over_leaves_each_address_one_try() -> None:
    throttle = Throttle()
    for number in range(51):
        throttle.failed(f"203.0.113.{number}", ALICE, 0.0)
    assert throttle.wait(HOME, ALICE, 0.0) == 0.0
    fail(throttle, 1, address=HOME)
    assert throttle.wait(HOME, ALICE, 0.0) == 1.0
    assert throttle.wait(HOME, "bob@example.org", 0.0) == 0.0


def test_success_clears_the_account_but_not_the_address() -> None:
    throttle = Throttle(Patience(per_address=8))
    fail(throttle, 7)
    throttle.succeeded(OFFICE, ALICE)
    assert throttle.wait(OFFICE, ALICE, 0.0) == 0.0
    fail(throttle, 1, account="mallory@example.org")
    throttle.succeeded(OFFICE, "mallory@example.org")
    assert throttle.wait(OFFICE, ALICE, 0.0) == 1.0


def test_success_ends_the_alarm_of_the_account() -> None:
    throttle = Throttle(Patience(per_account=10))
    for number in range(11):
        throttle.failed(f"203.0.113.{number}", ALICE, 0.0)
    throttle.succeeded(HOME, ALICE)
    fail(throttle, 1, address="203.0.113.99")
    assert throttle.wait("203.0.113.99", ALICE, 0.0) == 0.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    throttle = Throttle()
    fail(throttle, 60, address=one, account=None)
    assert (throttle.wait(other, None, 0.0) > 0.0) is same


def test_tables_are_bounded_and_forget_the_oldest() -> None:
    throttle = Throttle(Patience(size=3, per_address=1))
    for number in range(4):
        throttle.failed(f"203.0.113.{number}", None, 0.0)
        throttle.failed("203.0.113.0", None, 0.0)
    assert throttle.wait("203.0.113.0", None, 0.0) > 0.0
    assert throttle.wait("203.0.113.1", None, 0.0) == 0.0
    assert throttle.wait("203.0.113.3", None, 0.0) > 0.0


def test_very_many_failures_are_no_trouble() -> None:
    throttle = Throttle()
    fail(throttle, 5000)
    assert throttle.wait(OFFICE, ALICE, 0.0) == 300.0
