"""Lists modules and all they declare, without starting anything."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points

import click
from rich.console import Console
from rich.table import Table

from xmppd.api import Module
from xmppd.api.declare import CommandMark, EveryMark, FeatureMark, IQMark
from xmppd.api.loader import bundled, find, marks
from xmppd.commands import describe
from xmppd.metrics import declared
from xmppd.routing.hooks import Mark


@dataclass(slots=True)
class Described:
    """One module, for people."""

    name: str
    doc: str
    xeps: dict[str, str]
    depends: list[str]
    features: list[str]
    options: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> default, meaning
    tables: int = 0
    hooks: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    stream_features: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)


def describe_module(name: str) -> Described:
    """All that a module declares; `ConfigError` where there is none of that name."""
    try:
        kind = find(name)
    except ImportError as error:
        return Described(name, f"cannot be imported: {error}", {}, [], [])
    told = Described(
        name, _first_line(kind), dict(kind.xeps), sorted(kind.depends), sorted({*kind.features, *kind.account_features})
    )
    for option, value in kind.Options.model_fields.items():
        told.options[option] = repr(value.get_default(call_default_factory=True)), value.description or ""
    told.tables = sum("create table" in text.lower() for text in kind.migrations)
    told.metrics = {metric: found.doc for metric, found in declared(kind).items()}
    for method, mark in marks(kind):
        _tell(told, kind, method, mark)
    return told


def _tell(told: Described, kind: type[Module], method: str, mark: object) -> None:
    match mark:
        case Mark(hook, stage):
            told.hooks.append(f"{hook} ({stage.name})")
        case IQMark(type, target, name):
            told.requests.append(f"{type} {name} to {target.name.lower()}")
        case CommandMark(name, doc, tags):
            told.commands[describe(getattr(kind, method), name, doc, tags).usage] = doc
        case EveryMark(seconds):
            told.jobs.append(f"{method} each {seconds:g} seconds")
        case FeatureMark():
            told.stream_features.append(mark.name)


def _first_line(kind: type[Module]) -> str:
    module = inspect.getmodule(kind)
    return (inspect.getdoc(module) or inspect.getdoc(kind) or "").partition("\n")[0]


def show(names: Sequence[str], *, markdown: bool = False, as_json: bool = False) -> None:
    """Print modules: all of them as a list, or everything about some."""
    listed = names or [*bundled(), *sorted(entry.name for entry in entry_points(group="xmppd.modules"))]
    found = [describe_module(name) for name in listed]
    if as_json:
        click.echo(json.dumps([asdict(module) for module in found], indent=1))
    elif markdown:
        click.echo("\n".join(line for module in found for line in _markdown(module)))
    elif names:
        for module in found:
            _print_one(module)
    else:
        _print_all(found)


def _print_all(modules: Sequence[Described]) -> None:
    table = Table("module", "what it is", "XEPs", box=None, pad_edge=False)
    for module in modules:
        table.add_row(module.name, module.doc, " ".join(module.xeps))
    Console(soft_wrap=True, emoji=False).print(table)
    click.echo("\n`xmppd modules NAME` tells all about one.")


def _print_one(module: Described) -> None:
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    console.print(f"[bold]{module.name}[/bold]  {module.doc}", markup=True)
    for title, lines in _parts(module):
        console.print(f"\n  {title}")
        for line in lines:
            console.print(f"    {line}", markup=False)
    console.print()


def _parts(module: Described) -> Iterator[tuple[str, list[str]]]:
    parts = {
        "options": [f"{name}: {default}  # {doc}" for name, (default, doc) in module.options.items()],
        "XEPs": [f"{number}, version {version}" for number, version in module.xeps.items()],
        "needs the modules": module.depends,
        "features": module.features,
        "answers": module.requests,
        "hooks": module.hooks,
        "stream features": module.stream_features,
        "runs by itself": module.jobs,
        "commands": [f"{usage}  # {doc}" for usage, doc in module.commands.items()],
        "metrics": [f"{name}  # {doc}" for name, doc in module.metrics.items()],
        "tables": [str(module.tables)] if module.tables else [],
    }
    return ((title, lines) for title, lines in parts.items() if lines)


def _markdown(module: Described) -> Iterator[str]:
    yield f"## {module.name}\n\n{module.doc}\n"
    if module.xeps:
        links = (f"[{number}](https://xmpp.org/extensions/xep-{number}.html) {v}" for number, v in module.xeps.items())
        yield f"XEPs: {', '.join(links)}\n"
    if module.options:
        yield "| option | default | meaning |\n|---|---|---|"
        yield from (f"| `{name}` | `{default}` | {doc} |" for name, (default, doc) in module.options.items())
        yield ""
    for title, lines in _parts(module):
        if title in {"needs the modules", "hooks", "metrics"}:
            named = (line.partition("  # ")[0] for line in lines)
            yield f"{title.capitalize()}: {', '.join(f'`{name}`' for name in named)}\n"
    for usage, doc in module.commands.items():
        yield f"- `xmppctl {usage}`: {doc}"
    if module.commands:
        yield ""
