"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from typing import Final

_FIRST: Final = 0.2  # seconds


class Backoff:
    """Anything between nothing and a bound that doubles, so that a cluster does not come back all at once."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._bound = _FIRST

    def next(self) -> float:
        """Seconds."""
        wait = random.uniform(0, self._bound)
        self._bound = min(self._bound * 2, self._most)
        return wait

    def reset(self) -> None:
        """It went well."""
        self._bound = _FIRST
