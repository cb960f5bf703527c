"""Where a stanza to a local account goes: RFC 6121 section 8 as a pure function; and the copies to those it names."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.stanza import Stanza

from .sessions import Session

S = TypeVar("S", bound=Session)


class Action(Enum):
    """What to do with a stanza to an account."""

    DELIVER = "deliver"  # to the sessions chosen
    ANSWER = "answer"  # the server answers for the account (iq)
    SUBSCRIPTION = "subscription"  # the roster's business, or a probe
    ABSENT = "absent"  # keep it for later, or answer service-unavailable
    BOUNCE = "bounce"  # answer service-unavailable
    IGNORE = "ignore"  # say nothing


Choice = tuple[Action, Sequence[Session]]
NOBODY: Sequence[Session] = ()
SUBSCRIPTION_TYPES = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"})


def choose(stanza: Stanza, exists: bool, sessions: Sequence[Session]) -> Choice:
    """What happens to `stanza`, whose `to` is a local account's address (RFC 6121 8.5).

    `exists` says whether there is such an account, `sessions` are all that it has on the cluster, bound or available.
    """
    if stanza.kind == "message":
        return _message(stanza, exists, sessions)
    if stanza.kind == "presence":
        return _presence(stanza, exists, sessions)
    return _iq(stanza, exists, sessions)


def _message(stanza: Stanza, exists: bool, sessions: Sequence[Session]) -> Choice:
    type, to = stanza.type, stanza.to
    if to is not None and to.resource:
        for session in sessions:
            if session.jid == to:
                return Action.DELIVER, (session,)  # 8.5.3.1
        if type != "chat":  # 8.5.3.2.1
            return (Action.IGNORE if type == "error" else Action.BOUNCE), NOBODY
    if type == "error":
        return Action.IGNORE, NOBODY  # 8.5.2.1.1, 8.5.2.2.1
    if type == "groupchat":
        return Action.BOUNCE, NOBODY
    if len(sessions) == 1 and sessions[0].presence is not None and sessions[0].priority >= 0:
        return Action.DELIVER, sessions  # the usual case, and the busiest
    reachable = [session for session in sessions if session.presence is not None and session.priority >= 0]
    if reachable:
        return Action.DELIVER, reachable
    if type == "headline":
        return Action.IGNORE, NOBODY
    return (Action.ABSENT if exists else Action.BOUNCE), NOBODY


def _presence(stanza: Stanza, exists: bool, sessions: Sequence[Session]) -> Choice:
    type, to = stanza.type, stanza.to
    if type in SUBSCRIPTION_TYPES:
        return (Action.SUBSCRIPTION if exists else Action.IGNORE), NOBODY
    if to is not None and to.resource:
        found = [session for session in sessions if session.jid == to]
        return (Action.DELIVER if found else Action.IGNORE), found
    if len(sessions) == 1:  # the usual case, and the busiest
        return (Action.DELIVER, sessions) if sessions[0].presence is not None else (Action.IGNORE, NOBODY)
    available = [session for session in sessions if session.presence is not None]
    return (Action.DELIVER if available else Action.IGNORE), available


def _iq(stanza: Stanza, exists: bool, sessions: Sequence[Session]) -> Choice:
    to = stanza.to
    if to is not None and to.resource:
        for session in sessions:
            if session.jid == to:
                return Action.DELIVER, (session,)
        return (Action.BOUNCE if stanza.type in ("get", "set") else Action.IGNORE), NOBODY
    if stanza.type in ("get", "set"):
        return (Action.ANSWER if exists else Action.BOUNCE), NOBODY
    return Action.IGNORE, NOBODY


async def deliver(stanza: Stanza, chosen: Sequence[Session]) -> None:
    """Give each of these sessions a copy; where all of them refuse it, the last one's `StanzaError`."""
    refused: StanzaError | None = None
    delivered = False
    for session in chosen:
        try:
            await session.deliver(stanza)
            delivered = True
        except StanzaError as error:
            refused = error
    if refused is not None and not delivered:
        raise refused
