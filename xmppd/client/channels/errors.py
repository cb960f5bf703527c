"""What a reader of a channel is told when it ends otherwise than by the end of its records."""

from __future__ import annotations


class ChannelError(Exception):
    """The base of both."""


class ChannelRefused(ChannelError):
    """The channel did not open; `condition` is the stanza error's, such as `item-not-found` or `forbidden`."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition


class ChannelBroken(ChannelError):
    """Records are missing from here on: a block was lost, the connection ended, or this side read too slowly."""
