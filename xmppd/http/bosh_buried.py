"""The last words of BOSH sessions that are over, for clients that ask once more."""

from __future__ import annotations

from typing import Final

MOST: Final = 4 << 20  # bytes of all together: the words of some five thousand sessions that ended with an error
BESIDE: Final = 512  # bytes that each takes in memory beside its words, about


class Buried:
    """Words and their content types by session ids; past the limits the oldest are forgotten first."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[bytes, bytes, float]] = {}
        self.size = 0

    def add(self, sid: str, words: bytes, content: bytes, until: float) -> None:
        """Keep them until then, seconds of a steady clock."""
        self._words[sid] = words, content, until
        self.size += len(words) + BESIDE
        while self.size > MOST:
            self._forget(next(iter(self._words)))

    def find(self, sid: str) -> tuple[bytes, bytes] | None:
        """The words and their content type, as long as they are kept."""
        found = self._words.get(sid)
        return None if found is None else found[:2]

    def expire(self, now: float) -> None:
        """Forget those whose time is over."""
        while self._words:
            sid, (_, _, until) = next(iter(self._words.items()))
            if until > now:
                break
            self._forget(sid)

    def _forget(self, sid: str) -> None:
        self.size -= len(self._words.pop(sid)[0]) + BESIDE
