"""Prints results: tables for people, plain lines for scripts, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from xmppd.commands import Progress as Told


def show(result: object, *, as_json: bool) -> None:
    """Print a result. Not on a terminal: a line for each item, values separated by tabs, as ejabberdctl has it."""
    if as_json:
        click.echo(json.dumps(result, default=str))
    elif isinstance(result, list) and result and isinstance(result[0], dict) and sys.stdout.isatty():
        _table(result)
    else:
        for line in _lines(result):
            click.echo(line)


def _lines(result: object) -> Iterator[str]:
    if isinstance(result, dict):
        for key, value in result.items():
            yield f"{key}\t{_text(value)}"
    elif isinstance(result, list):
        for item in result:
            yield "\t".join(map(_text, item.values())) if isinstance(item, dict) else _text(item)
    elif result is not None:
        yield _text(result)


def _text(value: object) -> str:
    """One line, whatever it holds."""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


def _table(rows: list[dict[str, object]]) -> None:
    table = Table(*rows[0], box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_text(row.get(column)) for column in rows[0]))
    Console(markup=False, emoji=False).print(table)


@contextmanager
def bar(what: str) -> Iterator[Told]:
    """A progress bar on stderr, from the first report on; none where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None, visible=False)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None, visible=True)

        yield told
