"""What changed between two configurations, and whether a running server can take it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .model import Config

RESTART: Final = frozenset({"hosts", "data_dir", "database", "listen", "tls_min_version", "client_ca"})
"""Doors, folders and hosts are opened once, at the start."""


def differences(old: Config, new: Config) -> tuple[list[str], list[str]]:
    """Paths of options that differ: those that can change live, and those that need a restart."""
    changed = sorted(set(_differing(_plain(old), _plain(new))))
    restart = [path for path in changed if path.split(".")[0] in RESTART]
    return [path for path in changed if path not in restart], restart


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
