"""Which app servers each account has enabled: the table, and what is remembered of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from xmppd.api import Session, Statement, Storage
from xmppd.xmpp.jid import JID

MIGRATIONS: Final = (
    "CREATE TABLE push (account TEXT NOT NULL, service TEXT NOT NULL, node TEXT NOT NULL, options TEXT NOT NULL, "
    "PRIMARY KEY (account, service, node))",
)
ALL: Final = "SELECT account, service, node, options FROM push LIMIT ?"
OF: Final = "SELECT account, service, node, options FROM push WHERE account = ?"
ENABLE: Final = (
    "INSERT INTO push (account, service, node, options) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account, service, node) DO UPDATE SET options = excluded.options"
)
DISABLE: Final = "DELETE FROM push WHERE account = ? AND service = ? AND node = ?"
FORGET: Final = "DELETE FROM push WHERE account = ?"
REMEMBERED: Final = 50_000  # services; some 500 bytes each

Options = Mapping[str, list[str]]


class Service:
    """One node of one app server, that tells one device.

    `session` is the one that enabled it, while it lasts. `count` are the messages since somebody last looked; `failed`
    publications in a row had no answer. `last` is when a message came, `paused` says that it was told lately.
    """

    __slots__ = ("account", "count", "failed", "jid", "last", "node", "options", "paused", "session", "told")

    def __init__(self, account: JID, jid: JID, node: str, options: Options) -> None:
        self.account = account
        self.jid = jid
        self.node = node
        self.options = options
        self.session: Session | None = None
        self.count = self.failed = self.told = 0
        self.last = 0.0
        self.paused = False


Services = dict[tuple[JID, str], Service]


class Directory:
    """The services of a host's accounts, as far as they are remembered; others are looked up."""

    def __init__(self, host: str, storage: Storage) -> None:
        self._host = host
        self._storage = storage
        self._known: dict[JID, Services] = {}
        self._size = 0
        self._complete = False

    async def load(self) -> None:
        """Remember all, if they are not too many."""
        rows = await self._storage.fetch(ALL, REMEMBERED + 1)
        self._complete = len(rows) <= REMEMBERED
        for service in (_service(*row) for row in rows) if self._complete else ():
            if service.account.domain == self._host:
                self._remember(service)

    @property
    def is_empty(self) -> bool:
        """Whether there is no service at all."""
        return self._complete and not self._size

    def get(self, account: JID) -> Services | None:
        """An account's services; None where that has to be looked up."""
        found = self._known.get(account)
        return {} if found is None and self._complete else found

    async def find(self, account: JID) -> Services:
        """An account's services."""
        found = self.get(account)
        if found is not None:
            return found
        rows = await self._storage.fetch(OF, account)
        known = self._known.setdefault(account, {})
        for row in rows:
            self._remember(_service(*row))
        return known

    async def enable(self, account: JID, jid: JID, node: str, options: Options) -> Service:
        """Add one, or give it other options; on disk when it returns."""
        services = await self.find(account)
        service = services.get((jid, node))
        if service is None:
            self._remember(service := Service(account, jid, node, options))
        service.options, service.failed = options, 0
        await self._storage.write((ENABLE, (account, jid, node, json.dumps(options))))
        return service

    async def disable(self, account: JID, jid: JID, node: str | None) -> None:
        """Take one out, or all of an app server."""
        services = await self.find(account)
        gone = [key for key in services if key[0] == jid and node in (None, key[1])]
        statements: list[Statement] = [(DISABLE, (account, *key)) for key in gone]
        for key in gone:
            del services[key]
            self._size -= 1
        if statements:
            await self._storage.write(*statements)

    async def forget(self, account: JID) -> None:
        """An account is gone."""
        self._size -= len(self._known.pop(account, {}))
        await self._storage.write((FORGET, (account,)))

    def _remember(self, service: Service) -> None:
        if self._size >= REMEMBERED:
            oldest = next(iter(self._known))
            self._size -= len(self._known.pop(oldest))
            self._complete = False
        self._known.setdefault(service.account, {}).setdefault((service.jid, service.node), service)
        self._size += 1


def _service(account: str, jid: str, node: str, options: str) -> Service:
    return Service(JID.parse(account), JID.parse(jid), node, json.loads(options))
