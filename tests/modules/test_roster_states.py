"""RFC 6121 appendix A, cell by cell."""

import pytest

from xmppd.modules.roster.states import (
    APPROVED,
    BOTH,
    FROM,
    FROM_OUT,
    INBOUND,
    LISTED,
    NONE,
    NONE_IN,
    NONE_OUT,
    NONE_OUT_IN,
    OUTBOUND,
    STATES,
    TO,
    TO_IN,
    inbound,
    outbound,
    parting,
    shows,
)

NAMES = {
    "None": NONE,
    "None + Pending Out": NONE_OUT,
    "None + Pending In": NONE_IN,
    "None + Pending Out+In": NONE_OUT_IN,
    "To": TO,
    "To + Pending In": TO_IN,
    "From": FROM,
    "From + Pending Out": FROM_OUT,
    "Both": BOTH,
}
SAME = "no state change"

A_2 = """
A.2.1 subscribe
None                  | MUST     | None + Pending Out
None + Pending Out    | MUST     | no state change
None + Pending In     | MUST     | None + Pending Out+In
None + Pending Out+In | MUST     | no state change
To                    | MUST     | no state change
To + Pending In       | MUST     | no state change
From                  | MUST     | From + Pending Out
From + Pending Out    | MUST     | no state change
Both                  | MUST     | no state change
A.2.2 unsubscribe
None                  | MUST     | no state change
None + Pending Out    | MUST     | None
None + Pending In     | MUST     | no state change
None + Pending Out+In | MUST     | None + Pending In
To                    | MUST     | None
To + Pending In       | MUST     | None + Pending In
From                  | MUST     | no state change
From + Pending Out    | MUST     | From
Both                  | MUST     | From
A.2.3 subscribed
None                  | MUST NOT | no state change
None + Pending Out    | MUST NOT | no state change
None + Pending In     | MUST     | From
None + Pending Out+In | MUST     | From + Pending Out
To                    | MUST NOT | no state change
To + Pending In       | MUST     | Both
From                  | MUST NOT | no state change
From + Pending Out    | MUST NOT | no state change
Both                  | MUST NOT | no state change
A.2.4 unsubscribed
None                  | MUST NOT | no state change
None + Pending Out    | MUST NOT | no state change
None + Pending In     | MUST     | None
None + Pending Out+In | MUST     | None + Pending Out
To                    | MUST NOT | no state change
To + Pending In       | MUST     | To
From                  | MUST     | None
From + Pending Out    | MUST     | None + Pending Out
Both                  | MUST     | To
"""
A_3 = """
A.3.1 subscribe
None                  | MUST     | None + Pending In
None + Pending Out    | MUST     | None + Pending Out+In
None + Pending In     | MUST NOT | no state change
None + Pending Out+In | MUST NOT | no state change
To                    | MUST     | To + Pending In
To + Pending In       | MUST NOT | no state change
From                  | MUST NOT | no state change
From + Pending Out    | MUST NOT | no state change
Both                  | MUST NOT | no state change
A.3.2 unsubscribe
None                  | MUST NOT | no state change
None + Pending Out    | MUST NOT | no state change
None + Pending In     | MUST     | None
None + Pending Out+In | MUST     | None + Pending Out
To                    | MUST NOT | no state change
To + Pending In       | MUST     | To
From                  | MUST     | None
From + Pending Out    | MUST     | None + Pending Out
Both                  | MUST     | To
A.3.3 subscribed
None                  | MUST NOT | no state change
None + Pending Out    | MUST     | To
None + Pending In     | MUST NOT | no state change
None + Pending Out+In | MUST     | To + Pending In
To                    | MUST NOT | no state change
To + Pending In       | MUST NOT | no state change
From                  | MUST NOT | no state change
From + Pending Out    | MUST     | Both
Both                  | MUST NOT | no state change
A.3.4 unsubscribed
None                  | MUST NOT | no state change
None + Pending Out    | MUST     | None
None + Pending In     | MUST NOT | no state change
None + Pending Out+In | MUST     | None + Pending In
To                    | MUST     | None
To + Pending In       | MUST     | None + Pending In
From                  | MUST NOT | no state change
From + Pending Out    | MUST     | From
Both                  | MUST     | From
"""


