"""The answer to a roster get: the whole roster, what changed since a version, or nothing (RFC 6121 2.1.3, 2.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from xmppd.api import IQ, Replied
from xmppd.xmpp.jid import JID

from .book import Book, Roster
from .items import ItemPart, Row, items_xml, query_xml, shown_xml
from .pushes import deliver, push

MOST_KEPT: Final = 256  # answers kept for the next login of the same accounts: 50 contacts each make 1 MB
MOST_PUSHED: Final = 20  # changes pushed one by one; a whole roster is quicker than more of them
LONGEST_VERSION: Final = 15  # digits
LONGEST_KEPT: Final = 65536  # characters of an answer worth keeping


class Login:
    """Rosters as XML."""

    def __init__(self, book: Book, parts: Sequence[ItemPart]) -> None:
        self._book = book
        self._parts = parts
        self._kept: dict[JID, tuple[int, str]] = {}

    async def answer(self, iq: IQ, version: str | None) -> str | Replied | None:
        """The result for a session, which is interested in pushes from now on (2.2)."""
        account = iq.account
        iq.session.interested = True
        known = self._book.known(account)
        if known is not None and version == str(known.version):
            return None
        roster, xml = self._at_hand(account) or await self.read(account)
        if version == str(roster.version):
            return None
        return await self._changes(iq, roster, version) or xml

    def _at_hand(self, account: JID) -> tuple[Roster, str] | None:
        roster, (version, xml) = self._book.known(account), self._kept.get(account, (-1, ""))
        return (roster, xml) if roster is not None and roster.version == version else None

    async def _changes(self, iq: IQ, roster: Roster, version: str | None) -> Replied | None:
        """Push what changed since the client's version, behind an empty result (2.6.3); None where that is too much."""
        if not version or not version.isdecimal() or len(version) > LONGEST_VERSION:
            return None
        since, account = int(version), iq.account
        if not 0 < roster.floor <= since < roster.version:
            return None
        rows = await self._book.since(account, since)
        if len(rows) > MOST_PUSHED:
            return None
        inside = await self.children(account)
        replied = await iq.reply()
        for row, changed in rows:
            await deliver(iq.session, push(shown_xml(row, inside), changed, account, iq.session))
        return replied

    async def read(self, account: JID) -> tuple[Roster, str]:
        """The roster of somebody who is here, and its XML: presence asks for one and the client for the other."""
        roster, rows = await self._book.read(account)
        return roster, self._keep(account, roster.version, rows, await self.children(account))

    def _keep(self, account: JID, version: int, rows: Sequence[Row], inside: Mapping[str, str]) -> str:
        xml = query_xml(items_xml(rows, inside), version)
        self._kept.pop(account, None)
        if len(xml) <= LONGEST_KEPT:
            self._kept[account] = (version, xml)
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return xml

    async def children(self, account: JID, contact: JID | None = None) -> dict[str, str]:
        """What other modules add inside items, by contact."""
        inside: dict[str, str] = {}
        for part in self._parts:
            for address, xml in (await part.children(account, contact)).items():
                inside[address] = inside.get(address, "") + xml
        return inside
