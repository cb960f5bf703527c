"""Privacy lists in memory: how a stanza is judged, and that it costs the same however long the list is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.modules.privacy.items import EVERYTHING, IQ, KINDS, MESSAGE, OTHER, PRESENCE_IN, PRESENCE_OUT, Item
from xmppd.modules.privacy.lists import PrivacyList
from xmppd.xmpp.jid import JID

BITS = (MESSAGE, IQ, PRESENCE_IN, PRESENCE_OUT, OTHER)


class Friends:
    """Contacts that are said."""

    def __init__(self, subscription: str = "none", groups: Sequence[str] = ()) -> None:
        self._subscription, self._groups = subscription, groups

    def subscription(self, contact: JID) -> str:
        return self._subscription

    def groups(self, contact: JID) -> Sequence[str]:
        return self._groups


class Counting(dict[str, Item]):
    """A table that counts look-ups."""

    looked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.looked += 1
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.looked += 1
        return super().__contains__(key)


def judged(made: PrivacyList, kind: int, who: str, contacts: Any = None) -> bool:
    return made.allows(kind, JID.parse(who), contacts or Friends())


@pytest.mark.parametrize("size", [10, 10_000])
def test_judging_is_a_fixed_number_of_look_ups(size: int) -> None:
    made = PrivacyList("LOL")
    made.jids = Counting()
    made._tables["jid"] = made.jids
    for number in range(size):
        made.add(Item("jid", f"sum{number}@pvp.example", allow=False))
    made.jids.looked = 0
    assert judged(made, MESSAGE, "friend@pvp.example/game")
    assert not judged(made, MESSAGE, "sum7@pvp.example/game")
    assert made.jids.looked == 3 + 2 + 3, "three to find nothing; then two, and three for all that match"


def test_adding_and_removing_touch_one_entry() -> None:
    made = PrivacyList("LOL")
    for number in range(10_000):
        made.add(Item("jid", f"sum{number}@pvp.example", allow=False))
    made.jids, kept = Counting(made.jids), made.jids
    made._tables["jid"] = made.jids
    made.add(Item("jid", "new@pvp.example", allow=False))
    (dropped,) = made.drop(("jid", "sum7@pvp.example"))
    assert dropped is kept["sum7@pvp.example"]
    assert made.jids.looked == 1
    assert made.size == 10_000


WHO = ["romeo@montague.net/orchard", "romeo@montague.net", "montague.net", "montague.net/orchard", "other.net"]
SUBSCRIPTION = ["none", "to", "both"]
GROUP = ["Friends", "Enemies"]
ITEMS = st.lists(
    st.tuples(
        st.sampled_from(
            [("", ""), *(("jid", who) for who in WHO), *(("subscription", s) for s in SUBSCRIPTION)]
            + [("group", group) for group in GROUP]
        ),
        st.booleans(),
        st.sampled_from([EVERYTHING, *KINDS.values(), MESSAGE | IQ]),
        st.integers(0, 5),
        st.sampled_from(["add", "first", "drop"]),
    ),
    max_size=12,
)


@given(ITEMS, st.sampled_from(WHO), st.sampled_from(SUBSCRIPTION), st.sets(st.sampled_from(GROUP)))
def test_the_first_item_that_matches_decides(made: list[Any], who: str, subscription: str, groups: set[str]) -> None:
    """Against the plain reading of XEP-0016 2.2: go through the items in their order."""
    lists = PrivacyList("LOL")
    plain: list[tuple[tuple[int, int], Item]] = []
    for number, (key, allow, kinds, order, how) in enumerate(made, 1):
        if how == "drop":
            assert lists.drop(key) == [item for _, item in sorted(plain, key=lambda each: each[0]) if item.key == key]
            plain = [each for each in plain if each[1].key != key]
            continue
        item = Item(*key, allow, kinds, order)
        lists.add(item, first=how == "first")
        plain.append(((0, -number) if how == "first" else (order, number), item))
    plain.sort(key=lambda each: each[0])
    assert list(lists) == [item for _, item in plain]
    assert lists.size == len(plain)
    jid = JID.parse(who)
    for bit in BITS:
        matching = (item for _, item in plain if item.kinds & bit and _about(item, jid, subscription, groups))
        expected = next((item.allow for item in matching), True)
        assert lists.allows(bit, jid, Friends(subscription, sorted(groups))) is expected  # type: ignore[arg-type]


def _about(item: Item, jid: JID, subscription: str, groups: set[str]) -> bool:
    if item.type == "jid":
        return item.value in (jid, jid.bare, jid.domain)
    if item.type == "subscription":
        return item.value == subscription
    return item.value in groups if item.type else True


def test_the_last_order_there_is_can_be_taken_twice() -> None:
    made = PrivacyList("LOL")
    made.add(Item("jid", "a@x", allow=False, order=4294967295))
    made.add(Item("jid", "b@x", allow=False))
    assert [item.value for item in made] == ["a@x", "b@x"]
    assert made.to_xml().count("order='4294967295'") == 0, "numbered anew"
