"""A room's avatar: a vCard that its owners set, and the hashes of its photos (XEP-0486, XEP-0153)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from xmppd.api import IQ
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza, serialise

from . import store
from .aspect import Aspect, Request
from .occupants import Occupant
from .standing import on_disk, require_owner
from .words import CONFIGURED

if TYPE_CHECKING:
    from .room import Room

NS_VCARD: Final = "vcard-temp"
NS_UPDATE: Final = "vcard-temp:x:update"
LARGEST_CARD: Final = 131_072  # bytes; a photo of 64 KiB is 90 KiB in base64
MOST_PHOTOS: Final = 4  # one image in several formats
CARD: Final = f"{{{NS_VCARD}}}"


class Avatar(Aspect):
    """Keeps the card, and tells of the hashes."""

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """The card is got and set."""
        return {("get", f"{NS_VCARD} vCard"): self.load, ("set", f"{NS_VCARD} vCard"): self.save}

    def features(self, room: Room) -> Iterable[str]:
        """Rooms have cards."""
        return (NS_VCARD,)

    def fields(self, room: Room) -> Mapping[str, str | list[str]]:
        """The hashes, where there is a photo (XEP-0486 3.3)."""
        return {"muc#roominfo_avatarhash": room.avatar.split()} if room.avatar else {}

    async def load(self, room: Room, iq: IQ) -> str:
        """The card, or an empty one."""
        card = await self.muc.shelf.card(room.jid) if room.stored else room.card
        return card or f"<vCard xmlns='{NS_VCARD}'/>"

    async def save(self, room: Room, iq: IQ) -> None:
        """Take another card; an empty one takes the avatar away (3.2)."""
        require_owner(room, iq.sender)
        hashes = photo_hashes(iq.payload)
        card = serialise(iq.payload).decode() if len(iq.payload) else ""
        if len(card.encode()) > LARGEST_CARD:
            raise StanzaError("policy-violation", f"a card may have {LARGEST_CARD} bytes at most")
        await on_disk([room.write(store.put_card(room.jid, card, hashes))])
        room.card, room.avatar = ("" if room.stored else card), hashes
        await room.notify((CONFIGURED,))
        await room.send(_update(room), list(room.occupants.sessions))

    async def greet(self, room: Room, occupant: Occupant, to: JID) -> None:
        """Clients that look for it in presence find it in the room's own (XEP-0153)."""
        if room.avatar:
            await room.send(_update(room), (to,))


def photo_hashes(card: Element) -> str:
    """SHA-1 of each photo, one after the other; `bad-request` for what is no photo, `not-acceptable` for too many."""
    photos = card.findall(f"{CARD}PHOTO/{CARD}BINVAL")
    if len(photos) > MOST_PHOTOS:
        raise StanzaError("not-acceptable", f"a card has {MOST_PHOTOS} photos at most")
    try:
        images = [b64decode("".join((photo.text or "").split()), validate=True) for photo in photos]
    except (binascii.Error, ValueError):
        raise StanzaError("bad-request", "the photo is no base64") from None
    # SHA-1 is what XEP-0153 says; it protects nothing here.
    return " ".join(sha1(image).hexdigest() for image in images if image)


def _update(room: Room) -> Stanza:
    photo = f"<photo>{room.avatar.partition(' ')[0]}</photo>" if room.avatar else "<photo/>"
    return Stanza("presence", None, room.jid, letter=f"<x xmlns='{NS_UPDATE}'>{photo}</x>".encode())
