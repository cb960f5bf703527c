"""Hats: what occupants are beside their roles, given to their accounts by admins (XEP-0317)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from xmppd.api import Commit
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import escape

from . import store
from .aspect import Aspect
from .occupants import Occupant
from .standing import on_disk
from .store import Hat
from .words import CONFIGURED, NS_HATS

if TYPE_CHECKING:
    from .room import Room

MOST_HATS: Final = 50  # of one room
MOST_WORN: Final = 10  # by one account; they travel in each of its presences
MOST_WEARERS: Final = 1000  # accounts of one room that wear any
LONGEST_TITLE: Final = 100
LONGEST_URI: Final = 500
_HUE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,12})?")


class Hats(Aspect):
    """A room's hats and who wears them. No privilege is checked here."""

    def features(self, room: Room) -> Iterable[str]:
        """Rooms have hats."""
        return (NS_HATS,)

    def fields(self, room: Room) -> Mapping[str, str | list[str]]:
        """A hash of the list, so that clients know when to fetch it again (3)."""
        if not room.hats:
            return {}
        lines = "\n".join(f"{hat.uri}\t{hat.title}\t{hat.hue}" for _, hat in sorted(room.hats.items()))
        return {"hats#hash": sha256(lines.encode()).hexdigest()}

    def additions(self, room: Room, occupant: Occupant) -> bytes:
        """The <hats/> in an occupant's presence."""
        worn = room.worn.get(occupant.account)
        if not worn:
            return b""
        inside = "".join(_hat(room.hats[uri]) for uri in sorted(worn) if uri in room.hats)
        return f"<hats xmlns='{NS_HATS}'>{inside}</hats>".encode()

    async def create(self, room: Room, hat: Hat) -> None:
        """Make a hat, or change the one of that URI.

        `not-acceptable` for a title, a URI or a hue that is none, `resource-constraint` past `MOST_HATS`.
        """
        hat = checked(hat)
        if hat.uri not in room.hats and len(room.hats) >= MOST_HATS:
            raise StanzaError("resource-constraint", f"a room has {MOST_HATS} hats at most")
        await on_disk([room.write(store.put_hat(room.jid, hat))])
        room.hats[hat.uri] = hat
        await self._changed(room, [account for account, worn in room.worn.items() if hat.uri in worn])

    async def destroy(self, room: Room, uri: str) -> None:
        """A hat is no more, and nobody wears it; `item-not-found` where there is none of that URI."""
        _find(room, uri)
        await on_disk([room.write(*store.drop_hat(room.jid, uri))])
        del room.hats[uri]
        wearers = [account for account, worn in room.worn.items() if uri in worn]
        for account in wearers:
            _take(room, account, uri)
        await self._changed(room, wearers)

    async def assign(self, room: Room, account: JID, uri: str) -> None:
        """Give an account a hat; `item-not-found` where none has that URI, `resource-constraint` past a limit."""
        _find(room, uri)
        worn = room.worn.get(account, set())
        if len(worn | {uri}) > MOST_WORN:
            raise StanzaError("resource-constraint", f"nobody wears more than {MOST_WORN} hats")
        if account not in room.worn and len(room.worn) >= MOST_WEARERS:
            raise StanzaError("resource-constraint", f"{MOST_WEARERS} accounts wear hats in this room already")
        await on_disk([self._write(room, account, uri, worn=True)])
        room.worn.setdefault(account, set()).add(uri)
        self.muc.rooms.ledger.note(room, (account,))
        await self._show(room, account)

    async def unassign(self, room: Room, account: JID, uri: str) -> None:
        """Take a hat from an account; `item-not-found` where it wears none of that URI."""
        if uri not in room.worn.get(account, ()):
            raise StanzaError("item-not-found", f"{account} wears no such hat")
        await on_disk([self._write(room, account, uri, worn=False)])
        _take(room, account, uri)
        await self._show(room, account)

    def _write(self, room: Room, account: JID, uri: str, *, worn: bool) -> Commit | None:
        return room.write(store.wear_hat(room.jid, account, uri, worn))

    async def _changed(self, room: Room, wearers: Iterable[str]) -> None:
        for account in wearers:
            await self._show(room, JID.parse(account))
        await room.notify((CONFIGURED,))

    async def _show(self, room: Room, account: JID) -> None:
        for occupant in room.occupants.of(account):
            occupant.additions = self.additions(room, occupant)
            occupant.changed()
            await room.announce(occupant)


def checked(hat: Hat) -> Hat:
    """A hat as it is kept; `not-acceptable` naming what is wrong with it."""
    hat = replace(hat, title=hat.title.strip(), uri=hat.uri.strip(), hue=hat.hue.strip())
    if not 0 < len(hat.title) <= LONGEST_TITLE:
        raise StanzaError("not-acceptable", f"hats#title: a hat needs a title of {LONGEST_TITLE} characters at most")
    if not 0 < len(hat.uri) <= LONGEST_URI or ":" not in hat.uri or any(letter.isspace() for letter in hat.uri):
        raise StanzaError("not-acceptable", f"hats#uri: a hat needs a URI of {LONGEST_URI} characters at most")
    if hat.hue and (not _HUE.fullmatch(hat.hue) or float(hat.hue) > 360):
        raise StanzaError("not-acceptable", "hats#hue: a hue is an angle of 0 to 360 degrees")
    return hat


def _find(room: Room, uri: str) -> Hat:
    hat = room.hats.get(uri)
    if hat is None:
        raise StanzaError("item-not-found", f"this room has no hat {uri[:LONGEST_URI]}")
    return hat


def _take(room: Room, account: str, uri: str) -> None:
    worn = room.worn[account]
    worn.discard(uri)
    if not worn:
        del room.worn[account]


def _hat(hat: Hat) -> str:
    hue = f" hue='{hat.hue}'" if hat.hue else ""
    return f"<hat title='{escape(hat.title)}' uri='{escape(hat.uri)}'{hue}/>"
