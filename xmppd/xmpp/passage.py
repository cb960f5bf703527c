"""What is known of a message's way to the devices of one account, where there is more to know than one copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from .stanza import Stanza


class Kept(Protocol):
    """A message in a store, for as long as nobody is known to have it."""

    def drop(self) -> None:
        """Somebody has it, or nobody will."""


class Holders(set[object]):
    """The sessions that were given a message.

    `kept` is where it lies while none has it; `sure` says that one has, or that it lies elsewhere.
    """

    __slots__ = ("kept", "sure")

    def __init__(self) -> None:
        super().__init__()
        self.kept: Kept | None = None
        self.sure = False

    def has_it(self) -> None:
        """One of them has it for sure: nothing needs to be kept, now or later."""
        self.sure = True
        self.drop()

    def drop(self) -> None:
        """Nothing needs to be kept for now."""
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.drop()


class Passage:
    """Shared by all copies of one message to one account.

    `holders` are the sessions that were given it, as a copy of their own or inside a carbon. `stored` says that it lies
    in a store which delivers it again by itself. A message that one session did not take and that is given to others
    carries what it was `before` it was dated, or put into a carbon, and when it was first `sent` (seconds since 1970).
    `copied` are those of the holders that were given it inside a carbon.
    """

    __slots__ = ("before", "copied", "holders", "sent", "stored")

    def __init__(self, *, stored: bool = False, before: Stanza | None = None, sent: float = 0.0) -> None:
        self.copied: set[object] | None = None
        self.holders = Holders()
        self.stored = stored
        self.before = before
        self.sent = sent


def of_copy(stanza: Stanza, sent: float) -> Passage | None:
    """For what carries a message, whose `given` was said: where all of its holders lose it, it goes back as it was.

    What lies in a store stays there.
    """
    if stanza.passage is None or stanza.passage.stored:
        return stanza.passage
    passage = Passage(before=stanza, sent=sent)
    passage.holders = stanza.passage.holders
    return passage


STORED: Final = Passage(stored=True)
