"""Ids of archived messages: in order, unique and not to be guessed, whatever the clock does."""

from itertools import pairwise

from xmppd.modules.mam.ids import ORDER, Ids, id_of, key_at, key_of, moment_of, tail_of


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_ids_are_in_order_as_texts_and_as_keys() -> None:
    clock = Clock()
    ids = Ids(clock, 0)
    made = []
    for step in (0.0, 0.0, 0.000001, 5.0, -3600.0, 0.0):
        clock.now += step
        made += [ids.make() for _ in range(700)]
    assert made == sorted(made)
    assert all(one < other for one, other in pairwise(map(key_of, made)))


def test_ids_go_on_behind_the_last_of_another_run() -> None:
    last = key_at(1_800_000_000)
    assert key_of(Ids(Clock(), last).make()) == last + 1


def test_nobody_who_knows_the_time_of_an_id_knows_the_id() -> None:
    ids = Ids(Clock(), 0)
    tails = {tail_of(ids.make()) for _ in range(2000)}
    assert len(tails) == 2000
    assert max(tails) > 1 << 38
    assert len({Ids(Clock(), 0).make() for _ in range(100)}) == 100


def test_an_id_tells_its_row_and_its_moment() -> None:
    id = Ids(Clock(), 0).make()
    assert id_of(key_of(id), tail_of(id)) == id
    assert moment_of(key_of(id)) == 1_700_000_000
    assert key_of(id) >> ORDER == key_at(1_700_000_000) >> ORDER


def test_a_stamp_gives_back_the_microsecond_it_was_made_of() -> None:
    for micro in (1, 123_456, 999_999):
        key = (1_700_000_000_000_000 + micro) << ORDER
        assert key_at(moment_of(key)) == key


def test_what_is_no_id_has_no_key() -> None:
    for text in ("", "x", "0" * 25, "0" * 27, "g" * 26, "A" * 26, "0" * 25 + "\n", "-" + "0" * 25, "8" + "0" * 25):
        assert key_of(text) == 0
