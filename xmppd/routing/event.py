"""One stanza on its way: who sent it, whom it reaches, what it owes to storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .sessions import Session, Write


class Event:
    """What a chain's handlers are given.

    `stanza` may be replaced by a handler that stamps or rewrites. `origin` is the local session it came from, None for
    what a server or a module sent. `target` is the session it is about to reach, in `session_receive` only.
    """

    __slots__ = ("origin", "stanza", "target")

    def __init__(self, stanza: Stanza, origin: Session | None = None, target: Session | None = None) -> None:
        self.stanza = stanza
        self.origin = origin
        self.target = target

    def owe(self, write: Write) -> None:
        """The stanza counts as handled only once `write` is on disk; acknowledgements to its sender wait for it."""
        if self.origin is not None:
            self.origin.owe(write)

    def __repr__(self) -> str:
        return f"<Event {self.stanza!r}>"
