"""The command `xmppd`: the server itself."""

from __future__ import annotations

import click

from xmppd import __version__

from .completion import completion
from .troubles import config_option, told


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """An XMPP server. `xmppctl` administers a running one."""


@main.command()
@config_option
def run(file: str) -> None:
    """Serve, in the foreground.

    Logs to stderr, prints a line "ready" with its doors. SIGHUP reads the configuration again, SIGTERM stops.
    """
    with told(file):
        from xmppd.server_commands.checking import read

        from .serving import serve

        serve(read(file))


@main.command()
@config_option
def check(file: str) -> None:
    """Check a configuration file, and the certificates it names."""
    with told(file):
        from xmppd.server_commands.checking import check_certificates, read

        config = read(file)
        check_certificates(config)
    click.echo(f"{file} is right: {len(config.hosts)} hosts, {len(config.listen)} doors, {len(config.modules)} modules")


@main.command()
@click.argument("names", nargs=-1)
@click.option("--markdown", is_flag=True, help="Print a page of Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def modules(names: tuple[str, ...], markdown: bool, as_json: bool) -> None:
    """List the modules that are here, or tell all about some.

    For each: what it is for, its XEPs, options, tables, hooks, metrics and commands. Nothing is started.
    """
    with told():
        from .modules import show

        show(names, markdown=markdown, as_json=as_json)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"xmppd {__version__}")


@main.command()
def demo() -> None:
    """Serve localhost from the folder demo/, with accounts alice and bob.

    Made on the first run, kept for the next. Only programs on this machine can connect.
    """
    with told():
        from .demo import show_demo

        show_demo()


main.add_command(completion("xmppd", main))
