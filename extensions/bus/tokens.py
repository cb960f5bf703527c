"""Who may publish: tokens, compared so that the time tells nothing, and how often each may."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256

from xmppd.api import Buckets

from .options import RoomOptions

AT_ONCE = 2.0  # seconds' worth of the rate


class Tokens:
    """Only digests are kept. `clock` is a clock that never jumps, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: list[tuple[bytes, str]] = []
        self._buckets = Buckets[bytes]()

    def take_up(self, rooms: Mapping[str, RoomOptions]) -> None:
        """These and no others are good from now on."""
        self._known = [(_digest(token), name) for name, room in rooms.items() for token in room.tokens]
        self._buckets.keep({digest for digest, _ in self._known})

    def rooms(self, authorization: str) -> set[str]:
        """The rooms where the token in this header is good; none where it is wrong or missing."""
        scheme, _, token = authorization.partition(" ")
        given = _digest(token.strip())
        found = {name for digest, name in self._known if hmac.compare_digest(digest, given)}
        return found if scheme.lower() == "bearer" else set()

    def take(self, authorization: str, rate: float) -> bool:
        """Whether one more request with a good token is in time; a rate of 0 lets everything through."""
        digest = _digest(authorization.partition(" ")[2].strip())
        return self._buckets.take(digest, rate, self._clock(), max(rate * AT_ONCE, 1.0))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
