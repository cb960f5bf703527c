"""The users of one host and what is stored of their passwords: SCRAM keys, never a password."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from xmppd.sasl import HASHES, ITERATIONS, Credentials, Keys, Throttle
from xmppd.sasl.keys import PLAIN_ORDER, check, derive_all, dump, load, matches, pretended
from xmppd.storage import Row, Statement, Storage
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import nodeprep

__all__ = ["Accounts", "Imported", "Throttle"]

MIGRATIONS: Final = (
    "CREATE TABLE accounts (host TEXT NOT NULL, name TEXT NOT NULL, scram_sha_1 TEXT, scram_sha_256 TEXT, "
    "scram_sha_512 TEXT, PRIMARY KEY (host, name))",
)
INSERT: Final = (
    "INSERT INTO accounts (host, name, scram_sha_1, scram_sha_256, scram_sha_512) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING name"
)
UPDATE: Final = (
    "UPDATE accounts SET scram_sha_1 = ?, scram_sha_256 = ?, scram_sha_512 = ? "
    "WHERE host = ? AND name = ? RETURNING name"
)
SELECT: Final = "SELECT scram_sha_1, scram_sha_256, scram_sha_512 FROM accounts WHERE host = ? AND name = ?"

BATCH: Final = 256  # accounts an import hashes and writes at once: a second of work
PRESENT: Final = 32768  # names remembered as accounts, some 4 MB
ABSENT: Final = 4096  # names remembered as none; apart, so that spam to made-up names pushes no real one out

ImportRow = tuple[str, str | Credentials]


@dataclass(slots=True)
class Imported:
    """What became of an import: how many were made, who existed already, who was refused and why."""

    created: int = 0
    existing: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


class Accounts:
    """The accounts of one host.

    Methods that make or change accounts take a name as people type it and prepare it. `known`, `exists` and
    `credentials` are on the road of every stanza or login and take a prepared localpart (`JID.local`).
    `iterations` is for new passwords (the option `scram_iterations`, 4096 or more); `fake` is the secret that makes
    unknown users look like known ones, the same over restarts. Both belong into a login's `Context` and `begin`.
    """

    def __init__(self, host: str, storage: Storage, iterations: int, fake: bytes) -> None:
        if iterations < ITERATIONS:
            raise ValueError(f"scram_iterations: at least {ITERATIONS} (RFC 5802 5.1), not {iterations}")
        self.host, self.iterations, self.fake = host, iterations, fake
        self._storage = storage
        self._present: dict[str, None] = {}
        self._absent: dict[str, None] = {}
        self._changes = 0

    async def prepare(self) -> None:
        """Make the table, or bring it up to date; call it once before anything else."""
        await self._storage.migrate("accounts", MIGRATIONS)

    def known(self, user: str) -> bool | None:
        """Whether the account exists, from memory alone: None says ask `exists`."""
        if user in self._present:
            return True
        return False if user in self._absent else None

    async def exists(self, user: str) -> bool:
        """Whether the account exists; the answer is remembered."""
        known = self.known(user)
        if known is not None:
            return known
        changes = self._changes
        found = await self._storage.look(SELECT, self.host, user) is not None
        # An answer that an account's making or removal has overtaken must not be remembered.
        if changes == self._changes:
            self._remember(user, found)
        return found

    async def credentials(self, user: str) -> Credentials | None:
        """The keys by hash, None where there is no such account. Never from memory: the time would tell who exists."""
        row = await self._storage.look(SELECT, self.host, user)
        return None if row is None else _Stored(row)

    async def create(self, user: str, password: str) -> None:
        """Make an account; on disk when this returns.

        `StanzaError`: `conflict` where it exists, `not-acceptable` for a name or a password that nobody can have.
        """
        name = _prepared(user)
        if await self.exists(name):
            raise _conflict(name)
        (new,) = await self._insert([(name, await self._derived(password))])
        if not new:
            raise _conflict(name)

    async def set_password(self, user: str, password: str) -> None:
        """Replace the keys. `StanzaError`: `item-not-found`, or `not-acceptable` for the password."""
        name = _prepared(user)
        texts = _texts(await self._derived(password))
        (changed,) = await self._storage.write((UPDATE, (*texts, self.host, name)))
        if not changed:
            raise _not_found(name)

    async def add_keys(self, user: str, hash: str, keys: Keys) -> None:
        """Keep keys for a hash that the account has none for (XEP-0480); those it has stay as they are."""
        column = f"scram_{hash.lower().replace('-', '_')}"
        sql = f"UPDATE accounts SET {column} = ? WHERE host = ? AND name = ? AND {column} IS NULL"  # noqa: S608
        await self._storage.write((sql, (dump(hash, keys), self.host, user)))

    async def remove(self, user: str) -> None:
        """Delete the account; what others keep of the user is theirs to delete. `StanzaError`: `item-not-found`."""
        name = _prepared(user)
        sql = "DELETE FROM accounts WHERE host = ? AND name = ? RETURNING name"
        (removed,) = await self._storage.write((sql, (self.host, name)))
        if not removed:
            raise _not_found(name)
        self._changed(name, False)

    def conceal(self, user: str) -> None:
        """From now on nobody is told that this account exists; it is about to be removed."""
        self._changed(user, False)

    def reveal(self, user: str) -> None:
        """Its removal has failed: the database knows whether it exists."""
        self._absent.pop(user, None)

    async def check_password(self, user: str, password: str) -> bool:
        """Is it this user's password? Takes as long for an unknown user."""
        name = _prepared(user)
        hash = PLAIN_ORDER[0]
        pretence = {hash: pretended(self.fake, name, hash, self.iterations)}
        return await asyncio.to_thread(matches, password, await self.credentials(name) or pretence)

    async def names(self, after: str = "", limit: int = 1000) -> list[str]:
        """A page of names in order: at most `limit` of those behind `after`."""
        sql = "SELECT name FROM accounts WHERE host = ? AND name > ? ORDER BY name LIMIT ?"
        return [name for (name,) in await self._storage.fetch(sql, self.host, after, limit)]

    async def create_many(self, rows: Iterable[ImportRow]) -> Imported:
        """Import accounts: (name, password) or (name, ready keys by hash); rows are taken 256 at a time.

        One that exists is left as it is. Hashing uses all processors.
        """
        imported = Imported()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for batch in _batches(rows):
                await self._import(batch, pool, imported)
        return imported

    async def _import(self, batch: Sequence[ImportRow], pool: ThreadPoolExecutor, imported: Imported) -> None:
        loop = asyncio.get_running_loop()
        work = [loop.run_in_executor(pool, _prepared_row, row, self.iterations) for row in batch]
        ready: list[tuple[str, Credentials]] = []
        for (user, _), result in zip(batch, await asyncio.gather(*work, return_exceptions=True), strict=True):
            if isinstance(result, StanzaError):
                imported.refused.append((user, result.text))
            elif isinstance(result, BaseException):
                raise result
            else:
                ready.append(result)
        made = await self._insert(ready)
        imported.created += sum(made)
        imported.existing += [name for (name, _), new in zip(ready, made, strict=True) if not new]

    async def _insert(self, accounts: Sequence[tuple[str, Credentials]]) -> list[bool]:
        """Write accounts in one transaction; for each, whether it is new."""
        statements: list[Statement] = [(INSERT, (self.host, name, *_texts(keys))) for name, keys in accounts]
        results: list[list[Row]] = await self._storage.write(*statements) if statements else []
        for name, _ in accounts:
            self._changed(name, True)
        return [bool(rows) for rows in results]

    async def _derived(self, password: str) -> Credentials:
        try:
            return await asyncio.to_thread(derive_all, password, self.iterations)
        except ValueError as error:
            raise StanzaError("not-acceptable", str(error)) from None

    def _changed(self, name: str, present: bool) -> None:
        self._changes += 1
        self._remember(name, present)

    def _remember(self, name: str, present: bool) -> None:
        kept, other, size = (self._present, self._absent, PRESENT) if present else (self._absent, self._present, ABSENT)
        other.pop(name, None)
        if name not in kept and len(kept) >= size:
            del kept[next(iter(kept))]
        kept[name] = None


