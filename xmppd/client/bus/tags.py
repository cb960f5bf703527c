"""Which entries carry which tag."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Tags:
    """An index both ways. A store drops entries by itself too; what it left behind here is swept now and then."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[str]] = {}
        self._with: dict[str, set[str]] = {}
        self._sweep_at = 64

    def put(self, key: str, tags: frozenset[str]) -> None:
        """The entry carries these, and no others."""
        self.forget(key)
        if not tags:
            return
        self._of[key] = tags
        for tag in tags:
            self._with.setdefault(tag, set()).add(key)

    def add(self, key: str, tag: str) -> None:
        """The entry carries this one too."""
        self.put(key, self._of.get(key, frozenset()) | {tag})

    def remove(self, key: str, tag: str) -> None:
        """The entry carries it no more."""
        self.put(key, self._of.get(key, frozenset()) - {tag})

    def forget(self, key: str) -> None:
        """The entry is gone."""
        for tag in self._of.pop(key, ()):
            keys = self._with[tag]
            keys.discard(key)
            if not keys:
                del self._with[tag]

    def keys(self, tags: Iterable[str]) -> set[str]:
        """The entries that carry one of them."""
        return set().union(*(self._with.get(tag, ()) for tag in tags))

    def clear(self) -> None:
        self._of.clear()
        self._with.clear()

    def sweep(self, here: Callable[[str], bool]) -> None:
        """Forget entries that the store has dropped, when as many may be gone as are here."""
        if len(self._of) < self._sweep_at:
            return
        for key in [key for key in self._of if not here(key)]:
            self.forget(key)
        self._sweep_at = max(64, 2 * len(self._of))
