"""`xmppd-bus send`: invalidate something."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from xmppd.client.bus.bus import Bus
from xmppd.client.bus.errors import NotPublished
from xmppd.client.bus.invalidation import invalidation
from xmppd.client.bus.options import Settings

from .connecting import logging_in


@click.command()
@logging_in
@click.argument("ids", nargs=-1)
@click.option("--tag", "tags", multiple=True, help="Drop what carries this tag.")
@click.option("--prefix", "prefixes", multiple=True, help="Drop what begins so.")
@click.option("--all", "everything", is_flag=True, help="Drop everything.")
@click.option(
    "--confirm", is_flag=True, help="Wait until every member has dropped it; 1 is returned where one has not."
)
@click.option("--timeout", default=5.0, show_default=True, help="Seconds.")
async def send(
    settings: Settings,
    ids: tuple[str, ...],
    tags: tuple[str, ...],
    prefixes: tuple[str, ...],
    everything: bool,
    confirm: bool,
    timeout: float,  # noqa: ASYNC109 - it is the option's
) -> None:
    """Have every member of ROOM drop IDS from its caches. `-` reads them from standard input, one a line."""
    if ids == ("-",):
        ids = tuple(line.strip() for line in sys.stdin if line.strip())
    what = invalidation(ids, tags, prefixes, everything=everything)
    bus = Bus(**asdict(settings))
    try:
        await bus.start(timeout)
        if not await bus.entered(0):
            raise NotPublished(f"not in {settings.room} after {timeout:g} seconds; -v says why")
        receipt = await bus.publish(what, confirm=confirm, timeout=timeout)
    finally:
        await bus.close()
    if confirm:
        click.echo(f"confirmed by {len(receipt.confirmed)}: {', '.join(sorted(receipt.confirmed)) or 'nobody is here'}")
    if receipt.missing:
        raise click.ClickException(f"not confirmed by {', '.join(sorted(receipt.missing))}")
