"""The tables of the archive.

Rows are only appended to `mam`; what finds those of one archive, `mam_order`, and of one contact, `mam_peers`, is
brought up to date for thousands of rows at once. An index that is kept up to date with each row writes two pages of
the disk for each: four times as much work as the message. `mam_mark` has the key up to which the two tables are
complete; what lies behind it is searched row by row, and never more than `store.FRESH` of them.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    "CREATE TABLE mam (id INTEGER PRIMARY KEY, tail BIGINT NOT NULL, host TEXT NOT NULL, archive TEXT NOT NULL, "
    "peer TEXT NOT NULL, resource TEXT NOT NULL, stanza BLOB NOT NULL);"
    "CREATE TABLE mam_order (archive TEXT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (archive, id)) WITHOUT ROWID;"
    "CREATE TABLE mam_peers (archive TEXT NOT NULL, peer TEXT NOT NULL, id BIGINT NOT NULL, "
    "PRIMARY KEY (archive, peer, id)) WITHOUT ROWID;"
    "CREATE TABLE mam_mark (one BIGINT PRIMARY KEY, id BIGINT NOT NULL);"
    "INSERT INTO mam_mark (one, id) VALUES (1, 0);"
    "CREATE TABLE mam_prefs (account TEXT PRIMARY KEY, prefs TEXT NOT NULL);",
)
INSERT: Final = "INSERT INTO mam (id, tail, host, archive, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?, ?)"
LAST: Final = "SELECT COALESCE(max(id), 0) FROM mam"
MARK: Final = "SELECT id FROM mam_mark WHERE one = 1"
FRESH_ROWS: Final = f"SELECT count(*) FROM mam WHERE id > ({MARK})"  # noqa: S608  # texts of this file

# Bringing the two tables up to date.
_FRESH: Final = f"FROM mam WHERE id > ({MARK}) AND id <= ?"
_ANYWAY: Final = "ON CONFLICT DO NOTHING"
FIND_ORDER: Final = f"INSERT INTO mam_order (archive, id) SELECT archive, id {_FRESH} ORDER BY archive, id {_ANYWAY}"
FIND_PEERS: Final = (
    f"INSERT INTO mam_peers (archive, peer, id) SELECT archive, peer, id {_FRESH} ORDER BY archive, peer, id {_ANYWAY}"
)
FOUND: Final = "UPDATE mam_mark SET id = ? WHERE one = 1 AND id < ?"
LATE_ORDER: Final = "INSERT INTO mam_order (archive, id) VALUES (?, ?)"
LATE_PEER: Final = "INSERT INTO mam_peers (archive, peer, id) VALUES (?, ?, ?)"

# One message.
ONE: Final = "SELECT tail, stanza FROM mam WHERE id = ? AND archive = ?"
REPLACE: Final = "UPDATE mam SET stanza = ? WHERE id = ? AND archive = ?"

# Deleting: the rows of a stretch of keys that are one host's, or one archive's.
NEXT: Final = "SELECT max(id), count(*) FROM (SELECT id FROM mam WHERE id > ? AND id < ? ORDER BY id LIMIT ?) AS next"
EDGES: Final = "SELECT COALESCE(min(id), 0) FROM mam"
OF_HOST: Final = "SELECT id FROM mam WHERE id > ? AND id <= ? AND host = ?"
OLD: Final = (
    "DELETE FROM mam_order WHERE (archive, id) IN (SELECT archive, id FROM mam WHERE id > ? AND id <= ? AND host = ?)",
    "DELETE FROM mam_peers WHERE (archive, peer, id) IN "
    "(SELECT archive, peer, id FROM mam WHERE id > ? AND id <= ? AND host = ?)",
    "DELETE FROM mam WHERE id > ? AND id <= ? AND host = ? RETURNING id",
)
OF_ARCHIVE: Final = "SELECT id FROM mam_order WHERE archive = ? ORDER BY id LIMIT ?"
DROP: Final = (
    "DELETE FROM mam_peers WHERE (archive, peer, id) IN "
    "(SELECT archive, peer, id FROM mam WHERE id IN (SELECT id FROM mam_order WHERE archive = ? AND id <= ?))",
    "DELETE FROM mam WHERE id IN (SELECT id FROM mam_order WHERE archive = ? AND id <= ?)",
    "DELETE FROM mam_order WHERE archive = ? AND id <= ?",
)

# Preferences.
PREFS: Final = "SELECT account, prefs FROM mam_prefs LIMIT ?"
PREFS_OF: Final = "SELECT prefs FROM mam_prefs WHERE account = ?"
SET_PREFS: Final = (
    "INSERT INTO mam_prefs (account, prefs) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET prefs = excluded.prefs"
)
FORGET_PREFS: Final = "DELETE FROM mam_prefs WHERE account = ?"
