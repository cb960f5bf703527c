"""The table of admin commands: one declaration serves xmppctl, REST and ad-hoc commands."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Union

from .nearest import did_you_mean
from .xmpp.errors import StanzaError
from .xmpp.jid import JID, nodeprep

Progress = Callable[[int, int], None]
"""Told (done, total) while a long command runs; total is 0 where it is not known."""

MOST_DAYS: Final = 36_500
"""The age of what can be asked for: a hundred years, so that no date before it is out of range."""

STANDALONE: Final = "standalone"
"""The tag of a command that xmppctl may do by itself while no server runs."""

_LARGEST: Final = 1 << 63  # what a column of a database holds


class CommandError(Exception):
    """A command cannot be done; its text is for the administrator and says what to do."""


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command. `kind` is str, int, float, bool, JID, Path or list[str] (written `a,b,c`)."""

    name: str
    kind: object
    default: object = REQUIRED
    doc: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Its arguments on the command line: a JID named `account` is written USER HOST, in ejabberd's order."""
        return ("user", "host") if self.kind is JID and self.name == "account" else (self.name,)

    def shown(self, word: str) -> str:
        """One of its words in a usage line."""
        if self.is_flag:
            return f"[--{word}]"
        return word.upper() if self.default is REQUIRED else f"[{word.upper()}]"

    @property
    def is_flag(self) -> bool:
        """Whether it is false unless said; people may say it as `--name`."""
        return self.kind is bool and self.default is False

    def parse(self, values: Sequence[object]) -> object:
        """The typed value from as many values as it has words; `CommandError` says what is expected."""
        expected = EXPECTED[self.kind]
        if self.is_flag and values[0] == f"--{self.name}":
            return True
        try:
            return account(*map(str, values)) if len(values) == 2 else PARSERS[self.kind](values[0])
        except StanzaError as error:
            raise CommandError(f"{self.name} must be {expected}; {error.text or error.condition}") from None
        except OverflowError as error:
            raise CommandError(f"{self.name} {error}") from None
        except (ValueError, TypeError):
            raise CommandError(f"{self.name} must be {expected}, not {values[0]!r}") from None


@dataclass(frozen=True, slots=True)
class Command:
    """One admin command. `tags` group it in the help, as in ejabberd: accounts, session, roster, server, ..."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    call: Callable[..., Awaitable[object]]
    tags: frozenset[str] = frozenset()
    takes_progress: bool = False

    @property
    def usage(self) -> str:
        """The line to type: `register USER HOST PASSWORD`, optional arguments in brackets."""
        words = (parameter.shown(word) for parameter in self.parameters for word in parameter.words)
        return " ".join((self.name, *words))

    def parse(self, arguments: Sequence[object]) -> dict[str, object]:
        """Typed values by parameter name, from arguments in order; `CommandError` with the usage line."""
        values: dict[str, object] = {}
        left = list(arguments)
        for parameter in self.parameters:
            given, left = left[: len(parameter.words)], left[len(parameter.words) :]
            if len(given) == len(parameter.words):
                values[parameter.name] = self._parse_one(parameter, given)
            elif given or parameter.default is REQUIRED:
                raise CommandError(f"{parameter.words[len(given)].upper()} is missing; usage: {self.usage}")
        if left:
            raise CommandError(f"{len(left)} argument(s) too many, from {left[0]!r} on; usage: {self.usage}")
        return values

    def parse_named(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Typed values from arguments by word (`user`, `host`, ...), as REST and ad-hoc forms give them."""
        words = {word for parameter in self.parameters for word in parameter.words}
        for unknown in arguments.keys() - words:
            raise CommandError(f"{unknown!r} is no argument{did_you_mean(unknown, words)}; usage: {self.usage}")
        values: dict[str, object] = {}
        for parameter in self.parameters:
            given = [arguments[word] for word in parameter.words if word in arguments]
            if len(given) == len(parameter.words):
                values[parameter.name] = self._parse_one(parameter, given)
            elif given or parameter.default is REQUIRED:
                missing = next(word for word in parameter.words if word not in arguments)
                raise CommandError(f"{missing.upper()} is missing; usage: {self.usage}")
        return values

    def _parse_one(self, parameter: Parameter, given: Sequence[object]) -> object:
        try:
            return parameter.parse(given)
        except CommandError as error:
            raise CommandError(f"{error}; usage: {self.usage}") from None


