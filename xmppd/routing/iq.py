"""The iq table: which handler answers which request, by (type, target, element)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Literal

from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Payload, Stanza

from .event import Event

if TYPE_CHECKING:
    from .sessions import Session

log = logging.getLogger(__name__)


class Target(Enum):
    """Whom a request is addressed to: the host, or an account of it."""

    SERVER = "server"
    ACCOUNT = "account"

    __hash__ = object.__hash__  # an enum's own is not of C, and each request looks into a table for it


class Replied(Enum):
    """What a handler returns that has sent its result itself; see `IQ.reply`."""

    REPLIED = "replied"


class IQ:
    """One request. What its handler returns is the result; the `StanzaError` it raises is the error reply."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    @property
    def event(self) -> Event:
        """The stanza on its way, to say what it owes."""
        return self._event

    @property
    def stanza(self) -> Stanza:
        """The request itself."""
        return self._event.stanza

    @property
    def sender(self) -> JID:
        """The full address it came from; stamped, so always there."""
        sender = self._event.stanza.sender
        assert sender is not None, "a request on the road has a sender"
        return sender

    @property
    def to(self) -> JID:
        """Whom it was sent to; the sender's own account where it had no `to`."""
        return self._event.stanza.to or self.sender.bare

    @property
    def account(self) -> JID:
        """The bare address of the account that is asked."""
        return self.to.bare

    @property
    def is_own(self) -> bool:
        """Whether a session asks its own account."""
        return self._event.origin is not None and self.sender.bare == self.to.bare

    @property
    def session(self) -> Session:
        """The local session that asks; `forbidden` for requests from elsewhere."""
        if self._event.origin is None:
            raise StanzaError("forbidden", "only for sessions of this server")
        return self._event.origin

    @property
    def payload(self) -> Element:
        """The request's element."""
        payload = self._event.stanza.payload
        if payload is None:
            raise StanzaError("bad-request", "a request needs an element")
        return payload

    @property
    def id(self) -> str:
        """The request's id."""
        return self._event.stanza.id

    async def reply(self, payload: Payload | None = None) -> Replied:
        """Send the result now, so that what the handler sends next comes behind it; return what this returns."""
        session = self.session
        if session.owes:
            await session.settled()
        session.reply(self.stanza.result(payload))
        return Replied.REPLIED


Answer = Callable[[IQ], Awaitable[Payload | Replied | None]]
Key = tuple[str, Target, str]


class IQTable:
    """The requests that one host answers."""

    def __init__(self) -> None:
        self._answers: dict[Key, Answer] = {}

    def add(self, type: Literal["get", "set"], target: Target, name: str, answer: Answer) -> None:
        """Answer requests with the element `"namespace name"`; one handler each."""
        key = (type, target, name)
        if key in self._answers:
            raise ValueError(f"two modules answer iq {type} {name} to the {target.value}; load only one of them")
        self._answers[key] = answer

    def remove(self, type: Literal["get", "set"], target: Target, name: str) -> None:
        """Answer it no more."""
        del self._answers[type, target, name]

    def find(self, stanza: Stanza, target: Target) -> Answer | None:
        """Who answers this request."""
        names = stanza.names
        return self._answers.get((stanza.type, target, names[0])) if names else None

    async def answer(self, event: Event, target: Target) -> Stanza | None:
        """The reply to a get or set; None where it was sent already, and for a result or error."""
        stanza = event.stanza
        if stanza.type not in ("get", "set"):
            return None
        try:
            if event.origin is None:  # of sessions' stanzas it was looked at when they came in
                check(stanza)
            answer = self.find(stanza, target)
            if answer is None:
                raise StanzaError("service-unavailable")
            given = await answer(IQ(event))
            return None if isinstance(given, Replied) else stanza.result(given)
        except StanzaError as error:
            return stanza.error(error)
        except StreamError:
            raise  # the handler has answered, and ends the stream of the session that asked
        except Exception:
            log.exception("the answer to %r failed", stanza)
            return stanza.error(StanzaError("internal-server-error"))


TYPES = {
    "iq": frozenset({"get", "set", "result", "error"}),
    "presence": frozenset(
        {"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"}
    ),
}


def check(stanza: Stanza) -> None:
    """The rules of RFC 6120 8.2.3 for an iq and RFC 6121 4.7.1 for a presence: `bad-request` where one is broken."""
    if stanza.type not in TYPES[stanza.kind]:
        raise StanzaError("bad-request", f"there is no {stanza.kind} of type {stanza.type[:32]!r}")
    if stanza.kind == "presence":
        return
    if not stanza.id:
        raise StanzaError("bad-request", "an iq needs an id")
    if stanza.type in ("get", "set") and len(stanza.names) != 1:
        raise StanzaError("bad-request", "a request has exactly one element")
