"""What an account wants archived (XEP-0441): by default, and of whom always or never."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from xmppd.api import Commit, Storage
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import MAM
from xmppd.xmpp.stanza import Element, escape

from . import tables

Default = Literal["always", "never", "roster"]
DEFAULTS: Final[dict[str, Default]] = {"always": "always", "never": "never", "roster": "roster"}
MOST_LISTED: Final = 1000  # addresses of one account; some 50 KB of a request
REMEMBERED: Final = 10_000  # accounts with preferences of their own; few ever have any


@dataclass(frozen=True, slots=True)
class Preferences:
    """One account's."""

    default: Default
    always: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, element: Element) -> Preferences:
        """Read a `<prefs/>`. `StanzaError`: bad-request, jid-malformed, or policy-violation past `MOST_LISTED`."""
        default = DEFAULTS.get(element.get("default", ""))
        if default is None:
            raise StanzaError("bad-request", "the default is always, never or roster")
        always, never = _listed(element, "always"), _listed(element, "never")
        if len(always) + len(never) > MOST_LISTED:
            raise StanzaError("policy-violation", f"list at most {MOST_LISTED} addresses")
        return cls(default, always, never)

    def to_xml(self) -> str:
        """The `<prefs/>` of an answer."""
        always, never = _inside(self.always), _inside(self.never)
        return f"<prefs xmlns='{MAM}' default='{self.default}'><always>{always}</always><never>{never}</never></prefs>"

    def wants(self, contact: JID) -> bool | None:
        """Whether to archive what is said with an address; None where the roster decides (XEP-0441 2.5)."""
        if contact in self.never or contact.bare in self.never:
            return False
        if contact in self.always or contact.bare in self.always:
            return True
        return None if self.default == "roster" else self.default == "always"

    def packed(self) -> str:
        """As it is stored."""
        return json.dumps([self.default, sorted(self.always), sorted(self.never)])

    @classmethod
    def unpacked(cls, packed: str) -> Preferences:
        """What `packed` gave."""
        default, always, never = json.loads(packed)
        return cls(default, frozenset(always), frozenset(never))


USUAL: Final = {name: Preferences(default) for name, default in DEFAULTS.items()}
"""Those of accounts that have none, by the host's default."""


class Shelf:
    """Everybody's preferences, as far as they have any; those of most are remembered."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[str, Preferences | None] = {}
        self._complete = False
        self.empty = False
        """Whether nobody has any."""

    async def load(self) -> None:
        """Remember all, if they are not too many."""
        rows = await self._storage.fetch(tables.PREFS, REMEMBERED + 1)
        self._complete = len(rows) <= REMEMBERED
        self._known = {account: Preferences.unpacked(packed) for account, packed in rows[:REMEMBERED]}
        self.empty = not rows

    def get(self, account: JID) -> Preferences | None:
        """An account's own, None where it has none."""
        return self._known.get(account)

    def knows(self, account: JID) -> bool:
        """Whether `get` tells all there is."""
        return self._complete or account in self._known

    async def find(self, account: JID) -> Preferences | None:
        """An account's own, looked up where they are not remembered."""
        if not self.knows(account):
            row = await self._storage.fetch_one(tables.PREFS_OF, account)
            self._remember(account, Preferences.unpacked(row[0]) if row else None)
        return self._known.get(account)

    def set(self, account: JID, preferences: Preferences) -> Commit:
        """Use and store them."""
        commit = self._storage.write((tables.SET_PREFS, (account, preferences.packed())))
        self._remember(account, preferences)
        return commit

    def forget(self, account: JID) -> None:
        """An account is gone."""
        self._known.pop(account, None)
        self._storage.write((tables.FORGET_PREFS, (account,)))

    def _remember(self, account: JID, preferences: Preferences | None) -> None:
        self.empty = False
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
            self._complete = False
        self._known[account] = preferences


def _listed(element: Element, name: str) -> frozenset[str]:
    return frozenset(JID.parse(jid.text or "") for jid in element.iterfind(f"{{{MAM}}}{name}/{{{MAM}}}jid"))


def _inside(addresses: Iterable[str]) -> str:
    return "".join(f"<jid>{escape(address)}</jid>" for address in sorted(addresses))
