"""Migrations: which version each owner's tables have, and what is still to do."""

from __future__ import annotations

from collections.abc import Sequence

from xmppd.storage.errors import Newer

CREATE = "CREATE TABLE IF NOT EXISTS migrations (owner TEXT PRIMARY KEY, version INTEGER NOT NULL)"
VERSION = "SELECT version FROM migrations WHERE owner = ?"
RECORD = (
    "INSERT INTO migrations (owner, version) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version"
)


def pending(owner: str, migrations: Sequence[str], version: int) -> Sequence[str]:
    """The migrations that tables of `version` still need. Raises Newer if they are ahead of the software."""
    if version > len(migrations):
        raise Newer(
            f"the tables of {owner!r} have version {version}, and this software knows them up to {len(migrations)}: "
            "the data folder was written by a newer version. Start that version again, or restore the backup made "
            "before the upgrade"
        )
    return migrations[version:]
