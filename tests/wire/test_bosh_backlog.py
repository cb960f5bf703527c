"""The machine of a BOSH session while a request is being handled: what is answered then, and what waits."""

from __future__ import annotations

from tests.wire.test_bosh import PAYLOAD, arrive, begun, body
from xmppd.wire.bosh import EARLY
from xmppd.wire.bosh_backlog import Backlog
from xmppd.wire.bosh_body import Body

LARGE = b"<presence/>" * (EARLY // 10)


def given(backlog: Backlog) -> list[int]:
    return [each.rid for each in iter(backlog.next, None)]


def test_requests_wait_in_their_order() -> None:
    backlog = Backlog(body(101))
    backlog.add(body(102))
    backlog.add(body(103))
    assert backlog.rid == 101
    assert given(backlog) == [102, 103]
    assert backlog.size == 0


def test_its_size_is_that_of_all_and_what_they_take_beside() -> None:
    backlog = Backlog(body(101, LARGE))
    backlog.add(Body({"rid": "102"}, b""))
    assert len(LARGE) < backlog.size < len(LARGE) + 4096
    backlog.next()
    assert 0 < backlog.size < 4096


def test_what_is_not_handled_is_not_answered_for_lack_of_hold() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.backlog = Backlog(body(101))
    arrive(machine, 102)
    assert machine.flush(10.0) == []
    machine.backlog = None
    assert [handle for handle, _ in machine.flush(10.0)] == ["h101"]


def test_what_came_before_it_is_answered_as_ever() -> None:
    machine = begun()
    arrive(machine, 101)
    arrive(machine, 102)
    machine.backlog = Backlog(body(102))
    assert [handle for handle, _ in machine.flush(10.0)] == ["h101"]


def test_what_there_is_to_say_is_said_while_little_waits() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.backlog = Backlog(body(101))
    machine.answers.push(PAYLOAD)
    assert [handle for handle, _ in machine.flush(10.0)] == ["h101"]


def test_where_much_waits_it_is_said_when_that_is_handled() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.backlog = Backlog(body(101, LARGE))
    machine.answers.push(PAYLOAD)
    assert machine.flush(10.0) == []
    machine.backlog = None
    ((handle, xml),) = machine.flush(10.0)
    assert (handle, PAYLOAD in xml) == ("h101", True)


def test_or_when_the_request_has_been_held_long_enough() -> None:
    machine = begun()
    arrive(machine, 101)
    machine.backlog = Backlog(body(101, LARGE))
    machine.answers.push(PAYLOAD)
    machine.due(70.0, 1.0)
    ((handle, xml),) = machine.flush(70.0)
    assert (handle, PAYLOAD in xml) == ("h101", True)
