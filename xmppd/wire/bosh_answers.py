"""What a BOSH session has for its client: a queue of elements, and the answers that may have to be given again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xmppd.xmpp.stanza import Stanza, escape

from .bosh_body import HTTPBIND, XBOSH
from .whole import STREAM_DECLARED, standalone

OPEN: Final = f"<body xmlns='{HTTPBIND}'"
PLAIN: Final = f"{OPEN}>".encode()
CLOSE: Final = b"</body>"
EMPTY: Final = f"{OPEN}/>".encode()
ERROR: Final = f"{OPEN} type='error'/>".encode()
SEE_OTHER: Final = "see-other-uri"
NEEDS_PREFIX: Final = b"<stream:"
ANSWER: Final = 262144  # bytes in one answer, about; what is left waits for the next request
LAST: Final = 2048  # bytes inside the last words; errors have some 300

Unsent = tuple[Stanza, float]  # and when it was queued, as seconds since 1970
Piece = bytes | Unsent


@dataclass(slots=True)
class Answered:
    """An answer that was given. `stanzas` are the messages in it, `upto` counts the elements in it and before it."""

    rid: int
    xml: bytes
    at: float
    upto: int
    stanzas: Sequence[Unsent]


class Answers:
    """The server's half of a session. `taken` counts the elements that the client has for certain."""

    __slots__ = ("_acks", "_farewell", "_greeting", "_keep", "_pieces", "_report", "_upto", "sent", "size", "taken")

    def __init__(self, keep: int, *, acks: bool) -> None:
        """Keep so many answers; `acks` says that requests are acknowledged in them (XEP-0124 9.1)."""
        self._keep = keep
        self._acks = acks
        self._greeting = self._report = ""
        self._farewell = b""
        self._pieces: list[Piece] = []
        self._upto = self.taken = self.size = 0
        self.sent: list[Answered] = []

    def greet(self, attributes: str) -> None:
        """Say this too in the first answer (XEP-0124 7.2, XEP-0206 2)."""
        self._greeting = self._greeting or f" xmlns:xmpp='{XBOSH}' xmpp:version='1.0' xmpp:restartlogic='true'"
        self._greeting += attributes

    def identify(self, host: str, stream: str) -> None:
        """Name the host, and the stream for old clients, unless the first answer is given already (XEP-0206 3)."""
        if self._greeting:
            self._greeting += f" from='{escape(host)}' authid='{escape(stream)}'"

    def push(self, piece: Piece) -> None:
        """Queue an element."""
        self._pieces.append(piece)
        self.size += len(piece if isinstance(piece, bytes) else piece[0].data)

    def part(self, farewell: bytes) -> None:
        """Say this too when the session ends, last, and to who asks after that."""
        self._farewell = farewell

    @property
    def pushed(self) -> int:
        """Elements that were ever queued."""
        return self._upto + len(self._pieces)

    @property
    def pending(self) -> bool:
        """Whether there is something to say."""
        return bool(self._pieces or self._greeting or self._report)

    def report(self, answered: Answered, now: float) -> None:
        """Tell the client, next, that it seems to miss this answer (XEP-0124 9.2)."""
        self._report = f" report='{answered.rid}' time='{int((now - answered.at) * 1000)}'"

    def acknowledged(self, rid: int) -> None:
        """The client has the answers up to this one: it would not go on without them, or says so."""
        sent = self.sent
        while sent and sent[0].rid <= rid:
            self.taken = sent.pop(0).upto

    def answered(self, rid: int) -> Answered | None:
        """The answer that this request got, as long as it is kept."""
        return next((each for each in self.sent if each.rid == rid), None)

    def empty(self, rid: int, received: int, now: float) -> bytes:
        """An answer without elements; `received` is the last request that came in."""
        return self._keep_it(rid, self._body("", rid, received), now)

    def load(self, rid: int, received: int, now: float, more: str = "", farewell: bytes = b"") -> bytes:
        """An answer with as much of the queue as fits, further attributes, and what stands behind all."""
        pieces: list[bytes] = []
        stanzas: list[Unsent] = []
        size = 0
        for piece in self._pieces:
            if isinstance(piece, bytes):
                pieces.append(piece)
            else:
                pieces.append(standalone(piece[0]))
                if piece[0].kind == "message":
                    stanzas.append(piece)
            size += len(pieces[-1])
            if size >= ANSWER:
                break
        del self._pieces[: len(pieces)]
        self._upto += len(pieces)
        self.size = max(0, self.size - size) if self._pieces else 0
        if farewell:
            pieces.append(farewell)
        return self._keep_it(rid, self._body(more, rid, received, pieces), now, stanzas)

    def last(self, rid: int, now: float, more: str) -> bytes:
        """The answer that ends the session."""
        return self.load(rid, rid, now, more, self._farewell)

    def goodbye(self) -> bytes:
        """The end of a session in order."""
        self._greeting = self._report = ""
        return self._body(" type='terminate'", 0, 0)

    def last_words(self, more: str) -> bytes:
        """What is said to who asks after the end: no stanzas, for it may never ask, and no more than a little."""
        said: list[bytes] = []
        left = LAST
        for piece in (self._farewell, *reversed(self._pieces)):
            if isinstance(piece, bytes) and len(piece) <= left:
                said.insert(0, piece)
                left -= len(piece)
        self._greeting = self._report = ""
        return self._body(more, 0, 0, said)

    def undelivered(self, *, all: bool) -> list[Unsent]:
        """The messages that no answer has carried; with `all` also those whose answer nobody knows to have arrived."""
        lost = [stanza for answered in self.sent for stanza in answered.stanzas] if all else []
        lost += [piece for piece in self._pieces if not isinstance(piece, bytes)]
        self._pieces.clear()
        self.sent.clear()
        return lost

    def _keep_it(self, rid: int, xml: bytes, now: float, stanzas: Sequence[Unsent] = ()) -> bytes:
        self.sent.append(Answered(rid, xml, now, self._upto, stanzas))
        if len(self.sent) > self._keep:
            self.acknowledged(self.sent[0].rid)
        return xml

    def _body(self, more: str, rid: int, received: int, pieces: Sequence[bytes] = ()) -> bytes:
        if self._greeting:
            more, self._greeting = f"{STREAM_DECLARED}{self._greeting}{more}", ""
        elif any(piece.startswith(NEEDS_PREFIX) for piece in pieces):
            more += STREAM_DECLARED
        if self._acks and rid != received:
            more += f" ack='{received}'"
        if self._report:
            more, self._report = more + self._report, ""
        if not pieces:
            return f"{OPEN}{more}/>".encode() if more else EMPTY
        head = f"{OPEN}{more}>".encode() if more else PLAIN
        return b"%b%b%b" % (head, pieces[0] if len(pieces) == 1 else b"".join(pieces), CLOSE)


def refusal(condition: str, inside: bytes = b"") -> bytes:
    """What is answered to who has no session, or gets none (XEP-0124 17.2)."""
    told = f"{OPEN} type='terminate' condition='{condition}'"
    if not inside:
        return f"{told}/>".encode()
    prefix = STREAM_DECLARED if inside.startswith(NEEDS_PREFIX) else ""
    return f"{told}{prefix}>".encode() + inside + CLOSE


def uri(elsewhere: str) -> bytes:
    """What stands in an answer with `SEE_OTHER` (XEP-0124 17.2)."""
    return f"<uri>{escape(elsewhere)}</uri>".encode()
