"""`xmppd-bus bench`: how long it takes until all have dropped something, and how much goes through a room."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import click
from rich.console import Console
from rich.table import Table

from xmppd.client.bus.bus import Bus
from xmppd.client.bus.invalidation import Invalidation
from xmppd.client.bus.options import Settings

from .connecting import logging_in

_PATIENCE = 60.0


@click.command()
@logging_in
@click.option("--members", default=20, show_default=True, help="All in this process.")
@click.option("--messages", default=500, show_default=True, help="One after the other, for the times.")
@click.option("--ids", default=20_000, show_default=True, help="All at once, for the rate.")
async def bench(settings: Settings, members: int, messages: int, ids: int) -> None:
    """Measure ROOM with members of our own. Use a room of its own: it is noisy, and its archive grows."""
    async with AsyncExitStack() as stack:
        name = settings.name
        buses = [Bus(**asdict(replace(settings, name=f"{name}-{number}"))) for number in range(members)]
        for bus in buses:
            stack.push_async_callback(bus.close)
            await bus.start(_PATIENCE)
            if not await bus.entered(0):
                raise click.ClickException(f"{bus.name} did not get into the room; -v says why")
        times = await _times(buses, messages)
        confirmed = await _confirmed(buses[0], messages // 5)
        seconds, sent = await _rate(buses, ids)
    table = Table(title=f"{settings.room}, {members} members in one process")
    for column in ("", "median", "99 %"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("published until applied at a member", *_shown(times))
    table.add_row("published until all have confirmed", *_shown(confirmed))
    console = Console()
    console.print(table)
    console.print(f"{ids:,} ids published at once: applied by all in {seconds:.2f} s, in {sent} messages")


async def _times(buses: list[Bus], messages: int) -> list[float]:
    """Of each message to each member."""
    times: list[float] = []
    heard = asyncio.Semaphore(0)
    sent_at = 0.0

    def note(what: Invalidation) -> None:
        if "bench:time" in what.keys:
            times.append(time.perf_counter() - sent_at)
            heard.release()

    for bus in buses[1:]:
        bus.on_invalidate(note)
    for _ in range(messages):
        sent_at = time.perf_counter()
        await buses[0].invalidate("bench:time", timeout=_PATIENCE)
        for _ in buses[1:]:
            await heard.acquire()
    return times


async def _confirmed(bus: Bus, messages: int) -> list[float]:
    times = []
    for _ in range(messages):
        sent_at = time.perf_counter()
        await bus.invalidate("bench:confirmed", confirm=True, timeout=_PATIENCE)
        times.append(time.perf_counter() - sent_at)
    return times


async def _rate(buses: list[Bus], ids: int) -> tuple[float, int]:
    before, began = buses[-1].stats.heard, time.perf_counter()
    await asyncio.gather(*(buses[0].invalidate(f"bench:{number}", timeout=_PATIENCE) for number in range(ids)))
    await buses[0].invalidate("bench:last", confirm=True, timeout=_PATIENCE)
    return time.perf_counter() - began, buses[-1].stats.heard - before


def _shown(times: list[float]) -> tuple[str, str]:
    ordered = sorted(times) or [0.0]
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{statistics.median(ordered) * 1000:.2f} ms", f"{high * 1000:.2f} ms"
