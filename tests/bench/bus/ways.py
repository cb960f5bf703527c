"""A way for a key to reach all members of a cluster: a server, and members that drop it from their caches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

Applied = Callable[[int, str], None]  # the member of this number has dropped this key


class Way(ABC):
    """One server with members in this process. `applied` is called for each key at each member."""

    title: ClassVar[str]
    promises: ClassVar[str]
    """What holds for a key that was published, as the table's last column says it."""

    def __init__(self, folder: Path, applied: Applied) -> None:
        self.folder = folder
        self.applied = applied
        self.caches: list[dict[str, int]] = []

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Why it cannot be measured here; None if it can."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The server's process."""

    @abstractmethod
    def start(self, members: int) -> None:
        """Start the server and wait until it accepts connections."""

    @abstractmethod
    async def enter(self, members: int) -> None:
        """Connect members, each with a cache."""

    @abstractmethod
    async def publish(self, member: int, key: str) -> None:
        """Let a member publish a key; returns when it has left."""

    @abstractmethod
    async def leave(self) -> None:
        """Disconnect."""

    @abstractmethod
    def stop(self) -> None:
        """End the server."""

    def drop(self, member: int, key: str) -> None:
        """What a member does with a key that it hears."""
        self.caches[member].pop(key, None)
        self.applied(member, key)
