"""HT-SHA-256: a login by a token in one message (draft-schmaus-kitten-sasl-ht), as XEP-0484 uses it."""

from __future__ import annotations

import hmac
from typing import Final

from .exchange import Context, SASLError, localpart, text_of

NAMES: Final = ("HT-SHA-256-ENDP", "HT-SHA-256-NONE")
"""Every mechanism, the one with channel binding first."""
PROOF: Final = 32  # bytes of an HMAC-SHA256


def offered(context: Context) -> list[str]:
    """Those that may be offered to this connection: none in the clear, for whoever hears a login could repeat it."""
    if not context.secure:
        return []
    return [name for name in NAMES if name.endswith("-NONE") or context.endpoint_binding]


def claim(payload: bytes) -> tuple[str, bytes]:
    """Who the client says it is, a prepared localpart, and its proof; `SASLError` where the message is none."""
    user, separator, proof = payload.partition(b"\0")
    if not separator or not user or len(proof) != PROOF:
        raise SASLError("malformed-request", "expected user NUL proof")
    return localpart(text_of(user)), proof


def proves(token: str, proof: bytes, binding: bytes) -> bool:
    """Whether the proof was made with this token, on a connection with this binding. Takes as long for any."""
    return hmac.compare_digest(hmac.digest(token.encode(), b"Initiator" + binding, "sha256"), proof)


def answer(token: str, binding: bytes) -> bytes:
    """What proves to the client that we know the token too."""
    return hmac.digest(token.encode(), b"Responder" + binding, "sha256")