class _Stored(Mapping[str, Keys]):
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


def _prepared(user: str) -> str:
    """A name as accounts have it; `StanzaError("not-acceptable")` where nobody can have it."""
    try:
        return nodeprep(user)
    except StanzaError as error:
        raise StanzaError("not-acceptable", f"not a user name: {user[:64]!r}; use letters, digits, '.', '-'") from error


def _prepared_row(row: ImportRow, iterations: int) -> tuple[str, Credentials]:
    user, secret = row
    name = _prepared(user)
    try:
        if isinstance(secret, str):
            return name, derive_all(secret, iterations)
        for hash, keys in secret.items():
            check(hash, keys)
    except ValueError as error:
        raise StanzaError("not-acceptable", str(error)) from None
    return name, secret


def _texts(credentials: Credentials) -> tuple[str | None, ...]:
    """The columns of the hashes."""
    return tuple(dump(hash, credentials[hash]) if hash in credentials else None for hash in HASHES)


def _batches(rows: Iterable[ImportRow]) -> Iterator[list[ImportRow]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _conflict(name: str) -> StanzaError:
    return StanzaError("conflict", f"the account {name} exists; choose another name, or change its password")


def _not_found(name: str) -> StanzaError:
    return StanzaError("item-not-found", f"there is no account {name}")
