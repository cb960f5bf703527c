"""What can go wrong with the bus."""

from __future__ import annotations


class BusError(Exception):
    """The base of all."""


class BusRefused(BusError):
    """The server or the room does not let this member in; `condition` says why, in the stanza error's words."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition


class LinkLost(BusError):
    """The connection to the room has ended; the bus makes another."""


class NotPublished(BusError, TimeoutError):
    """The room has not taken an invalidation in time. The bus goes on trying until it has, or until it is closed."""


class BusClosed(BusError):
    """The bus was closed, or not started."""