class Commands:
    """Every command that can be called now. Several hosts may add the same name; server-wide ones have host None."""

    def __init__(self) -> None:
        self._table: dict[str, dict[str | None, Command]] = {}

    def add(self, command: Command, host: str | None = None) -> None:
        """Offer a command, for one host or for the server; ValueError where the name is taken there."""
        hosts = self._table.setdefault(command.name, {})
        if host in hosts:
            raise ValueError(f"the command {command.name!r} exists already for {host or 'the server'}")
        hosts[host] = command

    def remove(self, name: str, host: str | None = None) -> None:
        """Withdraw what `add` offered; KeyError where it was not."""
        del self._table[name][host]
        if not self._table[name]:
            del self._table[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._table)

    def all(self) -> list[Command]:
        """One command for each name, sorted by name."""
        return [self.get(name) for name in self.names()]

    def get(self, name: str) -> Command:
        """The command of that name, of any host; `CommandError` with the nearest names where there is none."""
        if name not in self._table:
            hint = did_you_mean(name, self._table) or "; `xmppctl --help` lists them all"
            raise CommandError(f"there is no command {name!r}{hint}")
        return next(iter(self._table[name].values()))

    async def call(
        self,
        name: str,
        arguments: Sequence[object] | Mapping[str, object] = (),
        *,
        host: str | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> object:
        """Run a command with arguments in order, or by name.

        `host` picks among hosts where no argument does (an account's domain, `localhost`, or `host`); relative paths
        start from `folder`, the caller's. The result is None, str, int, a dict, or a list of str or of dicts.
        `CommandError` for all that the caller can put right.
        """
        command = self.get(name)
        named = isinstance(arguments, Mapping)
        values = command.parse_named(arguments) if named else command.parse(arguments)  # type: ignore[arg-type]
        values = {name: folder / path if folder and isinstance(path, Path) else path for name, path in values.items()}
        if command.takes_progress:
            values["progress"] = progress or _nothing
        try:
            command = self._of_host(name, host or _host_of(values))
            return await command.call(**values)
        except StanzaError as error:
            raise CommandError(error.text or error.condition) from error

    def _of_host(self, name: str, host: str | None) -> Command:
        hosts = self._table[name]
        command = hosts.get(host) or hosts.get(None)
        if command is None and host is None and len(hosts) == 1:
            command = next(iter(hosts.values()))
        if command is None:
            served = ", ".join(sorted(filter(None, hosts)))
            asked = (
                f"{host!r} does not offer {name}" if host else f"{name} exists for several hosts: say which (--host)"
            )
            raise CommandError(f"{asked}; hosts that do: {served}")
        return command


def describe(function: Callable[..., Awaitable[object]], name: str, doc: str, tags: Iterable[str] = ()) -> Command:
    """A command from a coroutine function's signature; TypeError where a parameter's type is none of `Parameter`'s.

    A parameter named `progress` is given a `Progress` and does not appear among the arguments.
    """
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    names = [parameter for parameter in signature.parameters if parameter != "self"]
    parameters = tuple(
        Parameter(parameter, _kind(name, parameter, hints), _default(signature.parameters[parameter]))
        for parameter in names
        if parameter != "progress"
    )
    return Command(name, doc, parameters, function, frozenset(tags), takes_progress="progress" in names)


def account(user: str, host: str) -> JID:
    """The bare address of an account from the two words people type; `StanzaError("jid-malformed")`."""
    domain = JID.parse(host)
    if domain.local or domain.resource:
        raise StanzaError("jid-malformed", f"{host!r} is no host name")
    return JID(nodeprep(user), domain.domain)


def check_days(days: int) -> None:
    """`CommandError` where an argument `days` is no age that anything here can have."""
    if not 0 <= days <= MOST_DAYS:
        raise CommandError(f"DAYS must lie between 0 and {MOST_DAYS}")


def _kind(command: str, parameter: str, hints: Mapping[str, object]) -> object:
    kind = hints.get(parameter)
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is Union:
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        kind = options[0] if len(options) == 1 else kind
    if kind not in PARSERS:
        raise TypeError(
            f"command {command}: {parameter} is {kind!r}; a parameter is str, int, float, bool, JID, Path or list[str]"
        )
    return kind


def _default(parameter: inspect.Parameter) -> object:
    return REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default


def _host_of(values: Mapping[str, object]) -> str | None:
    """The host that the arguments speak of, prepared: an account's, `localhost` (beside a contact's), or `host`."""
    named = values.get("account")
    if isinstance(named, JID):
        return named.domain
    host = values.get("localhost") or values.get("host")
    return JID.parse(host).domain if isinstance(host, str) and host else None


def _nothing(done: int, total: int) -> None:
    """The progress of a command that nobody watches."""


def _exactly(kind: type, value: object) -> object:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def _number(kind: Callable[[str], int | float], value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"{value!r} is no number")
    return kind(str(value))


def _whole(value: object) -> object:
    number = typing.cast("int", _number(int, value))
    if not -_LARGEST <= number < _LARGEST:
        raise OverflowError(f"must lie between {-_LARGEST} and {_LARGEST - 1}")
    return number


def _bool(value: object) -> object:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _list(value: object) -> object:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return [_exactly(str, item) for item in typing.cast("list[object]", _exactly(list, value))]


def _path(value: object) -> object:
    return value if isinstance(value, Path) else Path(typing.cast("str", _exactly(str, value)))


def _jid(value: object) -> object:
    return JID.parse(typing.cast("str", _exactly(str, value)))


PARSERS: Final[Mapping[object, Callable[[object], object]]] = {
    str: partial(_exactly, str),
    int: _whole,
    float: partial(_number, float),
    bool: _bool,
    JID: _jid,
    Path: _path,
    list[str]: _list,
}

EXPECTED: Final[Mapping[object, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    JID: "an address like user@example.org",
    Path: "the path of a file",
    list[str]: "a list like a,b,c",
}
