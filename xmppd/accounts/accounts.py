"""The accounts of one host: made, asked for, changed, removed; and the memory of who exists."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Final

from xmppd.sasl import ITERATIONS, Credentials, Keys, Pretence, shape_of
from xmppd.sasl.keys import derive_all, dump, matches
from xmppd.sasl.pretence import SHAPES
from xmppd.storage import Rows, Statement, Storage
from xmppd.xmpp.errors import StanzaError

from . import table
from .importing import Imported, ImportRow, batches, prepared, prepared_row
from .table import Stored, shape_measured, shape_stored, texts_of

PRESENT: Final = 32768  # names remembered as accounts, some 4 MB
ABSENT: Final = 4096  # names remembered as none; apart, so that spam to made-up names pushes no real one out


class Accounts:
    """The accounts of one host.

    Methods that make or change accounts take a name as people type it and prepare it. `known`, `exists` and
    `credentials` are on the road of every stanza or login and take a prepared localpart (`JID.local`).
    `iterations` is for new passwords (the option `scram_iterations`, 4096 or more); `fake` is the secret that makes
    unknown users look like known ones, the same over restarts: `pretence`, which a login's `begin` takes, has what they
    seem to have. It counts what this process does to accounts; what another does it learns at its next start.
    """

    def __init__(self, host: str, storage: Storage, iterations: int, fake: bytes) -> None:
        if iterations < ITERATIONS:
            raise ValueError(f"scram_iterations: at least {ITERATIONS} (RFC 5802 5.1), not {iterations}")
        self.host = host
        # A key for each host: one who has the same salt on two of them has no account on either.
        self.pretence = Pretence(blake2b(host.encode(), key=fake, digest_size=32).digest(), iterations)
        self._storage = storage
        self._present: dict[str, None] = {}
        self._absent: dict[str, None] = {}
        self._changes = 0

    @property
    def iterations(self) -> int:
        """Of the keys of new passwords."""
        return self.pretence.iterations

    @iterations.setter
    def iterations(self, iterations: int) -> None:
        self.pretence.iterations = iterations

    async def prepare(self) -> None:
        """Make the table, or bring it up to date; call it once before anything else.

        It looks at every account, 3 seconds for a million, so that unknown users seem to have what accounts have.
        """
        await self._storage.migrate("accounts", table.MIGRATIONS)
        for *row, accounts in await self._storage.fetch(table.SHAPES, self.host, SHAPES):
            self.pretence.count(shape_measured(tuple(row)), accounts)

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
        found = await self._storage.look(table.SELECT, self.host, user) is not None
        # An answer that an account's making or removal has overtaken must not be remembered.
        if changes == self._changes:
            self._remember(user, found)
        return found

    async def credentials(self, user: str) -> Credentials | None:
        """The keys by hash, None where there is no such account. Never from memory: the time would tell who exists."""
        row = await self._storage.look(table.SELECT, self.host, user)
        return None if row is None else Stored(row)

    async def create(self, user: str, password: str) -> None:
        """Make an account; on disk when this returns.

        `StanzaError`: `conflict` where it exists, `not-acceptable` for a name or a password that nobody can have.
        """
        name = prepared(user)
        if await self.exists(name):
            raise _conflict(name)
        (new,) = await self._insert([(name, await self._derived(password))])
        if not new:
            raise _conflict(name)

    async def set_password(self, user: str, password: str) -> None:
        """Replace the keys. `StanzaError`: `item-not-found`, or `not-acceptable` for the password."""
        name = prepared(user)
        keys = await self._derived(password)
        key = (self.host, name)
        before, changed = await self._storage.write((table.SELECT, key), (table.UPDATE, (*texts_of(keys), *key)))
        if not changed:
            raise _not_found(name)
        self._gone(before)
        self.pretence.count(shape_of(keys))

    async def add_keys(self, user: str, hash: str, keys: Keys) -> None:
        """Keep keys for a hash that the account has none for (XEP-0480); those it has stay as they are."""
        (changed,) = await self._storage.write((table.adding(hash), (dump(hash, keys), self.host, user)))
        for shape in map(shape_stored, changed):
            self.pretence.count(tuple(part for part in shape if part.hash != hash), -1)
            self.pretence.count(shape)

    async def remove(self, user: str) -> None:
        """Delete the account; what others keep of the user is theirs to delete. `StanzaError`: `item-not-found`."""
        name = prepared(user)
        (removed,) = await self._storage.write((table.DELETE, (self.host, name)))
        if not removed:
            raise _not_found(name)
        self._gone(removed)
        self._changed(name, False)

    def conceal(self, user: str) -> None:
        """From now on nobody is told that this account exists; it is about to be removed."""
        self._changed(user, False)

    def reveal(self, user: str) -> None:
        """Its removal has failed: the database knows whether it exists."""
        self._absent.pop(user, None)

    async def check_password(self, user: str, password: str) -> bool:
        """Is it this user's password? Takes as long for an unknown user."""
        name = prepared(user)
        pretence = self.pretence.credentials(name)
        return await asyncio.to_thread(matches, password, await self.credentials(name) or pretence)

    async def names(self, after: str = "", limit: int = 1000) -> list[str]:
        """A page of names in order: at most `limit` of those behind `after`."""
        return [name for (name,) in await self._storage.fetch(table.NAMES, self.host, after, limit)]

    async def create_many(self, rows: Iterable[ImportRow]) -> Imported:
        """Import accounts: (name, password) or (name, ready keys by hash); rows are taken 256 at a time.

        One that exists is left as it is. Hashing uses all processors.
        """
        imported = Imported()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for batch in batches(rows):
                await self._import(batch, pool, imported)
        return imported

    async def _import(self, batch: Sequence[ImportRow], pool: ThreadPoolExecutor, imported: Imported) -> None:
        loop = asyncio.get_running_loop()
        work = [loop.run_in_executor(pool, prepared_row, row, self.iterations) for row in batch]
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
        statements: list[Statement] = [(table.INSERT, (self.host, name, *texts_of(keys))) for name, keys in accounts]
        results: list[Rows] = await self._storage.write(*statements) if statements else []
        for (name, keys), new in zip(accounts, results, strict=True):
            self._changed(name, True)
            if new:
                self.pretence.count(shape_of(keys))
        return [bool(rows) for rows in results]

    def _gone(self, rows: Rows) -> None:
        for shape in map(shape_stored, rows):
            self.pretence.count(shape, -1)

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


def _conflict(name: str) -> StanzaError:
    return StanzaError("conflict", f"the account {name} exists; choose another name, or change its password")


def _not_found(name: str) -> StanzaError:
    return StanzaError("item-not-found", f"there is no account {name}")
