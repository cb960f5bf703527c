"""What is stored of rosters, and the SQL that reads and writes it."""

from __future__ import annotations

from typing import Final

from xmppd.api import Statement

from .states import APPROVED, FROM, PENDING_IN

# `state` has the bits of `states.py`. `version` is the roster's version when the row was last shown to clients; a row
# with state 0 remembers that the contact was removed then. The row of the contact '' holds the version below which
# removals have been forgotten.
MIGRATIONS: Final = (
    """CREATE TABLE roster (
        account TEXT NOT NULL,
        contact TEXT NOT NULL,
        name TEXT NOT NULL,
        grouped TEXT NOT NULL,
        state INTEGER NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (account, contact)
    ) WITHOUT ROWID;
    CREATE TABLE roster_requests (
        account TEXT NOT NULL,
        contact TEXT NOT NULL,
        id TEXT NOT NULL,
        lang TEXT NOT NULL,
        letter BLOB NOT NULL,
        PRIMARY KEY (account, contact)
    ) WITHOUT ROWID""",
)

LOAD: Final = "SELECT contact, name, grouped, state, version FROM roster WHERE account = ?"
ONE: Final = "SELECT contact, name, grouped, state, version FROM roster WHERE account = ? AND contact = ?"
SINCE: Final = (
    "SELECT contact, name, grouped, state, version FROM roster WHERE account = ? AND version > ? AND contact <> ''"
    " ORDER BY version, contact"
)
PUT: Final = (
    "INSERT INTO roster (account, contact, name, grouped, state, version) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, grouped = excluded.grouped,"
    " state = excluded.state, version = excluded.version"
)
# What an export says of a contact; a request of its own that came before goes on waiting where one can (RFC 6121 A.3).
PUT_IMPORTED: Final = (
    "INSERT INTO roster (account, contact, name, grouped, state, version) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, grouped = excluded.grouped,"
    f" state = excluded.state | CASE WHEN (excluded.state & {FROM | APPROVED}) = 0"
    f" THEN (roster.state & {PENDING_IN}) ELSE 0 END,"
    " version = excluded.version"
)
# A change that clients are not shown comes with version 0 and leaves the row's version as it is.
MARK: Final = (
    "INSERT INTO roster (account, contact, name, grouped, state, version) VALUES (?, ?, '', '', ?, ?)"
    " ON CONFLICT (account, contact) DO UPDATE SET state = excluded.state,"
    " version = CASE WHEN excluded.version > 0 THEN excluded.version ELSE roster.version END"
)
DROP: Final = "DELETE FROM roster WHERE account = ? AND contact = ?"
DROP_STRANGER: Final = DROP + " AND state = 0 AND version = 0"
FORGET: Final = "DELETE FROM roster WHERE account = ? AND state = 0"
CLEAR: Final = "DELETE FROM roster WHERE account = ?"

REQUESTS: Final = "SELECT contact, id, lang, letter FROM roster_requests WHERE account = ? ORDER BY contact"
KEEP_REQUEST: Final = (
    "INSERT INTO roster_requests (account, contact, id, lang, letter) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (account, contact) DO UPDATE SET id = excluded.id, lang = excluded.lang, letter = excluded.letter"
)
DROP_REQUEST: Final = "DELETE FROM roster_requests WHERE account = ? AND contact = ?"
DROP_ANSWERED: Final = (
    "DELETE FROM roster_requests WHERE account = ? AND contact IN"  # noqa: S608
    f" (SELECT contact FROM roster WHERE account = ? AND (state & {PENDING_IN}) = 0)"
)
CLEAR_REQUESTS: Final = "DELETE FROM roster_requests WHERE account = ?"


def floor(account: str, version: int) -> Statement:
    """Write that removals before this version are forgotten."""
    return PUT, (account, "", "", "", 0, version)
