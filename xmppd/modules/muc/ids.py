"""Ids for messages (XEP-0359): unique, and not to be guessed."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from os import urandom
from typing import Final

LENGTH: Final = 12  # bytes of an id; a multiple of 3, so that its text needs no filling
POOL: Final = 100 * LENGTH  # asked from the system at once: each time is a system call


class Ids:
    """Makes ids."""

    __slots__ = ("_pool",)

    def __init__(self) -> None:
        self._pool = b""

    def make(self) -> str:
        """One more: 16 characters that may stand in an attribute."""
        if not self._pool:
            self._pool = urandom(POOL)
        id, self._pool = self._pool[:LENGTH], self._pool[LENGTH:]
        return urlsafe_b64encode(id).decode()
