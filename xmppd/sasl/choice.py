"""Which mechanisms: those that may be offered in a state, and the one that is begun."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from .anonymous import Anonymous
from .exchange import Context, Mechanism, SASLError
from .external import External, own_jids
from .plain import Plain
from .pretence import Pretence
from .scram import SCRAMS, Scram

MECHANISMS: Final = frozenset({*SCRAMS, "PLAIN", "EXTERNAL", "ANONYMOUS"})
"""Every name that a configuration may list."""
REMEMBERED: Final = 256  # of connections, and lists of names, whose offer is remembered: each login asks three times


def offered(names: Sequence[str], context: Context) -> list[str]:
    """Of the configured names, in their order, those that may be offered to this connection now."""
    certified = bool(context.certificate_jids) and bool(own_jids(context))
    return list(_offered(tuple(names), context.secure, bool(context.endpoint_binding), certified))


@lru_cache(REMEMBERED)
def _offered(names: tuple[str, ...], secure: bool, bound: bool, certified: bool) -> tuple[str, ...]:
    return tuple(name for name in names if name in MECHANISMS and _possible(name, secure, bound, certified))


def begin(name: str, context: Context, pretence: Pretence, offer: Collection[str] | None = None) -> Mechanism:
    """Begin the exchange that a client asks for.

    `pretence` has the keys of unknown users. `offer` is what this client was offered: nothing else can be begun.
    Without it everything possible counts as offered.
    `SASLError`: `encryption-required` for PLAIN in the clear, else `invalid-mechanism`.
    """
    if name == "PLAIN" and not context.secure:
        raise SASLError("encryption-required", "start TLS first")
    offer = offered(sorted(MECHANISMS), context) if offer is None else offer
    if name not in offer or not offered((name,), context):
        raise SASLError("invalid-mechanism", "choose one of the mechanisms offered")
    match name:
        case "PLAIN":
            return Plain(context, pretence)
        case "EXTERNAL":
            return External(context)
        case "ANONYMOUS":
            return Anonymous()
    return Scram(name, context, pretence, plus_offered=any(other.endswith("-PLUS") for other in offer))


def _possible(name: str, secure: bool, bound: bool, certified: bool) -> bool:
    if name.endswith("-PLUS"):
        return bound
    if name == "PLAIN":
        return secure
    return name != "EXTERNAL" or certified
