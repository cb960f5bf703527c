"""One stay in the room: enters, follows who comes and goes, sorts what comes in, leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

from .archive import Archive
from .company import Company
from .errors import BusRefused, LinkLost
from .link import Link
from .members import left_in_peace, read_member, status_codes
from .owning import configure
from .wire import Heard, Mark, read_message, write_join, write_leave

if TYPE_CHECKING:
    from .options import Settings

log = logging.getLogger(__name__)
_MESSAGE: Final = "{jabber:client}message"
_PRESENCE: Final = "{jabber:client}presence"
_STANZAS: Final = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
_ERROR: Final = "{jabber:client}error"


class Room:
    """`heard` gets what is said."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        company: Company,
        heard: Callable[[Heard], None],
    ) -> None:
        self.link = Link(settings, name, self._take)
        self.archive = Archive(self.link, settings.room)
        self.company = company
        self.name = name
        self.created = False
        self._settings = settings
        self._prefix = f"{settings.room}/"
        self._heard = heard
        self._entered: asyncio.Future[BusRefused | None] = asyncio.get_running_loop().create_future()

    async def enter(self, mark: Mark | None, resets: int = 0) -> None:
        """Enter as a member that has published up to `mark`, or to watch; configure the room where there was none.

        `resets` are those that it has told of.
        """
        self.link.say(write_join(self._prefix + self.name, mark, self._settings.lease, resets))
        try:
            async with asyncio.timeout(self._settings.patience):
                refusal = await self.link.before_lost(self._entered)
        except TimeoutError:
            raise LinkLost("the room did not answer") from None
        if refusal is not None:
            raise refusal
        if self.created:
            await configure(self.link, self._settings.room)

    def leave(self) -> None:
        """Say that this member leaves and serves nothing any more."""
        self.link.say(write_leave(self._prefix + self.name))

    def _take(self, xml: Element) -> bool:
        sender = xml.get("from", "")
        if sender != self._settings.room and not sender.startswith(self._prefix):
            return False
        if self.link.lost.done():
            return True  # the next stay hears of it
        if xml.tag == _MESSAGE:
            self._message(xml, sender)
        elif xml.tag == _PRESENCE:
            self._presence(xml, sender.partition("/")[2])
        else:
            return False
        return True

    def _message(self, xml: Element, sender: str) -> None:
        if self.archive.take(xml):
            return
        if xml.get("type") == "error":
            if sender == self._settings.room:
                self.link.end(f"the room refuses a message: {_condition(xml)}")
            return
        message = read_message(xml, self._settings.room)
        if message is not None:
            self._heard(message)

    def _presence(self, xml: Element, nick: str) -> None:
        kind, codes = xml.get("type"), status_codes(xml)
        if kind == "error":
            self._refused(xml)
        elif kind == "unavailable":
            if "110" in codes or nick == self.name:
                self.link.end(f"out of the room (status {', '.join(sorted(codes))})")
            self.company.left(nick, peaceful=left_in_peace(xml))
        elif "110" in codes:
            self.name = nick
            self.created = "201" in codes
            if not self._entered.done():
                self._entered.set_result(None)
        elif kind is None:
            self._here(xml, nick)

    def _refused(self, xml: Element) -> None:
        condition = _condition(xml)
        if self._entered.done():
            self.link.end(f"the room refuses us: {condition}")
        else:
            text = xml.findtext(f"{_ERROR}/{_STANZAS}text") or "the room does not let this member in"
            self._entered.set_result(BusRefused(condition, text))

    def _here(self, xml: Element, nick: str) -> None:
        """Somebody is here: with `here`, who was before us; with `beat`, who comes and may never have spoken."""
        member = read_member(xml, nick)
        if member is not None:
            comes = self.company.came(member) and self._entered.done()
            self._heard(Heard("beat" if comes else "here", self._prefix + nick, member.mark))


def _condition(xml: Element) -> str:
    error = xml.find(_ERROR)
    found = [] if error is None else [each.tag for each in error if each.tag.startswith(_STANZAS)]
    return found[0].removeprefix(_STANZAS) if found else "undefined-condition"
