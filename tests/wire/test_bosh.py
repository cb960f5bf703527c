"""The machine of a BOSH session, without sockets: what stories cannot see, and requests in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.wire.bosh import Bosh, Offer, Terminal
from xmppd.wire.bosh_answers import ANSWER, EMPTY, ERROR
from xmppd.wire.bosh_backlog import Backlog
from xmppd.wire.bosh_body import Body
from xmppd.xmpp.stanza import Stanza

OFFER = Offer(wait=60, hold=2, inactivity=100, maxpause=300)
PAYLOAD = b"<presence/>"


def body(rid: int, inner: bytes = PAYLOAD, **attributes: Any) -> Body:
    return Body({"rid": str(rid), **{name: str(value) for name, value in attributes.items()}}, inner)


def begun(**attributes: Any) -> Bosh[str]:
    """A session whose first request, 100, was answered."""
    given = {"hold": 1, "wait": 60, "ver": "1.11"} | attributes
    machine: Bosh[str] = Bosh("sid", body(100, b"", **given), "h100", OFFER, 0.0)
    ((handle, _),) = machine.flush(0.0)
    assert handle == "h100"
    return machine


def arrive(machine: Bosh[str], rid: int, now: float = 10.0, **attributes: Any) -> list[int]:
    return [each.rid for each in machine.arrive(body(rid, **attributes), f"h{rid}", now)]


def message(text: str) -> Stanza:
    return Stanza("message", letter=f"<body>{text}</body>".encode())


@pytest.mark.parametrize(
    ("asked", "offered", "hold", "requests"),
    [(0, 1, 0, 2), (1, 1, 1, 2), (2, 1, 1, 3), (100, 1, 1, 3), (1, 2, 1, 2), (2, 2, 2, 3), (100, 5, 5, 6)],
)
def test_7_2_who_asks_for_more_is_granted_less_and_may_send_more_than_it_asked_for(
    asked: int, offered: int, hold: int, requests: int
) -> None:
    machine: Bosh[str] = Bosh("sid", body(100, b"", hold=asked), "h100", replace(OFFER, hold=offered), 0.0)
    assert (machine.hold, machine.requests) == (hold, requests)


def test_requests_out_of_order_wait_for_those_before_them() -> None:
    machine = begun()
    assert arrive(machine, 102) == []
    assert arrive(machine, 101) == [101, 102]


@given(st.permutations([101, 102, 103]))
def test_in_any_order_within_the_window_the_turns_are_the_same(order: list[int]) -> None:
    machine = begun(hold=2)
    assert [turn for rid in order for turn in arrive(machine, rid)] == [101, 102, 103]


@given(st.lists(st.tuples(st.integers(95, 125), st.booleans(), st.booleans()), max_size=40))
def test_each_request_has_one_turn_and_each_handle_one_answer(steps: list[tuple[int, bool, bool]]) -> None:
    machine = begun()
    turns: list[int] = []
    given: list[str] = []
    answered: list[str] = []
    ended = False
    for number, (rid, says, busy) in enumerate(steps):
        handle, now = f"{rid}-{number}", 10.0 * (number + 1)
        given.append(handle)
        if says:
            machine.answers.push(PAYLOAD)
        try:
            turns += [each.rid for each in machine.arrive(body(rid), handle, now)]
        except Terminal as end:
            answers, _ = machine.finish(end.condition, handle)
            answered += [handle for handle, _ in answers]
            ended = True
            break
        machine.backlog = (machine.backlog or Backlog(body(machine.rid))) if busy else None
        answered += [handle for handle, _ in machine.flush(now)]
    assert turns == list(range(101, 101 + len(turns)))
    assert len(answered) == len(set(answered))
    assert set(answered) <= set(given)
    if ended:
        assert set(answered) == set(given)


def test_answers_come_in_the_order_of_requests() -> None:
    machine = begun(hold=2)
    arrive(machine, 101)
    arrive(machine, 102, 20.0)
    assert machine.flush(20.0) == []
    machine.answers.push(PAYLOAD)
    assert [handle for handle, _ in machine.flush(20.0)] == ["h101"]


def test_an_answer_is_given_again_as_it_was() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.answers.push((message("one"), 0.0))
    ((_, first),) = machine.flush(10.0)
    assert machine.arrive(body(101), "again", 11.0) == []
    assert machine.flush(11.0) == [("again", first)]


def test_a_request_repeated_while_it_waits_takes_the_place_of_the_first() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.arrive(body(101), "again", 11.0)
    assert machine.flush(11.0) == [("h101", ERROR)]
    machine.answers.push(PAYLOAD)
    assert [handle for handle, _ in machine.flush(12.0)] == ["again"]


def test_a_request_out_of_order_repeated_is_answered_once() -> None:
    machine = begun()
    arrive(machine, 102)
    machine.arrive(body(102), "again", 11.0)
    assert machine.flush(11.0) == [("h102", ERROR)]


def test_what_waits_for_nobody_waits_for_the_repetition() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.drop("h101", 11.0)
    machine.answers.push(PAYLOAD)
    assert machine.flush(12.0) == []
    machine.arrive(body(101), "again", 13.0)
    ((handle, xml),) = machine.flush(13.0)
    assert (handle, PAYLOAD in xml) == ("again", True)


def test_a_request_that_was_given_up_counts_as_answered_when_a_later_one_is() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.drop("h101", 11.0)
    arrive(machine, 102, 12.0)
    machine.answers.push(PAYLOAD)
    assert [handle for handle, _ in machine.flush(12.0)] == ["h102"]
    machine.arrive(body(101), "late", 13.0)
    assert machine.flush(13.0) == [("late", EMPTY)]


def test_requests_that_were_given_up_are_not_kept_for_ever() -> None:
    machine = begun()
    arrive(machine, 101)
    for rid in range(102, 200):
        arrive(machine, rid)
        machine.drop(f"h{rid}", 11.0)
        machine.flush(11.0)
    assert len(machine._held) == machine.requests + 1
    machine.arrive(body(198), "late", 12.0)
    machine.answers.push(PAYLOAD)
    ((handle, xml),) = machine.flush(12.0)
    assert (handle, PAYLOAD in xml) == ("late", True)


def test_what_does_not_fit_waits_for_the_next_request() -> None:
    machine = begun()
    arrive(machine, 101)
    for _ in range(3):
        machine.answers.push((message("a" * (ANSWER // 2)), 0.0))
    ((_, first),) = machine.flush(10.0)
    arrive(machine, 102, 11.0)
    ((_, second),) = machine.flush(11.0)
    assert (first.count(b"</message>"), second.count(b"</message>")) == (2, 1)
    assert machine.answers.size == 0


def test_the_client_has_for_certain_what_it_would_not_go_on_without() -> None:
    machine = begun()
    machine.answers.push(PAYLOAD)
    mark = machine.answers.pushed
    for rid in (101, 102):
        arrive(machine, rid, 10.0 * rid)
        machine.answers.push(PAYLOAD)
        machine.flush(10.0 * rid)
        assert machine.answers.taken < mark
    arrive(machine, 103, 2000.0)
    assert machine.answers.taken >= mark


def test_an_acknowledgement_is_believed_at_once() -> None:
    machine = begun(ack=1)
    arrive(machine, 101)
    machine.answers.push((message("one"), 0.0))
    mark = machine.answers.pushed
    machine.flush(10.0)
    arrive(machine, 102, 20.0, ack=101)
    assert machine.answers.taken >= mark
    assert not machine.answers.undelivered(all=True)


def test_what_was_not_carried_or_may_be_lost_is_given_back() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.answers.push((message("sent"), 1.0))
    machine.flush(10.0)
    machine.answers.push((message("queued"), 2.0))
    assert [stanza.letter for stanza, _ in machine.answers.undelivered(all=True)] == [
        b"<body>sent</body>",
        b"<body>queued</body>",
    ]


def test_in_order_only_what_was_not_carried_is_given_back() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.answers.push((message("sent"), 1.0))
    machine.flush(10.0)
    machine.answers.push((message("queued"), 2.0))
    assert [stanza.letter for stanza, _ in machine.answers.undelivered(all=False)] == [b"<body>queued</body>"]


def test_a_request_is_answered_in_time_then_the_client_has_its_own() -> None:
    machine = begun()
    arrive(machine, 101, 10.0)
    machine.flush(10.0)
    assert machine.due(10.0, 1.0) == 69.0
    assert machine.due(69.0, 1.0) == 169.0
    assert machine.flush(69.0) == [("h101", EMPTY)]
    assert machine.due(168.0, 1.0) == 169.0
    assert machine.due(169.0, 1.0) is None


def test_who_waits_for_a_request_that_never_comes_does_not_wait_for_ever() -> None:
    machine = begun()
    arrive(machine, 102, 10.0)
    assert machine.due(101.0, 1.0) is None
    answers, _ = machine.finish("remote-connection-failed")
    assert [handle for handle, _ in answers] == ["h102"]


@pytest.mark.parametrize("rid", [104, 10**6])
def test_the_window_ends(rid: int) -> None:
    with pytest.raises(Terminal, match="item-not-found"):
        arrive(begun(), rid)
    assert arrive(begun(), 102) == []
