"""What the commands share that log in: where, as whom, and what to say when it fails."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

import click

from xmppd.client.bus.errors import BusError
from xmppd.client.bus.options import Settings

_OPTIONS = (
    click.argument("room"),
    click.option("--jid", envvar="XMPPD_BUS_JID", required=True, help="Log in as this address. [$XMPPD_BUS_JID]"),
    click.option("--host", default="", help="The server, if the address does not lead to it."),
    click.option("--port", default=5222, show_default=True),
    click.option("--ca-certs", default="", help="A file with certificates to trust."),
    click.option("--plaintext", is_flag=True, help="Without TLS; only on one machine."),
    click.option("--verbose", "-v", is_flag=True, help="Say what happens."),
)


def logging_in(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Gives a command the options to log in, as keyword `settings`; runs it, and tells errors in one line."""

    @functools.wraps(command)
    def run(room: str, jid: str, verbose: bool, **others: Any) -> None:
        where = {name: others.pop(name) for name in ("host", "port", "ca_certs", "plaintext")}
        _log(verbose)
        password = _password(jid)
        try:
            settings = Settings(jid, password, room, **where)
            asyncio.run(command(settings=settings, **others))
        except (BusError, ValueError) as error:
            raise click.ClickException(str(error)) from None

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def _password(jid: str) -> str:
    known = os.environ.get("XMPPD_BUS_PASSWORD")
    return known or str(click.prompt(f"Password of {jid}", hide_input=True, err=True))


def _log(verbose: bool) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(message)s")
    logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
