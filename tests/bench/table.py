"""Shows figures beside each other, and beside what is to be reached."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from tests.bench.peer import Peer
from tests.bench.row import Figure, Goal, Row
from tests.bench.run import Results

OURS = "xmppd"
FLOOR = "floor"


def better_peer(row: Row, results: Results) -> float | None:
    """The lowest figure among the other servers of this run."""
    others = results.figures.get(row.name, {})
    return min((figure.value for name, figure in others.items() if name not in (OURS, FLOOR)), default=None)


def reached(goal: Goal, ours: float, better: float | None) -> bool:
    """Whether the bar is reached: by the share of the better peer where one was measured, else by the figure."""
    return ours <= (goal.figure if better is None else goal.share * better)


def render(rows: Sequence[Row], peers: Sequence[type[Peer]], results: Results) -> Table:
    """The table for a terminal."""
    table = Table(title="CPU time of the server per operation, in µs, and memory per idle session, in KiB")
    table.add_column("operation")
    for peer in peers:
        table.add_column(_title(peer), justify="right")
    for head in ("to reach", "of the better peer", "reached"):
        table.add_column(head, justify="right")
    for row in rows:
        cells = [_cell(results.figure(row.name, peer.name)) for peer in peers]
        table.add_row(row.title, *cells, *_verdict(row, results))
    return table


def as_markdown(rows: Sequence[Row], peers: Sequence[type[Peer]], results: Results) -> str:
    """The table of `docs/benchmarks.md`."""
    heads = ["operation", *(_title(peer) for peer in peers), "to reach", "of the better peer", "reached"]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in rows:
        cells = [_cell(results.figure(row.name, peer.name)) for peer in peers]
        lines.append([f"{row.title}, {row.unit}", *cells, *_verdict(row, results)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_json(rows: Sequence[Row], peers: Sequence[type[Peer]], results: Results) -> dict[str, object]:
    """The same for a program: windows' median, lowest and highest, and the core's speed meanwhile."""
    return {
        "versions": {peer.name: peer.version() for peer in peers},
        "rows": {
            row.name: {"title": row.title, "unit": row.unit}
            | {name: asdict(figure) for name, figure in results.figures.get(row.name, {}).items()}
            for row in rows
        },
        "failures": results.failures,
    }


def _title(peer: type[Peer]) -> str:
    return f"{peer.title} {peer.version()}".strip()


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    spread = max(figure.high - figure.value, figure.value - figure.low)
    return f"{_number(figure.value)} ±{_number(spread)}" if spread else _number(figure.value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 20 else f"{value:.1f}"


def _verdict(row: Row, results: Results) -> tuple[str, str, str]:
    if row.goal is None:
        return "", "", ""
    ours = results.figure(row.name, OURS)
    better = better_peer(row, results)
    bar = f"{_number(row.goal.figure)}"
    if ours is None:
        return bar, f"- (≤ {row.goal.share:.2f})", ""
    share = f"{ours.value / better:.2f} (≤ {row.goal.share:.2f})" if better else "-"
    return bar, share, "yes" if reached(row.goal, ours.value, better) else "no"
