"""`xmppd-bus component`: rooms for the bus on a server that is there already."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xmppd.client.bus.component import ComponentSettings


@click.command()
@click.argument("domain")
@click.option("--server", default="127.0.0.1:5347", show_default=True, help="Where the server takes components.")
@click.option("--secret", envvar="XMPPD_BUS_SECRET", required=True, help="Shared with it. [$XMPPD_BUS_SECRET]")
@click.option("--allow", multiple=True, help="A domain or bare address that may enter. [default: DOMAIN's own domain]")
@click.option("--room", "rooms", multiple=True, help="A room that there may be. [default: any]")
@click.option("--http", default="", help="HOST:PORT that takes POST /bus/ROOM.")
@click.option("--tokens", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="See below.")
def component(
    domain: str,
    server: str,
    secret: str,
    allow: tuple[str, ...],
    rooms: tuple[str, ...],
    http: str,
    tokens: Path | None,
) -> None:
    """Serve rooms of the bus under DOMAIN, as a component (XEP-0114) of a server that is there already.

    Tested with ejabberd and Prosody. Others that take components, such as Openfire, are not tested.

    A file of tokens has one on each line, followed by the rooms it may post to, or by nothing for all:

    \b
    curl -H "Authorization: Bearer $TOKEN" --data-binary user:42 http://HOST:PORT/bus/ROOM
    """
    from xmppd.client.bus.component import ComponentSettings

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        host, port = _address(server)
        where = _address(http) if http else None
        settings = ComponentSettings(
            domain, secret, host, port, frozenset(allow), frozenset(rooms), _tokens(tokens), where
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    asyncio.run(_serve(settings))


async def _serve(settings: ComponentSettings) -> None:
    from xmppd.client.bus.component import Component

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Component(settings) as running:
        stopped = asyncio.create_task(stop.wait())
        connected = asyncio.create_task(running.connected.wait())
        await asyncio.wait({stopped, connected}, return_when=asyncio.FIRST_COMPLETED)
        if running.connected.is_set():
            http = f", http {running.http_port}" if running.http_port else ""
            click.echo(f"ready: {running.settings.domain}{http}")
        await stopped
        connected.cancel()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{text!r} is not of the form HOST:PORT")
    return host.strip("[]"), int(port)


def _tokens(path: Path | None) -> dict[str, frozenset[str]]:
    lines = [] if path is None else [line.split() for line in path.read_text().splitlines()]
    return {words[0]: frozenset(words[1:]) for words in lines if words and not words[0].startswith("#")}
