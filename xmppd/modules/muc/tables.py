"""The tables of rooms, and the SQL that writes them."""

from __future__ import annotations

from typing import Final

# `room` is the room's bare address; `used` is when somebody last spoke or left, in seconds since 1970. A history row's
# `seq` orders the messages of a room; `at` are microseconds since 1970.
MIGRATIONS: Final = (
    """CREATE TABLE muc_rooms (
        room TEXT NOT NULL,
        domain TEXT NOT NULL,
        public INTEGER NOT NULL,
        title TEXT NOT NULL,
        settings TEXT NOT NULL,
        secret BLOB NOT NULL,
        created BIGINT NOT NULL,
        used BIGINT NOT NULL,
        PRIMARY KEY (room)
    );
    CREATE INDEX muc_rooms_listed ON muc_rooms (domain, public, room);
    CREATE TABLE muc_affiliations (
        room TEXT NOT NULL,
        account TEXT NOT NULL,
        affiliation TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (room, account)
    ) WITHOUT ROWID;
    CREATE INDEX muc_affiliations_account ON muc_affiliations (account);
    CREATE TABLE muc_nicks (
        room TEXT NOT NULL,
        nick TEXT NOT NULL,
        account TEXT NOT NULL,
        PRIMARY KEY (room, nick)
    ) WITHOUT ROWID;
    CREATE INDEX muc_nicks_account ON muc_nicks (account);
    CREATE TABLE muc_subjects (
        room TEXT NOT NULL,
        nick TEXT NOT NULL,
        at BIGINT NOT NULL,
        id TEXT NOT NULL,
        lang TEXT NOT NULL,
        letter BLOB NOT NULL,
        PRIMARY KEY (room)
    );
    CREATE TABLE muc_history (
        room TEXT NOT NULL,
        seq BIGINT NOT NULL,
        at BIGINT NOT NULL,
        nick TEXT NOT NULL,
        author TEXT NOT NULL,
        id TEXT NOT NULL,
        lang TEXT NOT NULL,
        letter BLOB NOT NULL,
        PRIMARY KEY (room, seq)
    ) WITHOUT ROWID;
    CREATE TABLE muc_hats (
        room TEXT NOT NULL,
        uri TEXT NOT NULL,
        title TEXT NOT NULL,
        hue TEXT NOT NULL,
        PRIMARY KEY (room, uri)
    ) WITHOUT ROWID;
    CREATE TABLE muc_hats_worn (
        room TEXT NOT NULL,
        account TEXT NOT NULL,
        uri TEXT NOT NULL,
        PRIMARY KEY (room, account, uri)
    ) WITHOUT ROWID;
    CREATE TABLE muc_cards (
        room TEXT NOT NULL,
        card TEXT NOT NULL,
        hash TEXT NOT NULL,
        PRIMARY KEY (room)
    )""",
    "CREATE INDEX muc_hats_worn_account ON muc_hats_worn (account)",
)
TABLES: Final = (
    "muc_rooms",
    "muc_affiliations",
    "muc_nicks",
    "muc_subjects",
    "muc_history",
    "muc_hats",
    "muc_hats_worn",
    "muc_cards",
)

PUT_ROOM: Final = (
    "INSERT INTO muc_rooms (room, domain, public, title, settings, secret, created, used)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room) DO UPDATE SET"
    " public = excluded.public, title = excluded.title, settings = excluded.settings, used = excluded.used"
)
PUT_SETTINGS: Final = "UPDATE muc_rooms SET public = ?, title = ?, settings = ? WHERE room = ?"
USED: Final = "UPDATE muc_rooms SET used = ? WHERE room = ?"
PUT_AFFILIATION: Final = (
    "INSERT INTO muc_affiliations (room, account, affiliation, reason) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (room, account) DO UPDATE SET affiliation = excluded.affiliation, reason = excluded.reason"
)
DROP_AFFILIATION: Final = "DELETE FROM muc_affiliations WHERE room = ? AND account = ?"
PUT_NICK: Final = (
    "INSERT INTO muc_nicks (room, nick, account) VALUES (?, ?, ?)"
    " ON CONFLICT (room, nick) DO UPDATE SET account = excluded.account"
)
DROP_NICKS: Final = "DELETE FROM muc_nicks WHERE room = ? AND account = ?"
PUT_SUBJECT: Final = (
    "INSERT INTO muc_subjects (room, nick, at, id, lang, letter) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (room) DO UPDATE"
    " SET nick = excluded.nick, at = excluded.at, id = excluded.id, lang = excluded.lang, letter = excluded.letter"
)
PUT_LINE: Final = (
    "INSERT INTO muc_history (room, seq, at, nick, author, id, lang, letter) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_LINES: Final = "DELETE FROM muc_history WHERE room = ? AND seq <= ?"
DROP_LINE: Final = "DELETE FROM muc_history WHERE room = ? AND seq = ?"
PUT_HAT: Final = (
    "INSERT INTO muc_hats (room, uri, title, hue) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (room, uri) DO UPDATE SET title = excluded.title, hue = excluded.hue"
)
DROP_HAT: Final = "DELETE FROM muc_hats WHERE room = ? AND uri = ?"
TAKE_HAT: Final = "DELETE FROM muc_hats_worn WHERE room = ? AND uri = ?"
WEAR_HAT: Final = "INSERT INTO muc_hats_worn (room, account, uri) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DOFF_HAT: Final = "DELETE FROM muc_hats_worn WHERE room = ? AND account = ? AND uri = ?"
PUT_CARD: Final = (
    "INSERT INTO muc_cards (room, card, hash) VALUES (?, ?, ?)"
    " ON CONFLICT (room) DO UPDATE SET card = excluded.card, hash = excluded.hash"
)
DROP_CARD: Final = "DELETE FROM muc_cards WHERE room = ?"
LINES: Final = (
    "SELECT seq, at, nick, author, id, lang, letter FROM muc_history WHERE room = ? ORDER BY seq DESC LIMIT ?"
)
KNOWING: Final = (
    "SELECT room, affiliation FROM muc_affiliations WHERE account = ?"
    " UNION ALL SELECT room, '' FROM muc_nicks WHERE account = ?"
    " UNION ALL SELECT room, '' FROM muc_hats_worn WHERE account = ?"
)
COLUMNS: Final = "room, public, settings, created, used"
