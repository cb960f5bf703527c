"""What a session has read of its archive: never more than it was given, and all of it where its pages meet."""

from hypothesis import given
from hypothesis import strategies as st

from xmppd.modules.mam.answers import Answer
from xmppd.modules.mam.ids import EVER
from xmppd.modules.mam.query import Query
from xmppd.modules.mam.reading import NOTHING, Reading, read_on
from xmppd.xmpp.paging import PageRequest

KEYS = range(10, 110, 10)
edges = st.sampled_from([0, 5, *KEYS, 105])


def page_of(keys: list[int], query: Query, *, backwards: bool) -> Answer:
    """As the archive answers."""
    found = [key for key in keys if query.above < key < query.below]
    rows = found[-query.page.max :] if backwards else found[: query.page.max]
    return Answer([(key, 0, b"") for key in rows], len(rows) == len(found), "")


def asked(above: int, below: int, most: int, *, backwards: bool) -> Query:
    page = PageRequest(most, before="x" if backwards else None)
    assert page.backwards is backwards
    return Query(page, above=above, below=below)


@given(
    st.sets(st.sampled_from(KEYS)), st.lists(st.tuples(edges, edges | st.just(EVER), st.integers(1, 4), st.booleans()))
)
def test_it_is_never_more_than_was_given(archive: set[int], queries: list[tuple[int, int, int, bool]]) -> None:
    keys, reading, seen = sorted(archive), NOTHING, set[int]()
    for above, below, most, backwards in queries:
        query = asked(above, below, most, backwards=backwards)
        page = page_of(keys, query, backwards=backwards)
        seen |= {key for key, _, _ in page.rows}
        reading = read_on(reading, query, page, 200)
        assert {key for key in keys if reading.has(key)} <= seen
        assert not any(reading.has(key) for key in KEYS if keys and key < min(keys)), "it was purged"


@given(st.sets(st.sampled_from(KEYS), min_size=1), st.integers(1, 4), st.booleans(), st.sampled_from([55, 200]))
def test_pages_that_meet_are_all(archive: set[int], most: int, backwards: bool, upto: int) -> None:
    """What comes while the first page is looked up may be on it."""
    keys, reading = sorted(archive), NOTHING
    above, below, complete = 0, EVER, False
    while not complete:
        query = asked(above, below, most, backwards=backwards)
        page = page_of(keys, query, backwards=backwards)
        reading, complete, upto = read_on(reading, query, page, upto), page.complete, 200
        assert reading.whole or not (backwards or complete)
        if page.rows:
            above, below = (0, page.rows[0][0]) if backwards else (page.rows[-1][0], EVER)
    assert {key for key in keys if reading.has(key)} == archive


def test_what_came_later_goes_on_from_there() -> None:
    reading = Reading(0, 50, whole=True)
    reading = read_on(reading, asked(50, EVER, 10, backwards=False), Answer([(60, 0, b"")], True, ""), 70)
    assert [reading.has(key) for key in (1, 50, 60, 70, 71)] == [True, True, True, True, False]
    elsewhere = read_on(reading, asked(90, EVER, 10, backwards=False), Answer([(100, 0, b"")], True, ""), 100)
    assert [elsewhere.has(key) for key in (60, 100)] == [False, True]
