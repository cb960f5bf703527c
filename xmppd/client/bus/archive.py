"""The room's archive (XEP-0313): what came after a message that this member knows."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement

from .wire import Heard, read_message

if TYPE_CHECKING:
    from .link import Link

_MAM: Final = "urn:xmpp:mam:2"
_RSM: Final = "http://jabber.org/protocol/rsm"
_FORWARD: Final = "urn:xmpp:forward:0"
_CLIENT: Final = "{jabber:client}"
PAGE: Final = 100
MOST_PAGES: Final = 100  # that a member reads to catch up; what is further away is not worth it
Found = tuple[str, Heard | None]  # the id in the archive, and what the message says to the bus


class Archive:
    """Asks the room. `take` must get each message that comes."""

    def __init__(self, link: Link, room: str) -> None:
        self._link = link
        self._room = room
        self._query = ""
        self._found: list[Found] = []

    def take(self, xml: Element) -> bool:
        """Whether this message is a result of a query here."""
        result = xml.find(f"{{{_MAM}}}result")
        if result is None:
            return False
        message = result.find(f"{{{_FORWARD}}}forwarded/{_CLIENT}message")
        asked = self._query and result.get("queryid") == self._query and xml.get("from") == self._room
        if asked and message is not None and len(self._found) <= PAGE:
            ours = message.get("from", "").partition("/")[0] == self._room
            self._found.append((result.get("id", ""), read_message(message, self._room) if ours else None))
        return True

    async def tail(self) -> list[str]:
        """The ids of the last two messages; none where there is no archive."""
        page = await self._page(2, "before", "")
        return [] if page is None else [found[0] for found in page[0]][-2:]

    async def after(self, known: str) -> AsyncIterator[Found | None]:
        """What came after a message. None, and nothing more, where the archive does not reach there."""
        for _ in range(MOST_PAGES):
            page = await self._page(PAGE, "after", known)
            if page is None:
                break
            found, complete = page
            for each in found:
                yield each
            if complete:
                return
            if not found:
                break
            known = found[-1][0]
        yield None

    async def _page(self, most: int, where: str, known: str) -> tuple[list[Found], bool] | None:
        """One page and whether it is the last; None for an error, or for more than was asked for."""
        self._query, self._found = secrets.token_hex(6), []
        iq = self._link.make_iq_set(ito=self._room)
        query = Element(f"{{{_MAM}}}query", {"queryid": self._query})
        rsm = SubElement(query, f"{{{_RSM}}}set")
        SubElement(rsm, f"{{{_RSM}}}max").text = str(most)
        SubElement(rsm, f"{{{_RSM}}}{where}").text = known or None
        iq.append(query)
        answer = await self._link.ask(iq)
        self._query = ""
        fin = None if answer is None else answer.xml.find(f"{{{_MAM}}}fin")
        if fin is None or len(self._found) > PAGE:
            return None
        return self._found, fin.get("complete") in ("true", "1")
