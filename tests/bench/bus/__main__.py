"""`python -m tests.bench.bus`: measure all ways that are installed, and print the table of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping

import click

from tests.bench.bus.measure import QUICK, Cost, Load, measure
from tests.bench.bus.postgresql import Notify
from tests.bench.bus.redis import RedisPubSub
from tests.bench.bus.ways import Way
from tests.bench.bus.xmppd import RoomOfTheBus
from tests.bench.cpu import pin_load

WAYS: tuple[type[Way], ...] = (RoomOfTheBus, RedisPubSub, Notify)
_HEADS = (
    "", "median", "99 %", "last of them, median", "member, CPU µs a copy", "keys a second", "server, CPU µs a copy",
    "promises",
)  # fmt: skip


def as_markdown(costs: Mapping[type[Way], Cost]) -> str:
    """A line for each way."""
    lines = [_HEADS, ("---", *["---:"] * 6, "---")]
    for way, cost in costs.items():
        times = [f"{seconds * 1000:.2f} ms" for seconds in (cost.median, cost.high, cost.all_median)]
        lines.append((way.title, *times, f"{cost.member:.0f}", f"{cost.rate:,.0f}", f"{cost.copy:.1f}", way.promises))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@click.command()
@click.option("--quick", is_flag=True, help="A smoke test: the figures mean nothing.")
@click.option("--only", metavar="TEXT", default="", help="Measure only ways with this in their title.")
@click.option("--members", default=Load().members, show_default=True, help="All in this process.")
def main(quick: bool, only: str, members: int) -> None:
    """Time from publishing to being applied, and what it costs the server."""
    pin_load()
    load = QUICK if quick else Load(members)
    present = []
    for way in (way for way in WAYS if only.lower() in way.title.lower()):
        reason = way.missing()
        if reason:
            click.echo(f"{way.title}: {reason}", err=True)
        else:
            present.append(way)
    click.echo(as_markdown(measure(present, load)), nl=False)


if __name__ == "__main__":
    main()
