"""Buses that are in no room: a test says what they hear, and whether they are sure."""

from __future__ import annotations

from typing import Any

from xmppd.client.bus import Bus, Receipt, SyncBus
from xmppd.client.bus.invalidation import invalidation


class DeafBus(Bus):
    """For asyncio."""

    def __init__(self) -> None:
        super().__init__("web@localhost", "", "cache@conference.localhost")
        self.is_sure = True

    @property
    def sure(self) -> bool:
        return self.is_sure

    def hear(self, *keys: str, **others: Any) -> None:
        """Somebody has invalidated this."""
        self.apply(invalidation(keys, **others))


class DeafSyncBus(SyncBus):
    """For threads."""

    def __init__(self) -> None:
        super().__init__("web@localhost", "", "cache@conference.localhost")
        self._bus = self.deaf = DeafBus()
        self.published: list[str] = []

    def awake(self) -> None:
        pass

    def hear(self, *keys: str, **others: Any) -> None:
        """Somebody has invalidated this."""
        self.deaf.hear(*keys, **others)

    def invalidate(self, *keys: str, **others: Any) -> Receipt:
        self.published += [*keys, *others]
        self.hear(*keys, **others)
        return Receipt()
