"""A change of an account's lists, and how its sessions are told (XEP-0016 2.2, rule 10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from xmppd.api import Host, Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .items import NS_PRIVACY, Item

QUERY = (f"{NS_PRIVACY} query",)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one list: what was taken out and what was put in.

    `whole` says that the list was given anew or removed, not only some items. `standard` says that it is the default
    list. `note` is a word that its author leaves for those who are told.
    """

    account: JID
    name: str
    added: Sequence[Item] = ()
    removed: Sequence[Item] = ()
    whole: bool = False
    standard: bool = False
    note: str = ""


Teller = Callable[[Session, Change], str | None]
"""How a session wants to be told of a change: what stands in the push's `<query/>`, None for XEP-0016's own way."""
Watcher = Callable[[Change], Awaitable[None]]
"""Who wants to know what changed in which default list, by whatever protocol."""


class Pushes:
    """Tells the sessions of one host's accounts. Others add themselves to `tellers` and `watchers`."""

    def __init__(self, host: Host) -> None:
        self.tellers: list[Teller] = []
        self.watchers: list[Watcher] = []
        self._host = host
        self._numbers = count(1)

    async def push(self, change: Change) -> None:
        """Tell every connected resource that a list is another now, by its name alone or as it wishes."""
        for session in self._host.sessions.of(change.account):
            inside = _first(teller(session, change) for teller in self.tellers)
            if inside is None:
                await self.send(session, session.jid, f"<list name='{escape(change.name)}'/>")
            else:
                # Whom it is for goes without saying on its own stream, and an increment is to be small.
                await self.send(session, None, inside)

    async def send(self, session: Session, to: JID | None, inside: str) -> None:
        """Push to one session; a copy that is refused on its way is nobody else's business."""
        letter = f"<query xmlns='{NS_PRIVACY}'>{inside}</query>".encode()
        with suppress(StanzaError):
            await session.deliver(Stanza("iq", to, None, "set", f"push{next(self._numbers)}", "", letter, QUERY))

    async def watched(self, change: Change) -> None:
        """Tell those who asked to be told, where it is the default list that changed."""
        if change.standard:
            for watcher in self.watchers:
                await watcher(change)


def _first(found: Iterable[str | None]) -> str | None:
    return next((each for each in found if each is not None), None)
