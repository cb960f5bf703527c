"""Who may publish: tokens, compared so that the time tells nothing, and how often each may."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256

from .options import RoomOptions

AT_ONCE = 2.0  # seconds' worth of the rate


class Tokens:
    """Only digests are kept. `clock` is a clock that never jumps, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: list[tuple[bytes, str]] = []
        self._left: dict[bytes, tuple[float, float]] = {}  # what is left of a token's rate, and since when

    def take_up(self, rooms: Mapping[str, RoomOptions]) -> None:
        """These and no others are good from now on."""
        self._known = [(_digest(token), name) for name, room in rooms.items() for token in room.tokens]
        good = {digest for digest, _ in self._known}
        self._left = {digest: left for digest, left in self._left.items() if digest in good}

    def rooms(self, authorization: str) -> set[str]:
        """The rooms where the token in this header is good; none where it is wrong or missing."""
        scheme, _, token = authorization.partition(" ")
        given = _digest(token.strip())
        found = {name for digest, name in self._known if hmac.compare_digest(digest, given)}
        return found if scheme.lower() == "bearer" else set()

    def take(self, authorization: str, rate: float) -> bool:
        """Whether one more request with a good token is in time; a rate of 0 lets everything through."""
        if not rate:
            return True
        digest, now, most = _digest(authorization.partition(" ")[2].strip()), self._clock(), max(rate * AT_ONCE, 1.0)
        left, at = self._left.get(digest, (most, now))
        left = min(most, left + (now - at) * rate)
        self._left[digest] = (left - 1 if left >= 1 else left), now
        return left >= 1


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
