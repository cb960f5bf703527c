"""Tokens by which a client logs in again (XEP-0484): two slots for each client of an account."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from xmppd.sasl import Credentials, Keys
from xmppd.storage import Row, Statement, Storage

Find = Callable[[str], Awaitable[Credentials | None]]
MIGRATIONS: Final = (
    "CREATE TABLE fast_tokens (host TEXT NOT NULL, name TEXT NOT NULL, client TEXT NOT NULL, slot TEXT NOT NULL, "
    "mechanism TEXT NOT NULL, seed BLOB NOT NULL, issued REAL NOT NULL, expires REAL NOT NULL, "
    "uses BIGINT NOT NULL, PRIMARY KEY (host, name, client, slot))",
)
SELECT: Final = (
    "SELECT client, slot, mechanism, seed, issued, expires FROM fast_tokens "
    "WHERE host = ? AND name = ? AND client = ? ORDER BY slot DESC"
)
INSERT: Final = (
    "INSERT INTO fast_tokens (host, name, client, slot, mechanism, seed, issued, expires, uses) "
    "VALUES (?, ?, ?, 'new', ?, ?, ?, ?, -1) ON CONFLICT (host, name, client, slot) DO UPDATE SET "
    "mechanism = excluded.mechanism, seed = excluded.seed, issued = excluded.issued, expires = excluded.expires, "
    "uses = -1"
)
# The new token takes the place of the one in use, which is gone then; `USE` and `COUNT` find a token in either slot.
SUCCEED: Final = (
    "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client = ? AND slot = 'current' AND EXISTS "
    "(SELECT 1 FROM fast_tokens WHERE host = ? AND name = ? AND client = ? AND slot = 'new' AND seed = ?)"
)
USE: Final = (
    "UPDATE fast_tokens SET slot = 'current' WHERE host = ? AND name = ? AND client = ? AND seed = ? RETURNING slot"
)
COUNT: Final = (
    "UPDATE fast_tokens SET slot = 'current', uses = ? "
    "WHERE host = ? AND name = ? AND client = ? AND seed = ? AND uses < ? RETURNING slot"
)
# Whoever has more devices than this logs in by password on the one not used for longest.
MOST_CLIENTS: Final = 50
TRIM: Final = (
    "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client NOT IN (SELECT client FROM fast_tokens "
    "WHERE host = ? AND name = ? GROUP BY client ORDER BY MAX(issued) DESC LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token. Times are seconds since 1970."""

    user: str
    client: str
    slot: str
    mechanism: str
    seed: bytes = field(repr=False)
    secret: str = field(repr=False)
    issued: float
    expires: float


class Tokens:
    """The tokens of one host's accounts.

    The database has no token, only a seed of each: the token is an HMAC of it, and of the account's keys at that time,
    under the server's own secret, which is a file. Who steals one of the two can log in nowhere. And no token outlives
    the password: whatever became of its row, it is good for nothing once the keys are others, or nobody's.
    """

    def __init__(self, host: str, storage: Storage, secret: bytes) -> None:
        self._host, self._storage, self._secret = host, storage, secret

    async def prepare(self, now: float) -> None:
        """Make the table, and forget what has expired; call it once before anything else."""
        await self._storage.migrate("tokens", MIGRATIONS)
        await self.expire(now)

    async def of(self, user: str, client: str, find: Find) -> list[Token]:
        """What a client may log in with, the new one first; expired ones too. `find` gives the account's keys.

        An account with keys for several hashes has a token for each in place of one: which was given is not known.
        """
        rows = await self._storage.fetch(SELECT, self._host, user, client)
        credentials = await find(user) if rows else None
        return [self._token(user, row, keys) for row in rows for keys in (credentials or {}).values()]

    async def issue(
        self, user: str, client: str, mechanism: str, credentials: Credentials, now: float, lifetime: float
    ) -> Token | None:
        """A new token, on disk when this returns. The one in use stays good until this one is used (XEP-0484 3.5).

        `credentials` are the keys that the login was made with; None where there are none.
        """
        keys = next(iter(credentials.values()), None)
        if keys is None:
            return None
        seed = secrets.token_bytes(32)
        row = (self._host, user, client, mechanism, seed, now, now + lifetime)
        trim = (self._host, user, self._host, user, MOST_CLIENTS)
        await self._storage.write((INSERT, row), (TRIM, trim))
        return self._token(user, (client, "new", mechanism, seed, now, now + lifetime), keys)

    async def use(self, token: Token, count: int | None) -> bool:
        """Remember its use: a new token takes the place of the one before it.

        False where it is gone since it was looked up, or where a `count` as high was told before.
        """
        where = (self._host, token.user, token.client)
        statements: list[Statement] = []
        if token.slot == "new":
            statements.append((SUCCEED, (*where, *where, token.seed)))
        one = (*where, token.seed)
        statements.append((USE, one) if count is None else (COUNT, (count, *one, count)))
        return bool((await self._storage.write(*statements))[-1])

    async def invalidate(self, token: Token) -> None:
        """No login by this token or another one of the client any more."""
        sql = "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client = ?"
        await self._storage.write((sql, (self._host, token.user, token.client)))

    async def remove(self, user: str) -> None:
        """Forget all of an account's: it is gone, or its password was changed."""
        await self._storage.write(("DELETE FROM fast_tokens WHERE host = ? AND name = ?", (self._host, user)))

    async def expire(self, now: float) -> None:
        """Forget those that are good for nothing any more."""
        await self._storage.write(("DELETE FROM fast_tokens WHERE host = ? AND expires < ?", (self._host, now)))

    def _token(self, user: str, row: Row, keys: Keys) -> Token:
        client, slot, mechanism, seed, issued, expires = row
        said = "\0".join(("fast", self._host, user, client, "")).encode() + bytes(seed) + keys.stored_key
        secret = urlsafe_b64encode(hmac.digest(self._secret, said, "sha256")).decode().rstrip("=")
        return Token(user, client, slot, mechanism, bytes(seed), secret, issued, expires)
