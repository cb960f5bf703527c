"""Buckets: so many at once, then at a rate."""

from xmppd.modules.muc.rates import REMEMBERED, Bucket, Buckets
from xmppd.xmpp.jid import JID

ALICE = JID.parse("alice@localhost")


def test_a_bucket_lets_so_many_through_at_once_and_then_at_its_rate() -> None:
    bucket = Bucket()
    assert [bucket.take(2, 0.0) for _ in range(3)] == [True, True, False]
    assert bucket.take(2, 0.25) is False
    assert bucket.take(2, 0.5) is True
    assert [bucket.take(2, 100.0) for _ in range(3)] == [True, True, False]


def test_a_slow_bucket_lets_one_through_now_and_then() -> None:
    bucket = Bucket()
    assert [bucket.take(0.1, now) for now in (0.0, 5.0, 9.0, 10.1)] == [True, False, False, True]


def test_a_rate_of_nought_lets_everything_through() -> None:
    assert all(Bucket().take(0, 0.0) for _ in range(100))
    assert all(Buckets().take(ALICE, 0, 0, 0.0) for _ in range(100))


def test_each_account_has_a_bucket_of_its_own() -> None:
    buckets = Buckets()
    assert [buckets.take(ALICE, 1, 2, 0.0) for _ in range(3)] == [True, True, False]
    assert buckets.take(JID.parse("bob@localhost"), 1, 2, 0.0)
    assert buckets.take(ALICE, 1, 2, 1.0)


def test_who_has_been_quiet_for_longest_is_forgotten_first() -> None:
    buckets = Buckets()
    assert [buckets.take(ALICE, 1, 1, 0.0) for _ in range(2)] == [True, False]
    for number in range(REMEMBERED - 1):
        buckets.take(JID.parse(f"user{number}@localhost"), 1, 1, 0.0)
    assert not buckets.take(ALICE, 1, 1, 0.0)
    for number in range(REMEMBERED):
        buckets.take(JID.parse(f"other{number}@localhost"), 1, 1, 0.0)
    assert buckets.take(ALICE, 1, 1, 0.0)
