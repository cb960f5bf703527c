"""What changed between two configurations, and whether a running server can take it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from .model import Config

RESTART: Final = frozenset(
    {"hosts", "data_dir", "database", "listen", "tls_min_version", "client_ca", "limits.max_command_size"}
)
"""Doors, folders and hosts are opened once, at the start."""


def differences(old: Config, new: Config) -> tuple[list[str], list[str]]:
    """Paths of options that differ: those that can change live, and those that need a restart."""
    changed = sorted(set(_differing(_plain(old), _plain(new))))
    restart = [path for path in changed if path in RESTART or path.split(".")[0] in RESTART]
    return [path for path in changed if path not in restart], restart


def held_back(old: Config, new: Config, restart: Iterable[str]) -> Config:
    """The new configuration as far as it can change live: what needs a restart stays as it was."""
    kept: dict[str, Any] = {}
    for path in restart:
        root, _, option = path.partition(".")
        before = getattr(old, root)
        if option and root not in RESTART:
            section = kept.get(root, getattr(new, root))
            kept[root] = section.model_copy(update={option: getattr(before, option)})
        else:
            kept[root] = before
    return new.model_copy(update=kept)


def _plain(config: Config) -> dict[str, Any]:
    return config.model_dump()


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield path
        return
    for key in old.keys() | new.keys():
        deeper = f"{path}.{key}" if path else str(key)
        if key in old and key in new:
            yield from _differing(old[key], new[key], deeper)
        else:
            yield deeper
