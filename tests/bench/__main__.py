"""`python -m tests.bench [ROWS...]`: measure, and print the table."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from tests.bench.cpu import pin_load
from tests.bench.peer import Peer
from tests.bench.peers import all_peers
from tests.bench.row import FULL, QUICK, Row
from tests.bench.rows import all_rows
from tests.bench.run import run
from tests.bench.table import as_json, as_markdown, render


@click.command()
@click.argument("names", metavar="[ROWS]...", nargs=-1)
@click.option("--servers", metavar="A,B", help="Measure only these servers.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file too.")
@click.option("--markdown", "as_text", is_flag=True, help="Print the table as docs/benchmarks.md has it.")
@click.option("--quick", is_flag=True, help="A smoke test: small load, short windows, figures without meaning.")
@click.option("--list", "listing", is_flag=True, help="Name the rows and servers, and measure nothing.")
def main(
    names: tuple[str, ...], servers: str | None, json_path: Path | None, as_text: bool, quick: bool, listing: bool
) -> None:
    """CPU µs of a server per operation, beside Prosody and ejabberd where they are installed."""
    rows, peers = _chosen_rows(names), _chosen_peers(servers)
    if listing:
        click.echo("\n".join(f"{row.name:<14}{row.title}" for row in rows))
        click.echo("servers: " + ", ".join(peer.name for peer in peers))
        return
    terminal, notes = Console(), Console(stderr=True)
    present = [peer for peer in peers if not _absent(peer, notes)]
    pin_load()
    results = run(rows, present, QUICK if quick else FULL, lambda text: notes.print(text, style="dim"))
    if as_text:
        click.echo(as_markdown(rows, present, results), nl=False)
    else:
        terminal.print(render(rows, present, results))
    if json_path:
        json_path.write_text(json.dumps(as_json(rows, present, results), indent=2, ensure_ascii=False) + "\n")
    for failure in results.failures:
        notes.print(failure, style="red", markup=False)
    sys.exit(1 if results.failures else 0)


def _chosen_rows(names: tuple[str, ...]) -> list[Row]:
    known = all_rows()
    _refuse_unknown(set(names) - {row.name for row in known}, "row")
    return [row for row in known if not names or row.name in names]


def _chosen_peers(names: str | None) -> list[type[Peer]]:
    known = all_peers()
    wanted = set(names.split(",")) if names else {peer.name for peer in known}
    _refuse_unknown(wanted - {peer.name for peer in known}, "server")
    return [peer for peer in known if peer.name in wanted]


def _refuse_unknown(unknown: set[str], kind: str) -> None:
    if unknown:
        raise click.UsageError(f"no such {kind}: {', '.join(sorted(unknown))}; --list names them all")


def _absent(peer: type[Peer], notes: Console) -> bool:
    reason = peer.missing()
    if reason:
        notes.print(f"{peer.title} is left out: {reason}", style="yellow")
    return reason is not None


if __name__ == "__main__":
    main()
