"""Shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


def completion(program: str, group: click.Group) -> click.Command:
    """The subcommand that prints what a shell needs to complete the program's commands."""

    @click.command(
        "completion",
        help="Print the completion script of a shell.\n\n"
        f"\b\nbash:  {program} completion bash > ~/.local/share/bash-completion/completions/{program}"
        f"\nzsh:   {program} completion zsh > ~/.zfunc/_{program}"
        f"\nfish:  {program} completion fish > ~/.config/fish/completions/{program}.fish",
    )
    @click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
    def command(shell: str) -> None:
        kind = get_completion_class(shell)
        assert kind is not None
        click.echo(kind(group, {}, program, f"_{program.upper()}_COMPLETE").source())

    return command
