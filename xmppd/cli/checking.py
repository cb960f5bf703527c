"""Checks a configuration's modules without starting them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from xmppd.api.loader import find
from xmppd.config import Config, ConfigError, explain


def check_modules(config: Config) -> None:
    """`ConfigError` with all that a start would stumble over: modules, their options, what they depend on."""
    found = [problem for host in config.hosts for problem in _problems(config.of_host(host).modules)]
    if found:
        raise ConfigError(list(dict.fromkeys(found)))


def _problems(modules: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, options in modules.items():
        try:
            kind = find(name)
            kind.Options.model_validate(dict(options))
        except ConfigError as error:
            yield from error.problems
        except ValidationError as error:
            yield from explain(error, kind.Options, f"modules.{name}")
        else:
            for needed in kind.depends:
                if needed not in modules:
                    yield f"modules.{name}: needs the module {needed}; add it to the configuration"
