"""Reads the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .model import Config
from .problems import ConfigError

NEEDED = ("hosts", "data_dir", "listen")
"""What a file must name, so that nothing is served, written or opened that nobody wrote down."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, where plain YAML keeps the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the base class, which is given each key once."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} stands here twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def load(path: str | Path) -> Config:
    """The configuration in a YAML file; `ConfigError` lists all that is wrong with it.

    Relative paths inside it start from the file's folder. Nothing is created or opened.
    """
    path = Path(path)
    values = _values(path)
    missing = [f"{name}: is missing; conf/xmppd.yml shows every option" for name in NEEDED if name not in values]
    try:
        config = Config.from_dict({"data_dir": path.parent, **values}, path.parent.absolute())
    except ConfigError as error:
        raise ConfigError(missing + error.problems) from None
    if missing:
        raise ConfigError(missing)
    config._file = path.absolute()
    return config


def _values(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}; name another file with -c"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([_where(path, error)]) from None
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: must be a mapping of options, such as `hosts: [example.org]`"])
    return values


def _where(path: Path, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{path}:{mark.line + 1}:{mark.column + 1}: {error.problem or error.context}"
    return f"{path}: {error}"