def cells(table: str) -> list[tuple[str, str, bool, str]]:
    """(type, state before, whether it passes, state after) of each row."""
    rows, type = [], ""
    for line in table.strip().splitlines():
        if "|" not in line:
            type = line.split()[1]
            continue
        before, passes, after = (cell.strip() for cell in line.split("|"))
        rows.append((type, before, passes == "MUST", before if after == SAME else after))
    return rows


def test_the_tables_have_a_cell_for_each_type_and_state() -> None:
    assert len(cells(A_2)) == len(cells(A_3)) == 4 * 9
    for table in (OUTBOUND, INBOUND):
        assert all(set(column) == set(STATES) for column in table.values())


@pytest.mark.parametrize(("type", "before", "passes", "after"), cells(A_2))
def test_outbound(type: str, before: str, passes: bool, after: str) -> None:
    step = outbound(NAMES[before] | LISTED, type)
    assert (step.mark & BOTH | step.mark & NONE_OUT_IN, step.passes) == (NAMES[after], passes)
    assert step.mark & LISTED


@pytest.mark.parametrize(("type", "before", "passes", "after"), cells(A_3))
def test_inbound(type: str, before: str, passes: bool, after: str) -> None:
    step = inbound(NAMES[before] | LISTED, type)
    assert (step.mark, step.passes) == (NAMES[after] | LISTED, passes)


@pytest.mark.parametrize("state", [FROM, FROM_OUT, BOTH])
def test_who_is_subscribed_already_is_told_so_at_once(state: int) -> None:
    assert inbound(state | LISTED, "subscribe") == (state | LISTED, False, "subscribed")


@pytest.mark.parametrize("state", [NONE, NONE_OUT, TO])
def test_an_approval_before_the_request_is_noted_and_answers_it(state: int) -> None:
    approved = outbound(state, "subscribed")
    assert approved == (state | LISTED | APPROVED, False, "")
    assert inbound(approved.mark, "subscribe") == (state | FROM | LISTED, False, "subscribed")


@pytest.mark.parametrize("state", [FROM, FROM_OUT, BOTH])
def test_an_approval_of_a_subscriber_is_ignored(state: int) -> None:
    assert outbound(state | LISTED, "subscribed") == (state | LISTED, False, "")


@pytest.mark.parametrize("state", [NONE, NONE_OUT, TO])
def test_unsubscribed_takes_an_approval_back(state: int) -> None:
    assert outbound(state | LISTED | APPROVED, "unsubscribed") == (state | LISTED, False, "")


def test_a_request_alone_does_not_put_anybody_in_the_roster() -> None:
    asked = inbound(NONE, "subscribe")
    assert not asked.mark & LISTED
    assert not shows(NONE, asked.mark)
    denied = outbound(asked.mark, "unsubscribed")
    assert denied.mark == NONE
    assert not shows(asked.mark, denied.mark)


def test_asking_and_approving_put_the_contact_in_the_roster() -> None:
    assert outbound(NONE, "subscribe").mark == NONE_OUT | LISTED
    assert outbound(NONE_IN, "subscribed").mark == FROM | LISTED
    assert shows(NONE, NONE_OUT | LISTED)
    assert shows(NONE_IN, FROM | LISTED)


def test_a_pending_request_is_not_shown_in_an_item() -> None:
    assert not shows(TO | LISTED, TO_IN | LISTED)


@pytest.mark.parametrize(
    ("state", "types"),
    [
        (NONE, ()),
        (NONE_OUT, ("unsubscribe",)),
        (TO, ("unsubscribe",)),
        (NONE_IN, ("unsubscribed",)),
        (FROM, ("unsubscribed",)),
        (BOTH, ("unsubscribe", "unsubscribed")),
        (TO_IN, ("unsubscribe", "unsubscribed")),
    ],
)
def test_who_is_removed_is_told(state: int, types: tuple[str, ...]) -> None:
    assert parting(state | LISTED) == types
