"""How each database finds texts by their words: SQLite with FTS5, PostgreSQL with tsvector."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class WordIndex:
    """A table of words for the rows of another one, in SQL with `{table}` for its name.

    `create` makes it. `insert` takes a row's number and its text. `matches` selects the numbers of the rows that have
    all words of one `wanted` expression. `number` is the name of its column of numbers.
    """

    create: str
    insert: str
    matches: str
    number: str
    wanted: Callable[[Iterable[str]], str]


def _quoted(words: Iterable[str]) -> str:
    """An FTS5 expression: strings side by side must all be there, and nothing in one is an operator."""
    return " ".join(f'"{word}"' for word in (word.replace('"', " ").strip() for word in words) if word)


SQLITE: Final = WordIndex(
    "CREATE VIRTUAL TABLE {table} USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2')",
    "INSERT INTO {table} (rowid, words) VALUES (?, ?)",
    "SELECT rowid FROM {table} WHERE {table} MATCH ?",
    "rowid",
    _quoted,
)
POSTGRESQL: Final = WordIndex(
    "CREATE TABLE {table} (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL); "
    "CREATE INDEX {table}_words ON {table} USING gin (words)",
    "INSERT INTO {table} (id, words) VALUES (?, to_tsvector('simple', ?))",
    "SELECT id FROM {table} WHERE words @@ plainto_tsquery('simple', ?)",
    "id",
    " ".join,
)
