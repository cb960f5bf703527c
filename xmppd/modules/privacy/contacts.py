"""What an account's roster says of an address, for items about subscriptions and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xmppd.xmpp.jid import JID

NO_GROUPS: Sequence[str] = ()


class Contacts:
    """One account's contacts. Subscriptions are the roster's own; groups are kept here while some item needs them."""

    __slots__ = ("_account", "_changes", "_groups", "_rosters")

    def __init__(self, account: JID, rosters: Any) -> None:
        self._account = account
        self._rosters = rosters
        self._groups: dict[str, Sequence[str]] | None = None
        self._changes = 0

    def ready(self, grouped: bool) -> bool:
        """Whether subscriptions, and groups where they are asked for, are in memory."""
        return self._rosters.known(self._account) is not None and not (grouped and self._groups is None)

    async def load(self, grouped: bool) -> None:
        """Bring both into memory."""
        while grouped and self._groups is None:
            before = self._changes
            items = await self._rosters.items(self._account)
            if self._changes == before:
                self._groups = {str(contact): item.groups for contact, item in items.items() if item.groups}
        await self._rosters.get(self._account)

    def subscription(self, contact: JID) -> str:
        """`none`, `to`, `from` or `both`, from the account's side; `none` for a stranger (2.1)."""
        roster = self._rosters.known(self._account)
        return "none" if roster is None else str(roster.subscription(contact))

    def groups(self, contact: JID) -> Sequence[str]:
        """The groups of a contact."""
        return NO_GROUPS if self._groups is None else self._groups.get(contact, NO_GROUPS)

    @property
    def names(self) -> set[str]:
        """Every group of the roster, where groups are kept."""
        return {group for groups in (self._groups or {}).values() for group in groups}

    @property
    def grouped(self) -> bool:
        """Whether groups are kept."""
        return self._groups is not None

    async def read(self, contact: JID) -> Sequence[str]:
        """The groups of a contact as they are stored now."""
        item = await self._rosters.item(self._account, contact)
        return NO_GROUPS if item is None else tuple(item.groups)

    def regroup(self, contact: JID, groups: Sequence[str]) -> None:
        """A contact's groups have changed."""
        self._changes += 1
        if self._groups is None:
            return
        if groups:
            self._groups[str(contact)] = groups
        else:
            self._groups.pop(contact, None)
