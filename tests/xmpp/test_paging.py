"""Result set management: the requests of XEP-0059 and the pages they get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.paging import LONGEST_ID, MOST, NS_RSM, Page, PageRequest, cut

ROOMS = [f"room{number:03}@conference.example" for number in range(150)]


def asked(inner: str, most: int = MOST) -> PageRequest:
    return PageRequest.parse(etree.fromstring(f"<set xmlns='{NS_RSM}'>{inner}</set>"), most)


def answered(page: Page) -> str:
    return etree.tostring(page.to_element(), encoding="unicode").replace(f' xmlns="{NS_RSM}"', "")


@pytest.mark.parametrize(
    ("inner", "request_"),
    [
        ("", PageRequest(MOST)),
        ("<max>10</max>", PageRequest(10)),
        ("<max> 10\n</max>", PageRequest(10)),
        ("<max>0</max>", PageRequest(0)),
        ("<max>10</max><after>a</after>", PageRequest(10, after="a")),
        ("<max>10</max><after/>", PageRequest(10)),
        ("<max>10</max><before>a</before>", PageRequest(10, before="a")),
        ("<max>10</max><before/>", PageRequest(10, before="")),
        ("<max>10</max><index>371</index>", PageRequest(10, index=371)),
    ],
)
def test_each_request_of_the_xep_is_understood(inner: str, request_: PageRequest) -> None:
    assert asked(inner) == request_


def test_who_asks_for_too_much_gets_as_much_as_there_may_be() -> None:
    assert asked("<max>2147483647</max>", most=50).max == 50
    assert asked("", most=50).max == 50


@pytest.mark.parametrize(
    "inner",
    [
        "<max/>",
        "<max>-1</max>",
        "<max>ten</max>",
        "<max>1.5</max>",
        "<max>1_0</max>",
        "<max>\u0661</max>",
        f"<max>{'9' * 5000}</max>",
        "<index>-1</index>",
        "<index/>",
        "<after>a</after><before>b</before>",
        "<after>a</after><index>1</index>",
        "<before/><index>1</index>",
        f"<after>{'a' * (LONGEST_ID + 1)}</after>",
    ],
)
def test_a_request_that_makes_no_sense_is_a_bad_request(inner: str) -> None:
    with pytest.raises(StanzaError) as caught:
        asked(inner)
    assert caught.value.condition == "bad-request"


def test_a_query_may_hold_a_request() -> None:
    with_set = etree.fromstring(f"<query xmlns='a'><set xmlns='{NS_RSM}'><max>3</max></set></query>")
    assert PageRequest.find(with_set) == PageRequest(3)
    assert PageRequest.find(etree.fromstring("<query xmlns='a'><set/></query>")) is None


def test_the_first_page_names_its_ends_and_the_size_of_the_whole() -> None:
    assert answered(cut(ROOMS, asked("<max>2</max>"))) == (
        '<set><first index="0">room000@conference.example</first><last>room001@conference.example</last>'
        "<count>150</count></set>"
    )


def test_the_next_page_starts_after_the_last_item() -> None:
    page = cut(ROOMS, PageRequest(10, after=ROOMS[9]))
    assert (page.ids, page.index) == (ROOMS[10:20], 10)


def test_the_page_before_an_item_ends_there() -> None:
    page = cut(ROOMS, PageRequest(10, before=ROOMS[25]))
    assert (page.ids, page.index) == (ROOMS[15:25], 15)


def test_the_page_before_an_item_near_the_start_is_short() -> None:
    assert cut(ROOMS, PageRequest(10, before=ROOMS[3])).ids == ROOMS[:3]


def test_an_empty_before_is_the_last_page() -> None:
    page = cut(ROOMS, PageRequest(10, before=""))
    assert (page.ids, page.index) == (ROOMS[140:], 140)


def test_a_page_by_index_starts_there() -> None:
    page = cut(ROOMS, PageRequest(10, index=100))
    assert (page.ids, page.index) == (ROOMS[100:110], 100)


@pytest.mark.parametrize("index", [150, 10_000])
def test_an_index_past_the_end_is_an_empty_page(index: int) -> None:
    assert answered(cut(ROOMS, PageRequest(10, index=index))) == "<set><count>150</count></set>"


def test_nought_asks_for_the_count_alone() -> None:
    assert answered(cut(ROOMS, PageRequest(0))) == "<set><count>150</count></set>"
    assert answered(cut(ROOMS, PageRequest(0, before=""))) == "<set><count>150</count></set>"


def test_after_the_last_item_comes_nothing() -> None:
    assert answered(cut(ROOMS, PageRequest(10, after=ROOMS[-1]))) == "<set><count>150</count></set>"


@pytest.mark.parametrize("request_", [PageRequest(10, after="gone"), PageRequest(10, before="gone")])
def test_an_item_that_is_gone_is_not_found(request_: PageRequest) -> None:
    with pytest.raises(StanzaError) as caught:
        cut(ROOMS, request_)
    assert caught.value.condition == "item-not-found"


def test_an_item_that_is_gone_keeps_its_place_among_sorted_ids() -> None:
    left = [room for room in ROOMS if room != ROOMS[9]]
    assert cut(left, PageRequest(10, after=ROOMS[9]), ascending=True).ids == ROOMS[10:20]
    assert cut(left, PageRequest(3, before=ROOMS[9]), ascending=True).ids == ROOMS[6:9]


def test_an_answer_may_leave_out_what_is_dear_to_count() -> None:
    assert answered(Page(["a", "b"])) == "<set><first>a</first><last>b</last></set>"


IDS = st.lists(st.text("abc", min_size=1, max_size=4), unique=True).map(sorted)


@given(IDS, st.integers(1, 5), st.booleans())
def test_paging_forwards_gives_each_item_once_in_order(ids: list[str], size: int, ascending: bool) -> None:
    seen: list[str] = []
    while (page := cut(ids, PageRequest(size, after=seen[-1] if seen else None), ascending=ascending)).ids:
        assert page.index == len(seen)
        seen += page.ids
    assert seen == ids


@given(IDS, st.integers(1, 5), st.booleans())
def test_paging_backwards_gives_each_item_once_in_order(ids: list[str], size: int, ascending: bool) -> None:
    seen: list[str] = []
    while (page := cut(ids, PageRequest(size, before=seen[0] if seen else ""), ascending=ascending)).ids:
        seen = [*page.ids, *seen]
        assert page.index == len(ids) - len(seen)
    assert seen == ids
