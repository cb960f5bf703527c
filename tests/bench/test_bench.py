"""The bench's own arithmetic, and one run of it without meaning."""

import shutil
import socket
from dataclasses import replace

import pytest

from tests.bench.accounts import Account, friends, union
from tests.bench.meter import Meter, Window
from tests.bench.peers.floor import Floor
from tests.bench.pump import Pump
from tests.bench.row import QUICK, Figure, Goal
from tests.bench.rows import all_rows
from tests.bench.run import Results, run
from tests.bench.table import better_peer, reached
from tests.bench.wire import Wire


class Unconnected(Wire):
    """A wire over a socket pair."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.jid = "nobody@localhost"


def _counted(first: bytes, second: bytes) -> int:
    """How many closing tags a pump finds in what arrives in two parts."""
    counted: list[int] = []
    near, far = socket.socketpair()
    with near, far:
        pump = Pump([Unconnected(near)], b"</message>", lambda index, number: counted.append(number))
        far.sendall(first)
        pump.run(0.0001)
        far.sendall(second)
        pump.until(lambda: sum(counted) >= 2)
        pump.close()
    return sum(counted)


def test_a_closing_tag_cut_anywhere_counts_once() -> None:
    stanza = b"<message><body>a &gt; b</body></message>"
    for cut in range(1, len(stanza)):
        assert _counted(stanza[:cut], stanza[cut:] + stanza) == 2, f"cut at {cut}"


def test_an_account_wanted_twice_has_both_rosters() -> None:
    accounts = union([*friends("alice", ["bob"]), *friends("carol", ["bob"])])
    assert Account("bob", ("alice", "carol")) in accounts
    assert len(accounts) == 3


def test_the_better_peer_is_neither_we_nor_the_floor() -> None:
    row = all_rows()[0]
    values = {"xmppd": 5.0, "floor": 3.0, "prosody": 80.0, "ejabberd": 60.0}
    results = Results({row.name: {name: Figure(value, value, value) for name, value in values.items()}})
    assert better_peer(row, results) == 60.0


def test_a_bar_is_a_share_where_a_peer_was_measured_and_a_figure_elsewhere() -> None:
    goal = Goal(20, 1 / 5)
    assert reached(goal, 15, better=80)
    assert not reached(goal, 18, better=80)
    assert reached(goal, 18, better=None)


def test_a_figure_is_scaled_to_the_speed_of_the_core() -> None:
    assert Window(operations=10, cost=50.0, speed=0.8).figure == pytest.approx(40.0)


def test_a_window_without_work_is_no_figure() -> None:
    meter = Meter.__new__(Meter)
    with pytest.raises(RuntimeError, match="nothing was done"):
        meter.take(0)


@pytest.mark.skipif(shutil.which("cc") is None, reason="the floor is compiled with cc")
def test_chat_runs_on_the_floor() -> None:
    chat = next(row for row in all_rows() if row.name == "chat")
    results = run([chat], [Floor], replace(QUICK, seconds=0.05), lambda text: None)
    assert results.failures == []
    figure = results.figure("chat", "floor")
    assert figure is not None
    assert figure.value > 0
    assert figure.operations > 0
