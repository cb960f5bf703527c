"""Ids that are unique and not to be guessed: of messages (XEP-0359) and streams (RFC 6120 4.7.3)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from os import urandom
from typing import Final

LENGTH: Final = 16  # characters of an id, of six random bits each
POOL: Final = 100  # made at once: to ask the system for randomness is a call of its own


class Ids:
    """Makes ids."""

    __slots__ = ("_pool",)

    def __init__(self) -> None:
        self._pool: list[str] = []

    def make(self) -> str:
        """One more: 16 characters that may stand in an attribute."""
        if not self._pool:
            text = urlsafe_b64encode(urandom(POOL * LENGTH * 6 // 8)).decode()
            self._pool = [text[at : at + LENGTH] for at in range(0, len(text), LENGTH)]
        return self._pool.pop()
