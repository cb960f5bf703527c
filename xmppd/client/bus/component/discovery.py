"""What the component tells about itself and its rooms (XEP-0030)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from xmppd.client.bus.wire import MUC, NS, SID

from .querying import MAM
from .room import Room
from .words import error, features, result

_INFO: Final = "http://jabber.org/protocol/disco#info"
_ITEMS: Final = "http://jabber.org/protocol/disco#items"
_OWNER: Final = f"{{{MUC}#owner}}query"
_SERVICE: Final = "<identity category='conference' type='text' name='Rooms of the invalidation bus'/>"
_ROOM: Final = "<identity category='conference' type='text' name='A room of the invalidation bus'/>"
_SHAPE: Final = ("muc_persistent", "muc_open", "muc_semianonymous", "muc_unmoderated", "muc_unsecured")


def discovered(iq: Element, name: str, room: Room | None, rooms: Iterable[Room]) -> str:
    """The answer to a request that is to no occupant."""
    if name and room is None:
        return error(iq, "item-not-found", "there is no such room")
    if iq.find(_OWNER) is not None:
        return error(iq, "forbidden", "rooms here are as they are")
    if iq.find("{urn:xmpp:ping}ping") is not None:
        return result(iq)
    if iq.find(f"{{{_INFO}}}query") is not None:
        if room is not None:
            return result(iq, features(_ROOM, (_INFO, MUC, NS, MAM, SID, *_SHAPE)))
        return result(iq, features(_SERVICE, (_INFO, _ITEMS, MUC, NS)))
    if iq.find(f"{{{_ITEMS}}}query") is not None:
        found = [] if room is not None else sorted(each.address for each in rooms)
        items = "".join(f"<item jid={quoteattr(address)}/>" for address in found)
        return result(iq, f"<query xmlns='{_ITEMS}'>{items}</query>")
    return error(iq, "service-unavailable")
