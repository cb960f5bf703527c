"""Tokens by which a client logs in again (XEP-0484): two slots for each client of an account."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from xmppd.storage import Row, Statement, Storage

MIGRATIONS: Final = (
    "CREATE TABLE fast_tokens (host TEXT NOT NULL, name TEXT NOT NULL, client TEXT NOT NULL, slot TEXT NOT NULL, "
    "mechanism TEXT NOT NULL, seed BLOB NOT NULL, issued REAL NOT NULL, expires REAL NOT NULL, "
    "uses BIGINT NOT NULL, PRIMARY KEY (host, name, client, slot))",
)
SELECT: Final = (
    "SELECT client, slot, mechanism, seed, issued, expires, uses FROM fast_tokens "
    "WHERE host = ? AND name = ? AND client = ? ORDER BY slot DESC"
)
INSERT: Final = (
    "INSERT INTO fast_tokens (host, name, client, slot, mechanism, seed, issued, expires, uses) "
    "VALUES (?, ?, ?, 'new', ?, ?, ?, ?, -1) ON CONFLICT (host, name, client, slot) DO UPDATE SET "
    "mechanism = excluded.mechanism, seed = excluded.seed, issued = excluded.issued, expires = excluded.expires, "
    "uses = -1"
)
# Whoever has more devices than this logs in by password on the one not used for longest.
MOST_CLIENTS: Final = 50
TRIM: Final = (
    "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client NOT IN (SELECT client FROM fast_tokens "
    "WHERE host = ? AND name = ? GROUP BY client ORDER BY MAX(issued) DESC LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token. Times are seconds since 1970; `uses` is the last count a client has told, -1 for none."""

    user: str
    client: str
    slot: str
    mechanism: str
    secret: str
    issued: float
    expires: float
    uses: int = -1


class Tokens:
    """The tokens of one host's accounts.

    The database has no token, only a seed of each: the token is an HMAC of it under the server's own secret, which is
    a file. Who steals one of the two can log in nowhere.
    """

    def __init__(self, host: str, storage: Storage, secret: bytes) -> None:
        self._host, self._storage, self._secret = host, storage, secret

    async def prepare(self, now: float) -> None:
        """Make the table, and forget what has expired; call it once before anything else."""
        await self._storage.migrate("tokens", MIGRATIONS)
        await self.expire(now)

    async def of(self, user: str, client: str) -> list[Token]:
        """A client's tokens, the new one first; expired ones too."""
        rows = await self._storage.fetch(SELECT, self._host, user, client)
        return [self._token(user, row) for row in rows]

    async def issue(self, user: str, client: str, mechanism: str, now: float, lifetime: float) -> Token:
        """A new token, on disk when this returns. The one in use stays good until this one is used (XEP-0484 3.5)."""
        seed = secrets.token_bytes(32)
        row = (self._host, user, client, mechanism, seed, now, now + lifetime)
        trim = (self._host, user, self._host, user, MOST_CLIENTS)
        await self._storage.write((INSERT, row), (TRIM, trim))
        return self._token(user, (client, "new", mechanism, seed, now, now + lifetime, -1))

    async def use(self, token: Token, count: int) -> None:
        """Remember its use: a new token takes the place of the one before it."""
        where = (self._host, token.user, token.client)
        statements: list[Statement] = []
        if token.slot == "new":
            sql = "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client = ? AND slot = 'current'"
            statements.append((sql, where))
        sql = (
            "UPDATE fast_tokens SET slot = 'current', uses = ? WHERE host = ? AND name = ? AND client = ? AND slot = ?"
        )
        statements.append((sql, (count, *where, token.slot)))
        await self._storage.write(*statements)

    async def invalidate(self, token: Token) -> None:
        """No login by this token or an older one of the client any more."""
        sql = "DELETE FROM fast_tokens WHERE host = ? AND name = ? AND client = ? AND issued <= ?"
        await self._storage.write((sql, (self._host, token.user, token.client, token.issued)))

    async def remove(self, user: str) -> None:
        """Forget all of an account's: it is gone, or its password was changed."""
        await self._storage.write(("DELETE FROM fast_tokens WHERE host = ? AND name = ?", (self._host, user)))

    async def expire(self, now: float) -> None:
        """Forget those that are good for nothing any more."""
        await self._storage.write(("DELETE FROM fast_tokens WHERE host = ? AND expires < ?", (self._host, now)))

    def _token(self, user: str, row: Row) -> Token:
        client, slot, mechanism, seed, issued, expires, uses = row
        said = "\0".join(("fast", self._host, user, client, "")).encode() + bytes(seed)
        secret = urlsafe_b64encode(hmac.digest(self._secret, said, "sha256")).decode().rstrip("=")
        return Token(user, client, slot, mechanism, secret, issued, expires, uses)
