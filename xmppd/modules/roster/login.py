"""The answer to a roster get: the whole roster, what changed since a version, or nothing (RFC 6121 2.1.3, 2.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from xmppd.api import IQ
from xmppd.xmpp.jid import JID

from .book import Book, Roster
from .items import ItemPart, Row, item_xml, query_xml

MOST_KEPT: Final = 256  # answers kept for the next login of the same accounts: 50 contacts each make 1 MB
LONGEST_KEPT: Final = 65536  # characters of an answer worth keeping


class Login:
    """Rosters as XML."""

    def __init__(self, book: Book, parts: Sequence[ItemPart]) -> None:
        self._book = book
        self._parts = parts
        self._kept: dict[JID, tuple[int, str]] = {}

    async def answer(self, iq: IQ, version: str | None) -> str | None:
        """The result for a session, which is interested in pushes from now on (2.2)."""
        session, account = iq.session, iq.account
        session.interested = True
        roster = self._book.known(account)
        kept = self._kept.get(account)
        if roster is not None:
            if version == str(roster.version):
                return None
            if kept is not None and kept[0] == roster.version:
                return kept[1]
        roster, xml = await self.read(account)
        return None if version == str(roster.version) else xml

    async def read(self, account: JID) -> tuple[Roster, str]:
        """The roster of somebody who is here, and its XML: presence asks for one and the client for the other."""
        roster, rows = await self._book.read(account)
        return roster, self._keep(account, roster.version, rows, await self.children(account))

    def _keep(self, account: JID, version: int, rows: Sequence[Row], inside: Mapping[str, str]) -> str:
        items = [item_xml(row, inside.get(row[0], "")) for row in rows]
        xml = query_xml("".join(items), version)
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
