"""What is stored of notes, and the SQL that reads and writes it."""

from __future__ import annotations

from typing import Final

# The key's id is read from the record itself, so that nothing beside it can say otherwise.
MIGRATIONS: Final = (
    """CREATE TABLE roster_notes (
        account TEXT NOT NULL,
        contact TEXT NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (account, contact)
    ) WITHOUT ROWID;
    CREATE INDEX roster_notes_key ON roster_notes (SUBSTR(record, 2, 8), account, contact)""",
)

OF_ACCOUNT: Final = "SELECT contact, record FROM roster_notes WHERE account = ?"
OF_CONTACT: Final = OF_ACCOUNT + " AND contact = ?"
PUT: Final = (
    "INSERT INTO roster_notes (account, contact, record) VALUES (?, ?, ?)"
    " ON CONFLICT (account, contact) DO UPDATE SET record = excluded.record"
)
DROP: Final = "DELETE FROM roster_notes WHERE account = ? AND contact = ?"
CLEAR: Final = "DELETE FROM roster_notes WHERE account = ?"
ANY_OF_HOST: Final = "SELECT 1 FROM roster_notes WHERE account LIKE ? ESCAPE '!' LIMIT 1"

OF_KEY: Final = "SELECT COUNT(*) FROM roster_notes WHERE SUBSTR(record, 2, 8) = ?"
NEXT_OF_KEY: Final = (
    "SELECT account, contact, record FROM roster_notes WHERE SUBSTR(record, 2, 8) = ?"
    " AND (account, contact) > (?, ?) ORDER BY account, contact LIMIT ?"
)
# What was changed or removed since it was read is left alone: it has the current key already.
REWRITE: Final = "UPDATE roster_notes SET record = ? WHERE account = ? AND contact = ? AND record = ?"


def of_host(host: str) -> str:
    """The pattern of all accounts of a host, for `ANY_OF_HOST`."""
    return "%@" + "".join(f"!{letter}" if letter in "!%_" else letter for letter in host)
