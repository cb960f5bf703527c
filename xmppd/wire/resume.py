"""XEP-0198 without a stream: stanzas sent and not acknowledged, with their times, and two counters modulo 2^32.

The law of this file: the peer has been sent `acknowledged` + `len(self)` stanzas, whatever was acknowledged when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

MODULUS: Final = 1 << 32
MASK: Final = MODULUS - 1
NOTHING: Final[deque[tuple[Stanza, float]]] = deque(maxlen=0)  # shared by all who have nothing to keep


class Ledger:
    """What one side of a managed stream has sent, and how much it has handled of the other's.

    `acknowledged` and `handled` count from when stream management was enabled, over all streams of the session.
    `size` is the bytes of what is kept.
    """

    __slots__ = ("_queue", "acknowledged", "handled", "size")

    def __init__(self) -> None:
        self._queue = NOTHING
        self.acknowledged = 0
        self.handled = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[tuple[Stanza, float]]:
        """What is not acknowledged, the oldest first, each with the time it was first sent."""
        return iter(self._queue)

    @property
    def sent(self) -> int:
        """How many stanzas the peer was sent, modulo 2^32."""
        return (self.acknowledged + len(self._queue)) & MASK

    def push(self, stanza: Stanza, now: float) -> None:
        """Keep a stanza that is sent now."""
        if self._queue is NOTHING:
            self._queue = deque()
        self._queue.append((stanza, now))
        self.size += len(stanza.data)

    def acknowledge(self, h: int) -> int:
        """The peer has handled `h` stanzas; returns how many of them are news.

        `StreamError` with `<handled-count-too-high/>` where it was not sent so many (XEP-0198 6); nothing changes then.
        """
        news = self.news(h)
        queue = self._queue
        if news == len(queue):
            self._queue, self.size = NOTHING, 0
        else:
            for _ in range(news):
                self.size -= len(queue.popleft()[0].data)
        self.acknowledged = h
        return news

    def news(self, h: int) -> int:
        """How many stanzas an acknowledgement would take off; the same error."""
        news = (h - self.acknowledged) & MASK
        if news > len(self._queue):
            sent = self.sent
            raise StreamError(
                "undefined-condition",
                f"You acknowledged {h} stanzas, but I only sent you {sent} so far.",
                application=f"<handled-count-too-high xmlns='{ns.SM}' h='{h}' send-count='{sent}'/>",
            )
        return news

    def handle(self) -> None:
        """One more stanza of the peer is handled."""
        self.handled = (self.handled + 1) & MASK

    def take(self) -> list[tuple[Stanza, float]]:
        """What is not acknowledged, taken out: somebody else is responsible for it now."""
        taken = list(self._queue)
        self._queue, self.size = NOTHING, 0
        return taken

    def reached(self, mark: int) -> bool:
        """Whether the peer has handled all that was sent when `sent` was `mark`."""
        return (self.acknowledged - mark) & MASK < MODULUS // 2


def number(text: str | None) -> int | None:
    """An `h` as it stands in an attribute: an unsignedInt, None for anything else."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    value = int(text)
    return value if value <= MASK else None
