"""Who asks too often."""

import pytest

from xmppd.modules.muc import recent
from xmppd.modules.muc.recent import Budget, Recent
from xmppd.testing import FakeClock
from xmppd.xmpp.errors import StanzaError


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_second_request_in_time_is_refused(clock: FakeClock) -> None:
    asked = Recent(clock)
    asked.check("alice", 60)
    asked.check("bob", 60)
    clock._now += 59
    with pytest.raises(StanzaError, match="resource-constraint: ask again in 2 seconds"):
        asked.check("alice", 60)
    clock._now += 1
    asked.check("alice", 60)
    with pytest.raises(StanzaError):
        asked.check("alice", 60)


def test_a_refused_request_does_not_make_the_wait_longer(clock: FakeClock) -> None:
    asked = Recent(clock)
    asked.check("alice", 60)
    for second in range(60):
        clock._now += 1
        if second < 59:
            with pytest.raises(StanzaError):
                asked.check("alice", 60)
    asked.check("alice", 60)


def test_a_budget_is_spent_and_fills_again(clock: FakeClock) -> None:
    budget = Budget(clock, 5, 0.5)
    budget.spend("alice", 4)
    with pytest.raises(StanzaError, match="in 3 seconds"):
        budget.spend("alice", 2)
    budget.spend("alice", 1)
    budget.spend("bob", 5)
    clock._now += 4
    budget.spend("alice", 2)
    with pytest.raises(StanzaError):
        budget.spend("alice", 1)
    clock._now += 1000
    with pytest.raises(StanzaError):
        budget.spend("alice", 6)
    budget.spend("alice", 5)


def test_what_is_remembered_is_bounded(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "REMEMBERED", 3)
    asked, budget = Recent(clock), Budget(clock, 1, 1)
    for who in range(10):
        asked.check(who, 60)
        budget.spend(who, 1)
    assert len(asked._next) == len(budget._buckets) == 3
