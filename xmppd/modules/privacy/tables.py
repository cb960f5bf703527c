"""What is stored of privacy lists, and the SQL that reads and writes it: a row for each list and for each item."""

from __future__ import annotations

from typing import Final

from .items import Item

# `standard` is 1 for the default list. An item is known by type and value; `sequence` is the order of adding, which
# decides where `place`, the order that clients see, is equal. `kinds` has the bits of `items.py`.
MIGRATIONS: Final = (
    """CREATE TABLE privacy_lists (
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        standard INTEGER NOT NULL,
        PRIMARY KEY (account, name)
    ) WITHOUT ROWID;
    CREATE TABLE privacy_items (
        account TEXT NOT NULL,
        list TEXT NOT NULL,
        type TEXT NOT NULL,
        value TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        place BIGINT NOT NULL,
        allow INTEGER NOT NULL,
        kinds INTEGER NOT NULL,
        PRIMARY KEY (account, list, type, value, sequence)
    ) WITHOUT ROWID""",
)

ANY: Final = "SELECT account FROM privacy_lists LIMIT 1"
LISTS: Final = "SELECT name, standard FROM privacy_lists WHERE account = ? ORDER BY name"
ITEMS: Final = "SELECT list, type, value, sequence, place, allow, kinds FROM privacy_items WHERE account = ?"

PUT_LIST: Final = "INSERT INTO privacy_lists (account, name, standard) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DROP_LIST: Final = "DELETE FROM privacy_lists WHERE account = ? AND name = ?"
SET_DEFAULT: Final = "UPDATE privacy_lists SET standard = CASE WHEN name = ? THEN 1 ELSE 0 END WHERE account = ?"
NO_DEFAULT: Final = "UPDATE privacy_lists SET standard = 0 WHERE account = ?"
PUT_ITEM: Final = (
    "INSERT INTO privacy_items (account, list, type, value, sequence, place, allow, kinds)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_ITEM: Final = "DELETE FROM privacy_items WHERE account = ? AND list = ? AND type = ? AND value = ?"
CLEAR_LIST: Final = "DELETE FROM privacy_items WHERE account = ? AND list = ?"
CLEAR_LISTS: Final = "DELETE FROM privacy_lists WHERE account = ?"
CLEAR_ITEMS: Final = "DELETE FROM privacy_items WHERE account = ?"


def item_row(account: str, name: str, item: Item) -> tuple[str, str, str, str, int, int, int, int]:
    """The parameters of `PUT_ITEM`."""
    return account, name, item.type, item.value, item.sequence, item.order, int(item.allow), item.kinds


def read_row(row: tuple[str, str, int, int, int, int]) -> Item:
    """An item from a row of `ITEMS`, less its list."""
    type, value, sequence, place, allow, kinds = row
    item = Item(type, value, bool(allow), kinds, place)
    item.sequence = sequence
    return item
