"""How often this member has dropped everything, and what of it the room knows. For figures only."""

from __future__ import annotations


class Resets:
    """Counts since the epoch began. `known` are those that were in a beat that came back."""

    def __init__(self) -> None:
        self.had = 0
        self.known = 0
        self._told = 0

    @property
    def untold(self) -> bool:
        """Whether a beat should tell of one, for none under way does."""
        return self.had > self._told

    def tell(self) -> int:
        """A beat leaves: the count, where the room may not know it, else 0."""
        self._told = self.had
        return self.had if self.had > self.known else 0

    def lost(self) -> None:
        """The connection has ended; what was under way may not have reached the room."""
        self._told = self.known
