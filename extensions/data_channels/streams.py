"""Which in-band bytestreams are open between whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from xmppd.xmpp.jid import JID

PATIENCE: Final = 60.0  # seconds; a stream that nobody agreed to by then takes up no place any more
NOBODY: Final[Mapping[JID, Link]] = {}


@dataclass(slots=True)
class Stream:
    """One stream: the id of the request to open it, whose that was and when, and whether the other side has agreed.

    `spent` is the bytes that it has carried in this second.
    """

    request: str
    opener: JID
    since: float
    agreed: bool = False
    spent: int = 0


@dataclass(slots=True)
class Link:
    """All streams between two full addresses, by sid."""

    streams: dict[str, Stream] = field(default_factory=dict)


class Streams:
    """Every link under both its ends."""

    def __init__(self) -> None:
        self._links: dict[JID, dict[JID, Link]] = {}

    def __len__(self) -> int:
        return sum(len(link.streams) for links in self._links.values() for link in links.values()) // 2

    def between(self, one: JID, other: JID) -> Link | None:
        """Their link; None where no stream is open."""
        return self._links.get(one, NOBODY).get(other)

    def agreed(self, one: JID, other: JID, sid: str) -> Stream | None:
        """Their stream of this sid, if both sides have agreed to it."""
        link = self.between(one, other)
        stream = link.streams.get(sid) if link is not None else None
        return stream if stream is not None and stream.agreed else None

    def count(self, end: JID, now: float) -> int:
        """How many streams this address has agreed to or asked for; those that were never answered are taken out first.

        What others ask of it is not counted, or they could take all its places.
        """
        self._forget(end, now)
        links = self._links.get(end, NOBODY).values()
        return sum(stream.agreed or stream.opener == end for link in links for stream in link.streams.values())

    def forget(self, now: float) -> None:
        """Take out all that were never answered."""
        for end in list(self._links):
            self._forget(end, now)

    def _forget(self, end: JID, now: float) -> None:
        links = self._links.get(end, NOBODY).items()
        streams = [(peer, sid, stream) for peer, link in links for sid, stream in link.streams.items()]
        for peer, sid, stream in streams:
            if not stream.agreed and now - stream.since >= PATIENCE:
                self.remove(end, peer, sid)

    def add(self, one: JID, other: JID, sid: str, stream: Stream) -> None:
        """Enter a stream. It replaces a request of the same sid between the same two, but none that was agreed to."""
        if self.agreed(one, other, sid) is not None:
            return
        link = self.between(one, other) or Link()
        self._links.setdefault(one, {})[other] = link
        self._links.setdefault(other, {})[one] = link
        link.streams[sid] = stream

    def withdraw(self, one: JID, other: JID, stream: Stream) -> None:
        """Take out this very stream, where it is one of theirs."""
        link = self.between(one, other)
        for sid, each in list(link.streams.items()) if link is not None else ():
            if each is stream:
                self.remove(one, other, sid)

    def remove(self, one: JID, other: JID, sid: str) -> bool:
        """Take a stream out; False where there is none."""
        link = self.between(one, other)
        if link is None or link.streams.pop(sid, None) is None:
            return False
        if not link.streams:
            self._cut(one, other)
            self._cut(other, one)
        return True

    def leave(self, gone: JID) -> list[tuple[JID, str]]:
        """Take out all streams of an address; returns who was at the other end of each, and its sid."""
        left = [(peer, sid) for peer, link in self._links.get(gone, NOBODY).items() for sid in link.streams]
        for peer, sid in left:
            self.remove(gone, peer, sid)
        return left

    def _cut(self, one: JID, other: JID) -> None:
        links = self._links.get(one, {})
        links.pop(other, None)
        if not links:
            self._links.pop(one, None)
