"""Many accounts at once: what each row becomes, and what became of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from xmppd.sasl import Credentials
from xmppd.sasl.keys import check, derive_all
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import nodeprep

BATCH: Final = 256  # accounts an import hashes and writes at once: a second of work

ImportRow = tuple[str, str | Credentials]


@dataclass(slots=True)
class Imported:
    """What became of an import: how many were made, who existed already, who was refused and why."""

    created: int = 0
    existing: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def prepared(user: str) -> str:
    """A name as accounts have it; `StanzaError("not-acceptable")` where nobody can have it."""
    try:
        return nodeprep(user)
    except StanzaError as error:
        raise StanzaError("not-acceptable", f"not a user name: {user[:64]!r}; use letters, digits, '.', '-'") from error


def prepared_row(row: ImportRow, iterations: int) -> tuple[str, Credentials]:
    """The name as accounts have it, and the keys; `StanzaError("not-acceptable")` where either cannot be."""
    user, secret = row
    name = prepared(user)
    try:
        if isinstance(secret, str):
            return name, derive_all(secret, iterations)
        for hash, keys in secret.items():
            check(hash, keys)
    except ValueError as error:
        raise StanzaError("not-acceptable", str(error)) from None
    return name, secret


def batches(rows: Iterable[ImportRow]) -> Iterator[list[ImportRow]]:
    """The rows, at most 256 at a time."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
