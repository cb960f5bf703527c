"""Counting what each origin says, and finding what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from xmppd.client.bus.hearing import Hearing
from xmppd.client.bus.invalidation import Invalidation
from xmppd.client.bus.lease import Lease
from xmppd.client.bus.options import Settings
from xmppd.client.bus.sequences import MOST_ORIGINS, Sequences
from xmppd.client.bus.wire import Heard, Kind, Mark


def mark(seq: int, epoch: str = "1", origin: str = "web1") -> Mark:
    return Mark(origin, epoch, seq)


class TestSequences:
    """The counts alone."""

    def test_one_after_the_other(self) -> None:
        sequences = Sequences()
        assert [sequences.take(mark(seq)) for seq in (7, 8, 9, 8, 9, 10)] == [True] * 6

    def test_a_hole(self) -> None:
        sequences = Sequences()
        assert sequences.take(mark(7))
        assert not sequences.take(mark(9))
        assert sequences.take(mark(8))
        assert sequences.take(mark(9))

    def test_a_new_epoch_begins_with_one(self) -> None:
        sequences = Sequences()
        assert sequences.take(mark(7))
        assert not sequences.take(mark(2, "2"))
        assert sequences.take(mark(1, "2"))

    def test_a_beat_shows_that_the_last_message_was_lost(self) -> None:
        sequences = Sequences()
        assert sequences.take(mark(7))
        assert sequences.agrees(mark(7))
        assert not sequences.agrees(mark(8))

    def test_a_beat_of_a_new_epoch(self) -> None:
        sequences = Sequences()
        assert sequences.take(mark(7))
        assert not sequences.agrees(mark(1, "2"))
        assert sequences.agrees(mark(0, "2"))
        assert not sequences.take(mark(2, "2"))

    def test_who_was_here_before_us_begins_anywhere(self) -> None:
        sequences = Sequences()
        assert not sequences.behind(mark(3))
        assert sequences.take(mark(500))
        assert not sequences.behind(mark(3))
        assert sequences.behind(mark(501))

    def test_origins_are_bounded(self) -> None:
        sequences = Sequences()
        for number in range(MOST_ORIGINS + 10):
            sequences.take(mark(1, origin=str(number)))
        assert len(sequences._known) == MOST_ORIGINS


class TestHearing:
    """What the room says, with an archive beside it."""

    @pytest.fixture
    def applied(self) -> list[str]:
        return []

    @pytest.fixture
    def holes(self) -> list[None]:
        return []

    @pytest.fixture
    def hearing(self, applied: list[str], holes: list[None]) -> Hearing:
        def apply(message: Heard) -> None:
            applied.extend(message.invalidation.keys)

        hearing = Hearing(apply, lambda: holes.append(None))
        assert hearing.resume()
        return hearing

    def said(self, seq: int, **others: Any) -> Heard:
        what = Invalidation(keys=frozenset({str(seq)}))
        return Heard("invalidate", "room/web1", mark(seq), what, archived=f"id{seq}", **others)

    def test_what_follows_a_hole_is_applied_at_once(
        self, hearing: Hearing, applied: list[str], holes: list[None]
    ) -> None:
        for seq in (1, 3, 4):
            hearing.heard(self.said(seq))
        assert (applied, len(holes), hearing.following) == (["1", "3", "4"], 1, False)

    def test_the_archive_fills_it(self, hearing: Hearing, applied: list[str]) -> None:
        for seq in (1, 3, 4):
            hearing.heard(self.said(seq))
        for seq in (1, 2):
            hearing.found(f"id{seq}", self.said(seq))
        assert hearing.resume()
        assert applied == ["1", "3", "4", "1", "2"]
        assert (hearing.anchors.older, hearing.anchors.younger) == ("id3", "id4")

    def test_the_archive_does_not_fill_it(self, hearing: Hearing) -> None:
        for seq in (1, 4):
            hearing.heard(self.said(seq))
        hearing.found("id2", self.said(2))
        assert not hearing.resume()
        assert hearing.following
        hearing.heard(self.said(5))
        assert hearing.following

    @pytest.mark.parametrize("kind", ["beat", "here", "invalidate"])
    def test_who_had_not_spoken_yet_when_it_was_cut_off(self, hearing: Hearing, kind: Kind) -> None:
        hearing.heard(Heard("here", "room/web1", mark(3)))
        hearing.pause()
        hearing.heard(Heard(kind, "room/web1", mark(5)))
        assert not hearing.resume()
        hearing.heard(self.said(6))
        assert hearing.following

    def test_who_had_not_spoken_yet_and_still_has_not(self, hearing: Hearing) -> None:
        hearing.heard(Heard("here", "room/web1", mark(3)))
        hearing.pause()
        hearing.heard(Heard("here", "room/web1", mark(3)))
        hearing.heard(Heard("beat", "room/web1", mark(3)))
        assert hearing.resume()

    def test_history_is_applied_and_not_counted(self, hearing: Hearing, applied: list[str]) -> None:
        hearing.heard(self.said(7))
        hearing.heard(self.said(3, delayed=True))
        hearing.heard(self.said(50, delayed=True))
        assert hearing.following
        assert applied == ["7", "3", "50"]
        assert hearing.anchors.younger == "id7"


class TestALease:
    """For how long a member is sure."""

    def test_it_begins_when_something_was_sent_that_came_back(self) -> None:
        now = 100.0
        lease = Lease(10, lambda: now)
        lease.open()
        assert not lease.sure
        lease.renew(95.0)
        assert lease.sure
        now = 104.9
        assert lease.sure
        now = 105.0
        assert not lease.sure
        assert lease.expired

    def test_an_older_one_does_not_shorten_it(self) -> None:
        lease = Lease(10, lambda: 100.0)
        lease.renew(95.0)
        lease.renew(80.0)
        lease.open()
        assert lease.sure

    def test_it_is_shut_at_once(self) -> None:
        lease = Lease(10, lambda: 100.0)
        lease.renew(95.0)
        lease.open()
        lease.shut()
        assert not lease.sure
        assert not lease.expired


class TestSettings:
    """What cannot be."""

    def test_the_password_is_not_shown(self) -> None:
        assert "hunter2" not in repr(Settings("web@example.org", "hunter2", "cache@conference.example.org"))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"room": "conference.example.org"},
            {"jid": "@"},
            {"beat": 6.0, "lease": 10.0},
            {"beat": 0.0},
            {"lease": 3601.0},
            {"lease": float("nan")},
            {"ca_certs": "/no/such/file"},
        ],
    )
    def test_a_wrong_one_is_refused(self, wrong: dict[str, Any]) -> None:
        right = {"jid": "web@example.org", "password": "x", "room": "cache@conference.example.org"}
        with pytest.raises(ValueError, match=r"address|form|beat|lease|no file"):
            Settings(**(right | wrong))
