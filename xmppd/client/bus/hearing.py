"""Takes what the room says, in its order: has entries dropped, and notices that something is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .anchors import Anchors
from .sequences import Sequences
from .wire import Heard

MOST_LATER: Final = 10_000  # messages heard while catching up


class Hearing:
    """`apply` is called for each message at once, even while others are missing: to drop early is always right.

    What is missing is decided later while this member catches up, because the archive may bring it.
    """

    def __init__(self, apply: Callable[[Heard], None], missing: Callable[[], None]) -> None:
        self.sequences = Sequences()
        self.anchors = Anchors()
        self._apply = apply
        self._missing = missing
        self._later: list[Heard] | None = []

    @property
    def following(self) -> bool:
        """Whether nothing is missing as far as is known."""
        return self._later is None

    def pause(self) -> None:
        """Something may be missing: follow again when it is found or given up."""
        self.sequences.paused()
        self._later = []

    def heard(self, message: Heard) -> None:
        """The room said it."""
        self._apply(message)
        if self._later is None and not self._follow(message):
            self.pause()
            self._missing()
        if self._later is not None and len(self._later) <= MOST_LATER:
            self._later.append(message)

    def passed(self, message: Heard) -> None:
        """One of our own came back: it is followed by its place in the archive alone."""
        if self._later is None:
            self.anchors.add(message.archived)

    def found(self, archived: str, message: Heard | None) -> None:
        """The archive had it."""
        self.anchors.add(archived)
        if message is not None:
            self._apply(message)
            self._follow(message)

    def resume(self) -> bool:
        """Follow again; False where something is missing still, and entries are to be dropped."""
        later, self._later = self._later or [], None
        followed = [self._follow(message) for message in later]
        whole = len(later) <= MOST_LATER and all(followed)
        if not whole:
            self.sequences.clear()
            for message in later:
                self._follow(message)
        return whole

    def _follow(self, message: Heard) -> bool:
        if message.delayed:
            return True
        if message.kind == "invalidate":
            whole = message.mark is None or self.sequences.take(message.mark)
        elif message.kind == "here":
            whole = message.mark is None or not self.sequences.behind(message.mark)
        else:
            whole = message.mark is None or self.sequences.agrees(message.mark)
        if whole:
            self.anchors.add(message.archived)
        return whole
