"""What unknown users seem to have: keys of the shapes that the host's accounts have (RFC 5802 9)."""

from __future__ import annotations

from hashlib import blake2b
from math import log
from typing import Final, NamedTuple

from .keys import HASHES, ITERATIONS, PLAIN_ORDER, SALT, SIZES, Credentials, Keys

SHAPES: Final = 16  # remembered for a host: every login draws, which takes a quarter of a microsecond for each
DIGEST: Final = blake2b.MAX_DIGEST_SIZE
# A lot is a fraction of 53 bits, as many as a float holds: the upper ones of a product's lower 64.
LOT: Final = (1 << 53) - 1
UNIT: Final = 2.0**-53


class Part(NamedTuple):
    """What anybody may ask of an account's keys for one hash; `salt` in bytes."""

    hash: str
    iterations: int
    salt: int


Shape = tuple[Part, ...]
"""What anybody may ask of an account: a part for each hash it has, in the order of `HASHES`."""


class _Lots(NamedTuple):
    """What can be drawn: of each shape its number, one over how many accounts have it, and what is seen of it."""

    odds: list[tuple[int, float]]
    parts: list[Part]


class Pretence:
    """Keys of users who do not exist, the same for a name each time, so that asking twice tells nothing.

    A name draws among the shapes that `count` was told of, each as likely as accounts have it. A shape that grows takes
    names from the others and gives back none, as an account whose password is changed: few names change when few
    accounts do, and all processes that share `secret` (at most 64 bytes) and know about the same accounts say the same.
    Of those that have the hash asked for: an account that lacks it may so be answered as if it were unknown.
    Where there are none, it is `iterations` and a salt of 16 bytes.

    Not more than 16 shapes are remembered: a new one takes the place of the rarest. Who has a forgotten one can be told
    from an unknown user.
    """

    def __init__(self, secret: bytes, iterations: int = ITERATIONS) -> None:
        self.iterations = iterations
        self._secret = secret
        self._unproved = blake2b(b"proof", key=secret).digest()
        self._counts: dict[Shape, int] = {}
        self._lots: dict[str, _Lots] = {}

    def count(self, shape: Shape, accounts: int = 1) -> None:
        """So many accounts more have this shape, or fewer. One without keys is answered as an unknown user anyway."""
        if not shape or (accounts < 0 and shape not in self._counts):
            return
        if shape not in self._counts and len(self._counts) >= SHAPES:
            del self._counts[min(self._counts, key=self._counts.__getitem__)]
        self._counts[shape] = self._counts.get(shape, 0) + accounts
        if self._counts[shape] <= 0:
            del self._counts[shape]
        self._lots.clear()

    def keys(self, user: str, hash: str) -> Keys:
        """What SCRAM shows of this name, and keys that no password fits."""
        return self._made(user, self._drawn(user, hash))

    def credentials(self, user: str) -> Credentials:
        """The keys with which PLAIN compares a password for this name; none fits."""
        part = self._drawn(user, "")
        return {part.hash: self._made(user, part)}

    def _made(self, user: str, part: Part) -> Keys:
        unproved = self._unproved[: SIZES[part.hash]]
        return Keys(self._salt(f"{part.hash} {part.iterations} {user}", part.salt), part.iterations, unproved, unproved)

    def _salt(self, text: str, size: int) -> bytes:
        # A hash with a key of its own, for an HMAC by OpenSSL takes eight times as long, and every login pretends.
        if size <= DIGEST:
            return blake2b(text.encode(), key=self._secret, digest_size=size, person=b"salt").digest()
        return self._salt(text, DIGEST) + self._salt(f"{text} ", size - DIGEST)

    def _drawn(self, user: str, hash: str) -> Part:
        """The part of the shape that wins this name (weighted rendezvous hashing); "" for PLAIN's."""
        odds, parts = self._lots.get(hash) or self._prepared(hash)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Part(hash or PLAIN_ORDER[0], self.iterations, SALT)
        name = int.from_bytes(blake2b(user.encode(), key=self._secret, digest_size=8, person=b"lot").digest())
        lots = [log(((name * number >> 11 & LOT) | 1) * UNIT) * share for number, share in odds]
        return parts[lots.index(max(lots))]

    def _prepared(self, hash: str) -> _Lots:
        lots = self._lots[hash] = _Lots([], [])
        for shape, accounts in self._counts.items():
            of = {part.hash: part for part in shape}
            part = of.get(hash or next(name for name in PLAIN_ORDER if name in of))
            if part is not None:
                lots.odds.append((self._number(shape), 1 / accounts))
                lots.parts.append(part)
        return lots

    def _number(self, shape: Shape) -> int:
        text = ",".join(f"{part.hash}:{part.iterations}:{part.salt}" for part in shape)
        return int.from_bytes(blake2b(text.encode(), key=self._secret, digest_size=8, person=b"shape").digest()) | 1


def shape_of(credentials: Credentials) -> Shape:
    """What anybody may ask of these keys."""
    return tuple(Part(hash, keys.iterations, len(keys.salt)) for hash in HASHES if (keys := credentials.get(hash)))
