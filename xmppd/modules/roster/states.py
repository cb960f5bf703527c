"""The subscription states of RFC 6121 appendix A, as two tables and the rules that pre-approval adds to them.

A contact's mark is a small number of bits. The four lowest are the state of appendix A; `APPROVED` says that the
account has approved a request that has not come yet (3.4), `LISTED` that the contact is in the roster a client sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from xmppd.xmpp.errors import StanzaError

TO: Final = 1
FROM: Final = 2
PENDING_OUT: Final = 4
PENDING_IN: Final = 8
APPROVED: Final = 16
LISTED: Final = 32
BOTH: Final = TO | FROM

STATE: Final = 15  # the bits that appendix A speaks of
SHOWN: Final = TO | FROM | PENDING_OUT | APPROVED | LISTED  # the bits that a roster item shows

SUBSCRIPTION: Final = ("none", "to", "from", "both")
SUBSCRIPTION_TYPES: Final = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})

NONE: Final = 0
NONE_OUT: Final = PENDING_OUT
NONE_IN: Final = PENDING_IN
NONE_OUT_IN: Final = PENDING_OUT | PENDING_IN
TO_IN: Final = TO | PENDING_IN
FROM_OUT: Final = FROM | PENDING_OUT

STATES: Final = (NONE, NONE_OUT, NONE_IN, NONE_OUT_IN, TO, TO_IN, FROM, FROM_OUT, BOTH)

Column = Mapping[int, tuple[bool, int]]


def _column(passes: str, *after: int) -> Column:
    """What one type does to each of `STATES`: whether it passes ("+" or "-"), and the state behind it."""
    return {state: (sign == "+", new) for state, sign, new in zip(STATES, passes, after, strict=True)}


# The states before, in the order of `STATES`:
#   None, None+Out, None+In, None+Out+In, To, To+In, From, From+Out, Both
OUTBOUND: Final[Mapping[str, Column]] = {  # A.2; "+" is routed to the contact
    "subscribe": _column(
        "+++++++++", NONE_OUT, NONE_OUT, NONE_OUT_IN, NONE_OUT_IN, TO, TO_IN, FROM_OUT, FROM_OUT, BOTH
    ),
    "unsubscribe": _column("+++++++++", NONE, NONE, NONE_IN, NONE_IN, NONE, NONE_IN, FROM, FROM, FROM),
    "subscribed": _column("--++-+---", NONE, NONE_OUT, FROM, FROM_OUT, TO, BOTH, FROM, FROM_OUT, BOTH),
    "unsubscribed": _column("--++-++++", NONE, NONE_OUT, NONE, NONE_OUT, TO, TO, NONE, NONE_OUT, TO),
}
INBOUND: Final[Mapping[str, Column]] = {  # A.3; "+" is delivered to the account
    "subscribe": _column("++--+----", NONE_IN, NONE_OUT_IN, NONE_IN, NONE_OUT_IN, TO_IN, TO_IN, FROM, FROM_OUT, BOTH),
    "unsubscribe": _column("--++-++++", NONE, NONE_OUT, NONE, NONE_OUT, TO, TO, NONE, NONE_OUT, TO),
    "subscribed": _column("-+-+---+-", NONE, TO, NONE_IN, TO_IN, TO, TO_IN, FROM, BOTH, BOTH),
    "unsubscribed": _column("-+-+++-++", NONE, NONE, NONE_IN, NONE_IN, NONE, NONE_IN, FROM, FROM, FROM),
}


class Step(NamedTuple):
    """What a subscription stanza does: the mark behind it, whether it passes, and the type of an answer at once."""

    mark: int
    passes: bool
    answer: str = ""


def outbound(mark: int, type: str) -> Step:
    """The account sends `type` to a contact that it has marked so (A.2, 3.4.2)."""
    passes, state = OUTBOUND[type][mark & STATE]
    kept = mark & ~STATE
    if type == "subscribe" or (type == "subscribed" and passes):
        kept |= LISTED
    elif type == "subscribed" and not mark & FROM:
        kept |= LISTED | APPROVED
    elif type == "unsubscribed":
        kept &= ~APPROVED
    return Step(kept | state, passes)


def inbound(mark: int, type: str) -> Step:
    """A contact that the account has marked so sends it `type` (A.3, 3.1.3)."""
    passes, state = INBOUND[type][mark & STATE]
    if type == "subscribe":
        if mark & FROM:
            return Step(mark, False, "subscribed")
        if mark & APPROVED:
            return Step((mark | FROM) & ~(APPROVED | PENDING_IN), False, "subscribed")
    return Step(mark & ~STATE | state, passes)


def with_subscription(mark: int, subscription: str) -> int:
    """The mark with a subscription that an administrator or an export names; `bad-request` where there is none such.

    What is there is asked for no more.
    """
    if subscription not in SUBSCRIPTION:
        raise StanzaError("bad-request", f"a subscription is one of {', '.join(SUBSCRIPTION)}")
    there = SUBSCRIPTION.index(subscription)
    pending = (PENDING_OUT if there & TO else 0) | (PENDING_IN if there & FROM else 0)
    return mark & ~(BOTH | pending) | there


def shows(before: int, after: int) -> bool:
    """Whether a change of marks is one of the roster item that clients see, and therefore pushed (2.1.6)."""
    return bool((before ^ after) & SHOWN and (before | after) & LISTED)


def parting(mark: int) -> tuple[str, ...]:
    """What the contact is sent when its item, or the whole account, is removed (2.5.2)."""
    types = ("unsubscribe",) if mark & (TO | PENDING_OUT) else ()
    return (*types, "unsubscribed") if mark & (FROM | PENDING_IN) else types
