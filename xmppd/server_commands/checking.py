"""Reads a configuration and checks all of it, its modules too, without starting anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pydantic import ValidationError

from xmppd.api.loader import find
from xmppd.config import Config, ConfigError, explain, load
from xmppd.listeners.certificates import Certificates

PROTOCOLS: Final = ("c2s", "component", "http")  # what doors speak; the configuration has words for more to come


def read(file: str | Path) -> Config:
    """A configuration that a server can take: `load`, `check_doors` and `check_modules`."""
    config = load(file)
    check_doors(config)
    check_modules(config)
    return config


def check_doors(config: Config) -> None:
    """`ConfigError` where a door speaks a protocol that this version does not have, or serves what a host serves."""
    found = [
        f"listen[{index}].module: {door.module} is not in this version; remove the entry"
        for index, door in enumerate(config.listen)
        if door.module not in PROTOCOLS
    ]
    found += [
        f"listen[{index}].hosts.{name}: this server is {name} itself; a component needs a domain of its own"
        for index, door in enumerate(config.listen)
        for name in door.hosts
        if name in config.hosts
    ]
    if found:
        raise ConfigError(found)


def check_certificates(config: Config) -> None:
    """`ConfigError` where the files of certificates cannot be used as they are now; nothing is left on the disk."""
    with TemporaryDirectory(prefix="xmppd-") as folder:
        Certificates(config.hosts, config.certfiles, Path(folder), client_ca=config.client_ca)


def check_modules(config: Config) -> None:
    """`ConfigError` with all that a start would stumble over: modules, their options, what they depend on."""
    found = [problem for host in config.hosts for problem in _problems(config.of_host(host).modules, config.folder)]
    if found:
        raise ConfigError(list(dict.fromkeys(found)))


def _problems(modules: Mapping[str, Mapping[str, Any]], folder: Path) -> Iterator[str]:
    for name, options in modules.items():
        try:
            kind = find(name)
            kind.Options.model_validate(dict(options), context={"folder": folder})
        except ConfigError as error:
            yield from error.problems
        except ImportError as error:
            yield f"modules.{name}: cannot be imported: {error}; install what it needs"
        except ValidationError as error:
            yield from explain(error, kind.Options, f"modules.{name}")
        else:
            for needed in kind.depends:
                if needed not in modules:
                    yield f"modules.{name}: needs the module {needed}; add it to the configuration"
