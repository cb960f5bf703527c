"""The command `xmppd-bus`: watch a room of the invalidation bus, say something in it, measure it, serve rooms."""

from __future__ import annotations

import click

from .bench import bench
from .component import component
from .send import send
from .tail import tail

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The invalidation bus: a chat room keeps a cluster's caches right.

    All but `component` log in as --jid, with the password in $XMPPD_BUS_PASSWORD, or ask for it.
    """


for each in (tail, send, bench, component):
    main.add_command(each)
