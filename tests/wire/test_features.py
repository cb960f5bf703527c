"""Stream features as rows (RFC 6120 4.3)."""

import pytest

from xmppd.wire.features import Features, State, StreamFeature

NOTHING = 0


async def nothing(peer: object, element: object) -> None:
    """Negotiates nothing."""


def row(name: str, needs: State = NOTHING, forbids: State = NOTHING, order: int = 50) -> StreamFeature:  # type: ignore[type-arg]
    return StreamFeature(name, frozenset({f"urn:{name} {name}"}), needs, forbids, lambda peer: "", nothing, order)


@pytest.mark.parametrize(
    ("state", "possible"),
    [
        (0, False),
        (State.SECURE, False),
        (State.SECURE | State.AUTHENTICATED, True),
        (State.AUTHENTICATED | State.BOUND, False),
        (State.SECURE | State.AUTHENTICATED | State.BOUND, False),
    ],
)
def test_a_feature_is_possible_where_all_it_needs_holds_and_nothing_it_forbids(state: State, possible: bool) -> None:
    feature = row("a", State.SECURE | State.AUTHENTICATED, State.BOUND)
    assert feature.possible(state) is possible


def test_features_are_listed_in_their_order() -> None:
    features = Features([row("late", order=90), row("early", order=1)])
    features.add(row("middle", order=20))
    assert [each.name for each in features.possible(0)] == ["early", "middle", "late"]


def test_a_feature_is_found_by_its_element_where_it_is_possible() -> None:
    needy = row("a", needs=State.SECURE)
    features = Features([needy])
    assert features.find("urn:a a", 0) is None
    assert features.find("urn:a a", State.SECURE) is needy
    assert features.find("urn:b b", State.SECURE) is None


def test_a_feature_that_was_removed_is_gone() -> None:
    feature = row("a")
    features = Features([feature])
    features.remove(feature)
    assert features.possible(0) == []
    assert features.find("urn:a a", 0) is None
