"""Buckets: so many at once, then at a rate."""

from xmppd.rates import REMEMBERED, Bucket, Buckets


def test_a_bucket_lets_so_many_through_at_once_and_then_at_its_rate() -> None:
    bucket = Bucket()
    assert [bucket.take(2, 0.0) for _ in range(3)] == [True, True, False]
    assert bucket.take(2, 0.25) is False
    assert bucket.take(2, 0.5) is True
    assert [bucket.take(2, 100.0) for _ in range(3)] == [True, True, False]


def test_a_slow_bucket_lets_one_through_now_and_then() -> None:
    bucket = Bucket()
    assert [bucket.take(0.1, now) for now in (0.0, 5.0, 9.0, 10.1)] == [True, False, False, True]


def test_one_comes_through_whatever_may_come_at_once() -> None:
    bucket = Bucket()
    assert [bucket.take(0.1, now, 0.2) for now in (0.0, 5.0, 10.0)] == [True, False, True]


def test_several_are_taken_whole_or_not_at_all() -> None:
    bucket = Bucket()
    assert [bucket.take(0.5, 0.0, 5, number) for number in (4, 2, 1)] == [True, False, True]
    assert bucket.wait(0.5, 2) == 4
    assert bucket.take(0.5, 4.0, 5, 2)
    assert not bucket.take(0.5, 1000.0, 5, 6)
    assert bucket.wait(0.5, 5) == 0


def test_a_rate_of_nought_lets_everything_through() -> None:
    assert all(Bucket().take(0, 0.0) for _ in range(100))
    assert all(Buckets[str]().take("alice", 0, 0.0) for _ in range(100))


def test_each_has_a_bucket_of_its_own() -> None:
    buckets = Buckets[str]()
    assert [buckets.take("alice", 1, 0.0, 2) for _ in range(3)] == [True, True, False]
    assert buckets.wait("alice", 1) == 1
    assert buckets.take("bob", 1, 0.0, 2)
    assert buckets.take("alice", 1, 1.0, 2)


def test_who_has_been_quiet_for_longest_is_forgotten_first() -> None:
    buckets = Buckets[str]()
    assert [buckets.take("alice", 1, 0.0) for _ in range(2)] == [True, False]
    for number in range(REMEMBERED - 1):
        buckets.take(f"user{number}", 1, 0.0)
    assert not buckets.take("alice", 1, 0.0)
    for number in range(REMEMBERED):
        buckets.take(f"other{number}", 1, 0.0)
    assert len(buckets) == REMEMBERED
    assert buckets.take("alice", 1, 0.0)


def test_those_who_are_gone_are_forgotten() -> None:
    buckets = Buckets[str]()
    for who in ("alice", "bob"):
        buckets.take(who, 1, 0.0)
    buckets.keep({"alice"})
    assert not buckets.take("alice", 1, 0.0)
    assert buckets.take("bob", 1, 0.0)
