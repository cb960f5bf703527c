"""The command `xmppctl`: administers a server."""

from __future__ import annotations

from typing import Any

import click

from xmppd.commands import Command, CommandError, Commands
from xmppd.config import Config, ConfigError, load

from .completion import completion
from .troubles import config_option, told

TAGS = ("accounts", "roster", "session", "server", "config", "logs", "modules")
"""The order of the groups in the help; others follow."""


class AdminCommand(click.Command):
    """A command of the server. Its usage is looked up only where help is asked for."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The usage line and what it is for."""
        try:
            command = _known(ctx).get(self.name or "")
        except CommandError as error:
            formatter.write_text(str(error))
            return
        formatter.write_usage("xmppctl", command.usage)
        formatter.write_paragraph()
        formatter.write_text(command.doc)


class AdminGroup(click.Group):
    """All the server's commands as subcommands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """For completion and help."""
        return [*_known(ctx).names(), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Any name: whether it exists the server knows."""
        own = super().get_command(ctx, cmd_name)
        return own or AdminCommand(
            cmd_name,
            params=[
                click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED),
                click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON."),
            ],
            callback=_call,
            context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """By what they are about."""
        groups: dict[str, list[Command]] = {tag: [] for tag in TAGS}
        for command in _known(ctx).all():
            groups.setdefault(_group(command), []).append(command)
        for tag, commands in groups.items():
            if commands:
                with formatter.section(tag):
                    formatter.write_dl([(command.usage, command.doc) for command in commands], col_max=48)
        with formatter.section("xmppctl itself"):
            formatter.write_dl([("completion SHELL", "Print the completion script of a shell")])


def _group(command: Command) -> str:
    return next((tag for tag in TAGS if tag in command.tags), min(command.tags, default="other"))


@click.group(
    cls=AdminGroup, context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[-c FILE] [--json]"
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
@click.option("--host", help="Which host, for a command that names none and exists for several.")
@click.pass_context
def main(ctx: click.Context, file: str, as_json: bool, host: str | None) -> None:
    """Administer an XMPP server: the one that runs with this configuration, or its data while none runs.

    Commands have the names and arguments of ejabberdctl. The exit code is 0, or 1 with the reason on stderr.
    """


@click.pass_context
def _call(ctx: click.Context, arguments: tuple[str, ...], as_json: bool) -> None:
    assert ctx.parent is not None
    options = ctx.parent.params
    with told(options["file"]):
        config = load(options["file"])
    from .calling import call
    from .showing import bar, show

    with told(), bar(str(ctx.info_name)) as progress:
        result = call(config, str(ctx.info_name), arguments, options["host"], progress)
    show(result, as_json=as_json or options["as_json"])


def _known(ctx: click.Context) -> Commands:
    """The commands of the configuration in use; of all bundled modules where there is none to read."""
    from .listing import declared_commands

    return declared_commands(_config(ctx))


def _config(ctx: click.Context) -> Config | None:
    parameters: dict[str, Any] = ctx.find_root().params
    try:
        return load(parameters["file"])
    except (ConfigError, KeyError):
        return None


main.add_command(completion("xmppctl", main))
