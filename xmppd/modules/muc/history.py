"""What was said in a room lately: kept in memory, stored with a stored room, given to who enters (XEP-0045 7.2.13)."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import BODY, DELAY, HINTS
from xmppd.xmpp.stanza import Element, Stanza, escape
from xmppd.xmpp.timestamps import format_datetime, parse_datetime

from .store import Line
from .words import NS_MUC

if TYPE_CHECKING:
    from .room import Room

MICROSECONDS: Final = 1_000_000
LARGEST_SENT: Final = 4096  # bytes of a message that is kept as it is sent, too, which takes twice as much again
STORE: Final = f"{HINTS} store"
NO_STORE: Final = f"{HINTS} no-store"


@dataclass(frozen=True, slots=True)
class Wish:
    """How much history somebody wants; None: as much as there is."""

    stanzas: int | None = None
    chars: int | None = None
    since: float | None = None  # seconds since 1970

    @classmethod
    def parse(cls, join: Element | None, now: float) -> Wish:
        """What the <x/> of a join asks for (7.2.14); `bad-request` for what is no number and no time."""
        found = join.find(f"{{{NS_MUC}}}history") if join is not None else None
        if found is None:
            return cls()
        seconds, since = _number(found, "seconds"), _moment(found.get("since"))
        if seconds is not None:
            since = max(now - seconds, since or 0.0)
        return cls(_number(found, "maxstanzas"), _number(found, "maxchars"), since)


class History:
    """The last messages of one room, the oldest first."""

    __slots__ = ("_lines", "_sent", "_size", "seq")

    def __init__(self, lines: Iterable[Line], size: int) -> None:
        self._lines: deque[Line] = deque()
        self._sent: dict[int, Stanza] = {}
        self._size = 0
        self.seq = 0
        for line in lines:
            self.add(line, sys.maxsize, size)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def next(self, nick: str, author: JID, stanza: Stanza, now: float) -> Line:
        """The line that a message would be."""
        return Line(self.seq + 1, int(now * MICROSECONDS), nick, author, stanza.id, stanza.lang, stanza.letter)

    def add(self, line: Line, most: int, size: int) -> None:
        """Keep the next line, and no more than `most` and than `size` bytes of them."""
        self.seq = line.seq
        self._lines.append(line)
        self._size += _size(line)
        while self._lines and (len(self._lines) > most or self._size > size):
            oldest = self._lines.popleft()
            self._size -= _size(oldest)
            self._sent.pop(oldest.seq, None)

    def remove(self, seq: int) -> None:
        """Forget one message."""
        self._lines = deque(line for line in self._lines if line.seq != seq)
        self._size = sum(map(_size, self._lines))
        self._sent.pop(seq, None)

    def chosen(self, room: Room, wish: Wish, most: int) -> list[Stanza]:
        """The messages that a newcomer is given: the last that meet every limit, complete ones, dated (XEP-0203)."""
        most = min(most, wish.stanzas) if wish.stanzas is not None else most
        found: list[Stanza] = []
        chars = 0
        for line in reversed(self._lines):
            if len(found) >= most or (wish.since is not None and line.at < wish.since * MICROSECONDS):
                break
            stanza = self._dated(room, line)
            chars += len(stanza.data) if wish.chars is not None else 0
            if wish.chars is not None and chars > wish.chars:
                break
            found.append(stanza)
        return found[::-1]

    def _dated(self, room: Room, line: Line) -> Stanza:
        stanza = self._sent.get(line.seq)
        if stanza is None:
            stanza = dated(room, line)
            if _size(line) <= LARGEST_SENT:
                self._sent[line.seq] = stanza
        return stanza


def _size(line: Line) -> int:
    return len(line.letter) + len(line.id) + len(line.lang)


def dated(room: Room, line: Line) -> Stanza:
    """A line as it is sent later on: from its author's nick, dated by the room."""
    sender = room.jid.with_resource(line.nick) if line.nick else room.jid
    date = b"" if _brings_a_date(room, line) else delay(room.jid, line.at).encode()
    return Stanza("message", None, sender, "groupchat", line.id, line.lang, line.letter + date)


def _brings_a_date(room: Room, line: Line) -> bool:
    """Whether an owner has brought this along from an earlier conversation, whose date stays (7.9)."""
    if DELAY.encode() not in line.letter or room.affiliations.get(line.author.partition("/")[0]) != "owner":
        return False
    try:
        return Stanza("message", letter=line.letter).child("delay", DELAY) is not None
    except StanzaError:
        return False


def delay(room: JID, at: int) -> str:
    """The mark that dates a message (XEP-0203); `at` in microseconds since 1970."""
    return f"<delay xmlns='{DELAY}' from='{escape(room)}' stamp='{format_datetime(at / MICROSECONDS)}'/>"


def is_worth(names: tuple[str, ...]) -> bool:
    """Whether a message is kept: one with a body, or that asks for it; not one that forbids it (XEP-0334)."""
    return (BODY in names or STORE in names) and NO_STORE not in names


def most_kept(room: Room) -> int:
    """How many messages a room keeps."""
    return min(room.muc.options.history_size, room.settings.maxhistoryfetch)


def _number(element: Element, name: str) -> int | None:
    text = element.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise StanzaError("bad-request", f"{name} must be a whole number that is not negative")
    return int(text)


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_datetime(text).timestamp()
    except ValueError as error:
        raise StanzaError("bad-request", f"since: {error}") from None
