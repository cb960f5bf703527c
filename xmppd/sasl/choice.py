"""Which mechanisms: those that may be offered in a state, and the one that is begun."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from .anonymous import Anonymous
from .exchange import Context, Mechanism, SASLError
from .external import External, own_jids
from .plain import Plain
from .scram import SCRAMS, Scram

MECHANISMS: Final = frozenset({*SCRAMS, "PLAIN", "EXTERNAL", "ANONYMOUS"})
"""Every name that a configuration may list."""


def offered(names: Sequence[str], context: Context) -> list[str]:
    """Of the configured names, in their order, those that may be offered to this connection now."""
    return [name for name in names if name in MECHANISMS and _possible(name, context)]


def begin(name: str, context: Context, fake: bytes, offer: Collection[str] | None = None) -> Mechanism:
    """Begin the exchange that a client asks for.

    `fake` is a secret of the server, the same over restarts, from which the salts of unknown users are made. `offer` is
    what this client was offered: nothing else can be begun. Without it everything possible counts as offered.
    `SASLError`: `encryption-required` for PLAIN in the clear, else `invalid-mechanism`.
    """
    if name == "PLAIN" and not context.secure:
        raise SASLError("encryption-required", "start TLS first")
    offer = offered(sorted(MECHANISMS), context) if offer is None else offer
    if name not in offer or name not in MECHANISMS or not _possible(name, context):
        raise SASLError("invalid-mechanism", "choose one of the mechanisms offered")
    match name:
        case "PLAIN":
            return Plain(context, fake)
        case "EXTERNAL":
            return External(context)
        case "ANONYMOUS":
            return Anonymous()
    return Scram(name, context, fake, plus_offered=any(other.endswith("-PLUS") for other in offer))


def _possible(name: str, context: Context) -> bool:
    if name.endswith("-PLUS"):
        return bool(context.endpoint_binding)
    if name == "PLAIN":
        return context.secure
    return name != "EXTERNAL" or bool(own_jids(context))
