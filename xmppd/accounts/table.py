"""The table of accounts: its SQL, and what stands in its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from xmppd.sasl import HASHES, Credentials, Keys, Shape, shape_of
from xmppd.sasl.keys import ITERATIONS, MOST_ITERATIONS, SIZES, check, dump, load
from xmppd.storage import Row

MIGRATIONS: Final = (
    "CREATE TABLE accounts (host TEXT NOT NULL, name TEXT NOT NULL, scram_sha_1 TEXT, scram_sha_256 TEXT, "
    "scram_sha_512 TEXT, PRIMARY KEY (host, name))",
)
KEYS: Final = "scram_sha_1, scram_sha_256, scram_sha_512"  # in the order of HASHES
INSERT: Final = (
    f"INSERT INTO accounts (host, name, {KEYS}) VALUES (?, ?, ?, ?, ?) "  # noqa: S608
    "ON CONFLICT DO NOTHING RETURNING name"
)
UPDATE: Final = (
    "UPDATE accounts SET scram_sha_1 = ?, scram_sha_256 = ?, scram_sha_512 = ? "
    "WHERE host = ? AND name = ? RETURNING name"
)
SELECT: Final = f"SELECT {KEYS} FROM accounts WHERE host = ? AND name = ?"  # noqa: S608
DELETE: Final = f"DELETE FROM accounts WHERE host = ? AND name = ? RETURNING {KEYS}"  # noqa: S608
NAMES: Final = "SELECT name FROM accounts WHERE host = ? AND name > ? ORDER BY name LIMIT ?"


class Stored(Mapping[str, Keys]):
    """A row's keys by hash, read from their text when they are asked for: a login needs one of three."""

    __slots__ = ("_texts",)

    def __init__(self, row: Row) -> None:
        self._texts = {hash: text for hash, text in zip(HASHES, row, strict=True) if text is not None}

    def __getitem__(self, hash: str) -> Keys:
        return load(self._texts[hash])[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def texts_of(credentials: Credentials) -> tuple[str | None, ...]:
    """What stands in the columns of the hashes."""
    return tuple(dump(hash, credentials[hash]) if hash in credentials else None for hash in HASHES)


def adding(hash: str) -> str:
    """The SQL that puts a hash's keys where none are; it returns the row's keys."""
    column = _column(hash)
    return (
        f"UPDATE accounts SET {column} = ? WHERE host = ? AND name = ? AND {column} IS NULL "  # noqa: S608
        f"RETURNING {KEYS}"
    )


def _column(hash: str) -> str:
    return f"scram_{hash.lower().replace('-', '_')}"


def _around(hash: str) -> tuple[int, int]:
    """How many characters of a text of `dump` stand before the iterations, and how many behind the salt."""
    return len(f"SCRAM-{hash}$"), len("$:") + 2 * 4 * -(-SIZES[hash] // 3)


def _measures(hash: str) -> str:
    """The SQL of `iterations:length of all:padding of the salt`, NULL without keys.

    Two microseconds a row; to search for the colons has other names on each database, and to trim takes ten times that.
    """
    column, start = _column(hash), _around(hash)[0] + 1
    digits = range(len(str(ITERATIONS)), len(str(MOST_ITERATIONS)) + 1)
    cases = " ".join(
        f"WHEN substr({column}, {start + count}, 1) = ':' THEN substr({column}, {start}, {count})" for count in digits
    )
    padding = f"CASE WHEN {column} LIKE '%==$%' THEN ':2' WHEN {column} LIKE '%=$%' THEN ':1' ELSE ':0' END"
    return f"CASE {cases} END || ':' || CAST(length({column}) AS TEXT) || {padding}"


def _shapes() -> str:
    measures = ", ".join(f"{_measures(hash)} AS {_column(hash)}" for hash in HASHES)
    return (
        f"SELECT {KEYS}, COUNT(*) FROM (SELECT {measures} FROM accounts WHERE host = ?) AS measured "  # noqa: S608
        f"GROUP BY {KEYS} ORDER BY COUNT(*) DESC, {KEYS} LIMIT ?"
    )


SHAPES: Final = _shapes()
"""The shapes of a host's accounts, for `shape_measured`, and how many accounts have each; the commonest first."""


def shape_measured(row: Row) -> Shape:
    """The shape that a row of `SHAPES` tells of; none where another hand has written what no client could use."""
    try:
        return shape_of({hash: _like(hash, text) for hash, text in zip(HASHES, row, strict=True) if text is not None})
    except ValueError:
        return ()


def shape_stored(row: Row) -> Shape:
    """The shape of the keys in a row, in the same way."""
    try:
        return shape_of(Stored(row))
    except ValueError:
        return ()


def _like(hash: str, text: str) -> Keys:
    iterations, length, padding = text.split(":")
    salt = (int(length) - sum(_around(hash)) - len(f"{iterations}:")) // 4 * 3 - int(padding)
    keys = Keys(bytes(salt), int(iterations), bytes(SIZES[hash]), bytes(SIZES[hash]))
    check(hash, keys)
    return keys
