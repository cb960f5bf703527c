"""SCRAM keys (RFC 5802 3): made from a password, compared with one, written as text (RFC 5803)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scramp.utils import ScramException
from scramp.utils import saslprep as _saslprep

# By name in SCRAM: hashlib's name, and the bytes of a digest.
HASHES: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
SIZES: Final = {"SHA-1": 20, "SHA-256": 32, "SHA-512": 64}
ITERATIONS: Final = (
    4096  # RFC 5802 5.1 and RFC 7677 4: the least; each further thousand costs a phone 1 ms and us as much
)
MOST_ITERATIONS: Final = 1_000_000  # a quarter of a second of our CPU for each login by PLAIN
SHORTEST_SALT: Final = 12  # bytes
SALT: Final = 16  # bytes, of ours
LONGEST_PASSWORD: Final = 1023  # bytes, as many as a user name may have (RFC 7622 3.3.1)
# For a password in the clear: the cheapest hash that is sound, as many processors compute SHA-256 in hardware.
PLAIN_ORDER: Final = ("SHA-256", "SHA-1", "SHA-512")


@dataclass(frozen=True, slots=True)
class Keys:
    """What is stored of a password for one hash; neither it nor the client's key can be had from this."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


Credentials = Mapping[str, Keys]
"""Keys by hash: "SHA-1", "SHA-256", "SHA-512"."""


def saslprep(text: str) -> str:
    """The prepared form of a password (RFC 4013); `ValueError` where it has none, or is empty or over 1023 bytes."""
    if len(text.encode(errors="replace")) > LONGEST_PASSWORD:
        raise ValueError(f"not a password: over {LONGEST_PASSWORD} bytes")
    try:
        prepared = text if text.isascii() and text.isprintable() else str(_saslprep(text))
    except ScramException as error:
        raise ValueError(f"not a password: {error.args[0]}; use letters, digits and signs") from None
    if not prepared:
        raise ValueError("not a password: it is empty")
    return prepared


def derive(password: str, hash: str, iterations: int = ITERATIONS, salt: bytes | None = None) -> Keys:
    """The keys of a password (RFC 5802 3), with a random salt unless given; milliseconds of CPU.

    `ValueError` where the password cannot be prepared.
    """
    salt = secrets.token_bytes(SALT) if salt is None else salt
    name = HASHES[hash]
    salted = hashlib.pbkdf2_hmac(name, saslprep(password).encode(), salt, iterations)
    return keys_of(salted, hash, iterations, salt)


def derive_all(password: str, iterations: int = ITERATIONS) -> Credentials:
    """The keys of a password for each hash, a salt each; some 5 ms of CPU at 4096 iterations. `ValueError` as above."""
    return {hash: derive(password, hash, iterations) for hash in HASHES}


def matches(password: str, credentials: Credentials) -> bool:
    """Is it this password? One derivation; milliseconds of CPU."""
    hash = next((hash for hash in PLAIN_ORDER if hash in credentials), None)
    if hash is None:
        return False
    keys = credentials[hash]
    try:
        derived = derive(password, hash, keys.iterations, keys.salt)
    except ValueError:
        return False
    return hmac.compare_digest(derived.stored_key, keys.stored_key)


def keys_of(salted: bytes, hash: str, iterations: int, salt: bytes) -> Keys:
    """The keys out of a SaltedPassword that a client has computed (RFC 5802 3); `ValueError` for a wrong length."""
    name = HASHES[hash]
    if len(salted) != SIZES[hash]:
        raise ValueError(f"a salted password of {hash} has {SIZES[hash]} bytes")
    stored = hashlib.new(name, hmac.digest(salted, b"Client Key", name)).digest()
    return Keys(salt, iterations, stored, hmac.digest(salted, b"Server Key", name))


def dump(hash: str, keys: Keys) -> str:
    """Keys as text: `SCRAM-SHA-1$4096:salt$stored key:server key`, the binary parts in base64 (RFC 5803 3)."""
    salt, stored, server = (b64encode(part).decode() for part in (keys.salt, keys.stored_key, keys.server_key))
    return f"SCRAM-{hash}${keys.iterations}:{salt}${stored}:{server}"


def load(text: str) -> tuple[str, Keys]:
    """The hash and the keys that `dump` wrote; `ValueError` where the text is something else."""
    try:
        scheme, parameters, values = text.split("$")
        iterations, salt = parameters.split(":")
        stored, server = values.split(":")
        hash = scheme.removeprefix("SCRAM-")
        keys = Keys(
            b64decode(salt, validate=True),
            int(iterations),
            *(b64decode(part, validate=True) for part in (stored, server)),
        )
    except ValueError:
        raise ValueError("not SCRAM keys: expected SCRAM-<hash>$<iterations>:<salt>$<stored>:<server>") from None
    check(hash, keys)
    return hash, keys


def check(hash: str, keys: Keys) -> None:
    """`ValueError` unless clients can log in with these keys: for those that come from elsewhere."""
    if hash not in HASHES:
        raise ValueError(f"not a hash of SCRAM: {hash!r}; known are {', '.join(HASHES)}")
    if not ITERATIONS <= keys.iterations <= MOST_ITERATIONS:
        raise ValueError(f"SCRAM keys have {ITERATIONS} to {MOST_ITERATIONS} iterations, these {keys.iterations}")
    if len(keys.salt) < SHORTEST_SALT:
        raise ValueError(f"SCRAM keys have a salt of at least {SHORTEST_SALT} bytes, these {len(keys.salt)}")
    size = SIZES[hash]
    if (len(keys.stored_key), len(keys.server_key)) != (size, size):
        raise ValueError(f"SCRAM keys of {hash} have {size} bytes each")
