"""`xmppd-bus tail`: what is invalidated, live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

import click
from rich.console import Console
from rich.text import Text

from xmppd.client.bus.backoff import Backoff
from xmppd.client.bus.company import Company
from xmppd.client.bus.errors import BusRefused, LinkLost
from xmppd.client.bus.invalidation import Invalidation
from xmppd.client.bus.options import Settings
from xmppd.client.bus.room import Room
from xmppd.client.bus.running import LASTING
from xmppd.client.bus.wire import Heard

from .connecting import logging_in


@click.command()
@logging_in
@click.option("--json", "as_json", is_flag=True, help="A JSON object on each line.")
@click.option("--count", default=0, help="End after so many.")
async def tail(settings: Settings, as_json: bool, count: int) -> None:
    """Show what is invalidated in ROOM, live, until Ctrl-C.

    Keys stand as they are, tags as #tag, prefixes as prefix*, and everything as *. Who watches is no member, and not
    waited for.
    """
    console = Console(highlight=False, soft_wrap=True)
    enough = asyncio.Event()
    left = count

    def heard(message: Heard) -> None:
        nonlocal left
        if message.kind != "invalidate" or message.delayed or enough.is_set():
            return
        if as_json:
            console.out(_json(message), highlight=False)
        else:
            console.print(_line(message))
        left -= 1
        if left == 0:
            enough.set()

    watching = asyncio.create_task(_watch(settings, heard, console))
    ended = asyncio.create_task(enough.wait())
    await asyncio.wait({watching, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    watching.cancel()
    await asyncio.wait({watching})
    if not watching.cancelled():
        watching.result()


async def _watch(settings: Settings, heard: Callable[[Heard], None], console: Console) -> None:
    backoff = Backoff(settings.most_backoff)
    while True:
        room = Room(settings, settings.name, Company(settings.clock, lambda *_: None), heard)
        try:
            await room.link.open()
            await room.enter(None)
            backoff.reset()
            console.print(f"watching {settings.room} as {room.name}", style="dim")
            await asyncio.wait({room.link.lost})
        except LinkLost:
            pass
        except BusRefused as refusal:
            if refusal.condition in LASTING:
                raise
        finally:
            await room.link.shut()
        console.print("not in the room; some may be missing here", style="dim")
        await asyncio.sleep(backoff.next())


def _line(message: Heard) -> Text:
    who = message.sender.partition("/")[2] or "the room"
    at = datetime.now().strftime("%H:%M:%S.%f")[:-3]
    line = Text.assemble((at, "dim"), " ", (f"{_printable(who):<20}", "bold"), " ")
    for id_, style in _ids(message.invalidation):
        line.append(_printable(id_), style).append(" ")
    return line


def _printable(text: str) -> str:
    """Nothing that anybody says in the room commands this terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _ids(what: Invalidation) -> list[tuple[str, str]]:
    if what.all:
        return [("*", "bold red")]
    keys = [(key, "cyan") for key in sorted(what.keys)]
    tags = [(f"#{tag}", "magenta") for tag in sorted(what.tags)]
    return [*keys, *tags, *((f"{prefix}*", "yellow") for prefix in sorted(what.prefixes))]


def _json(message: Heard) -> str:
    what = message.invalidation
    found = {
        "from": message.sender.partition("/")[2],
        "keys": sorted(what.keys),
        "tags": sorted(what.tags),
        "prefixes": sorted(what.prefixes),
        "all": what.all,
    }
    return json.dumps({name: value for name, value in found.items() if value})
