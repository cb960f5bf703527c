"""`python -m tests.bench.rooms`: what a copy and a join cost, by the size of the room."""

import gc
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import click

from tests.bench.accounts import crowd
from tests.bench.certificate import make_certificate
from tests.bench.cpu import pin_load
from tests.bench.meter import Meter
from tests.bench.occupants import Gathering, a_room, found, message, nick
from tests.bench.peer import Peer
from tests.bench.peers import all_peers
from tests.bench.peers.xmppd import Xmppd
from tests.bench.plot import Panel, svg
from tests.bench.probe import Probe
from tests.bench.table import FLOOR
from tests.bench.wire import close_all

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000)
_COPIES = 20_000
_WINDOWS = 3
_QUIET_SECONDS = 2.0  # so that presence that a server put off is counted
_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."


@dataclass(frozen=True)
class Cost:
    """CPU µs at one size: of each join since the size before, and of each copy delivered to an occupant."""

    size: int
    join: float
    copy: float


class Crowd(Xmppd):
    """xmppd where large rooms show moderators only."""

    name = "xmppd-crowd"
    title = "xmppd, crowd_size 200"
    place = 1
    rooms: ClassVar[dict[str, object]] = {**Xmppd.rooms, "crowd_size": 200}


def measure(peer: Peer, sizes: Sequence[int]) -> list[Cost]:
    """Let one room grow from size to size, and at each size let one occupant speak."""
    wires, room = [peer.login(account.name) for account in crowd("user", sizes[-1])], a_room()
    found(wires[0], room, nick(0))
    gathering = Gathering(wires, room)
    text = message(room, _TEXT)
    gc.disable()
    try:
        with Probe() as probe:
            meter = Meter(peer.pid, probe)
            return [Cost(size, _join(meter, gathering, size), _copy(meter, gathering, text)) for size in sizes]
    finally:
        gc.enable()
        gathering.close()
        close_all(wires)


def _join(meter: Meter, gathering: Gathering, size: int) -> float:
    inside = gathering.inside
    with meter:
        gathering.grow(size)
        gathering.settle(_QUIET_SECONDS)
    return meter.take(size - inside).figure


def _copy(meter: Meter, gathering: Gathering, text: bytes) -> float:
    rounds = max(3, _COPIES // gathering.inside)
    figures = []
    for _ in range(_WINDOWS):
        with meter:
            for _ in range(rounds):
                gathering.say(text)
        figures.append(meter.take(rounds * gathering.inside).figure)
    return statistics.median(figures)


def as_markdown(costs: dict[str, list[Cost]]) -> str:
    """The table of docs/benchmarks.md: a line for each size, two columns for each server."""
    heads = ["occupants", *(f"{name}, {what}" for what in ("a copy", "a join") for name in costs)]
    lines = [heads, ["---:"] * len(heads)]
    for size in sorted({cost.size for line in costs.values() for cost in line}):
        row = [next((cost for cost in line if cost.size == size), None) for line in costs.values()]
        copies = [f"{cost.copy:.1f}" if cost else "-" for cost in row]
        joins = [f"{cost.join:,.0f}" if cost else "-" for cost in row]
        lines.append([f"{size:,}", *copies, *joins])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_svg(costs: dict[str, list[Cost]]) -> str:
    """The same to look at."""
    copies = {name: [(cost.size, cost.copy) for cost in line] for name, line in costs.items()}
    joins = {name: [(cost.size, cost.join) for cost in line] for name, line in costs.items()}
    panels = [Panel("CPU µs of a delivered copy", copies), Panel("CPU µs of a join", joins)]
    return svg(panels, "occupants of the room")


def _run(kind: type[Peer], sizes: Sequence[int], folder: Path) -> list[Cost]:
    home = folder / kind.name
    home.mkdir()
    peer = kind(home, *make_certificate(home))
    peer.provision(crowd("user", sizes[-1]))
    peer.start()
    try:
        return measure(peer, sizes)
    finally:
        peer.stop()


@click.command()
@click.option("--servers", metavar="A,B", help="Measure only these servers.")
@click.option("--most", default=SIZES[-1], show_default=True, help="The largest room.")
@click.option("--peers-most", default=1000, show_default=True, help="The largest room on other servers.")
@click.option("--svg", "path", type=click.Path(path_type=Path), help="Draw the figures into this file.")
def main(servers: str | None, most: int, peers_most: int, path: Path | None) -> None:
    """Measure rooms of all sizes, and print the table.

    On other servers 2,000 joins are four million presences, which take some minutes.
    """
    pin_load()
    known = [Crowd, *(kind for kind in all_peers() if kind.name != FLOOR)]
    wanted = servers.split(",") if servers else [kind.name for kind in known]
    kinds = [kind for kind in sorted(known, key=lambda kind: kind.place) if kind.name in wanted and not kind.missing()]
    costs = {}
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as folder:
        for kind in kinds:
            largest = most if issubclass(kind, Xmppd) else min(most, peers_most)
            costs[kind.title] = _run(kind, [size for size in SIZES if size <= largest], Path(folder))
            click.echo(f"{kind.title} is done", err=True)
    click.echo(as_markdown(costs), nl=False)
    if path:
        path.write_text(as_svg(costs))


if __name__ == "__main__":
    main()
