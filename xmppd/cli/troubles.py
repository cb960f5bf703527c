"""What people are told when something cannot be done: what is wrong and what to do, never a traceback."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from xmppd.commands import CommandError
from xmppd.config import ConfigError

DEFAULT: Final = "/etc/xmppd/xmppd.yml"

config_option = click.option(
    "-c",
    "--config",
    "file",
    default=lambda: os.environ.get("XMPPD_CONFIG", DEFAULT),
    show_default=f"$XMPPD_CONFIG, else {DEFAULT}",
    type=click.Path(dir_okay=False),
    is_eager=True,  # help lists the commands of the modules it names
    help="The configuration file.",
)


class Trouble(click.ClickException):
    """Shown as it is, on stderr; the exit code is 1."""

    def show(self, file: object = None) -> None:
        """The text, the first word in red on a terminal."""
        click.secho("error: ", fg="red", err=True, nl=False)
        click.echo(self.message, err=True)


@contextmanager
def told(file: str = "") -> Iterator[None]:
    """Turn the errors that people can put right into words. `file` is the configuration they come from."""
    from xmppd.storage.errors import StorageError  # not before it is needed: it takes a tenth of a second

    try:
        yield
    except ConfigError as error:
        problems = [problem for problem in error.problems if not problem.startswith(file)] if file else []
        where = [f"{file}:"] if problems else []
        raise Trouble("\n  ".join([*where, *error.problems])) from None
    except (CommandError, StorageError) as error:
        raise Trouble(str(error)) from None
    except OSError as error:
        raise Trouble(_of_system(error)) from None


def _of_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    hints = {
        errno.EACCES: "; run it as a user who may, or change who may (chown, chmod)",
        errno.EPERM: "; run it as a user who may",
        errno.ENOSPC: "; make room on that disk",
        errno.EMFILE: "; allow more open files (ulimit -n)",
    }
    return f"{where}{error.strerror or error}{hints.get(error.errno or 0, '')}"
