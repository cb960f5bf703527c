"""What one aspect of rooms adds to them: answers to requests, messages it takes, features, greetings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from xmppd.api import IQ, Event, Replied
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Payload

if TYPE_CHECKING:
    from .module import Muc
    from .occupants import Occupant
    from .room import Room

# Answers a request to the bare room: returned payload = result, None = empty result, `StanzaError` = error reply.
Request = Callable[["Room", IQ], Awaitable[Payload | Replied | None]]
# Takes a message to the bare room that is no groupchat; False: it is none of mine after all.
Take = Callable[["Room", Event], Awaitable[bool]]


class Aspect:
    """Base of the aspects; `Muc` makes one of each and asks it once what it answers.

    All that an aspect is called with runs in the room's turn: nothing else happens in this room meanwhile.
    """

    def __init__(self, muc: Muc) -> None:
        self.muc = muc

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """("get" or "set", "namespace name") -> who answers it."""
        return {}

    def messages(self) -> Mapping[str, Take]:
        """Who takes a message, by the "namespace name" of a top element of its letter."""
        return {}

    def features(self, room: Room) -> Iterable[str]:
        """What disco#info of the room lists besides."""
        return ()

    def fields(self, room: Room) -> Mapping[str, str | list[str]]:
        """What the form muc#roominfo holds besides (XEP-0045 6.4)."""
        return {}

    def additions(self, room: Room, occupant: Occupant) -> bytes:
        """Elements, serialised, for each presence of an occupant; asked as it enters. See `Occupant.additions`."""
        return b""

    async def greet(self, room: Room, occupant: Occupant, to: JID) -> None:
        """Somebody has entered and was sent all presences; `to` is the real address."""
