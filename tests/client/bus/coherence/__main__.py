"""Runs a trial by hand."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import click

from tests.client.bus.servers import SERVERS

from .trial import clear, run


@click.command()
@click.option("--minutes", default=1.0, show_default=True)
@click.option("--server", "name", type=click.Choice(sorted(SERVERS)), default="prosody", show_default=True)
@click.option("--keep", is_flag=True, help="Keep the logs, also where nothing was wrong.")
def main(minutes: float, name: str, keep: bool) -> None:
    """Break everything for so many minutes, and count."""
    reason = SERVERS[name].missing()
    if reason:
        raise click.ClickException(reason)
    folder = Path(tempfile.mkdtemp(prefix="coherence-"))
    report = asyncio.run(run(SERVERS[name](folder), folder, minutes * 60))
    click.echo("\n".join(report.lines()))
    if keep or report.counts["violations"]:
        click.echo(f"logs are in {folder}")
    else:
        clear(folder)
    sys.exit(1 if report.counts["violations"] else 0)


if __name__ == "__main__":
    main()
