"""What the service and its rooms tell of themselves (XEP-0045 6, 7.12, 17.1.1; XEP-0030, 0059, 0128)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from lxml import etree

from xmppd.api import IQ, Identity
from xmppd.xmpp.caps import Disco
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import plain
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS, MAM, PING, REGISTER, SID
from xmppd.xmpp.paging import NS_RSM, Page, PageRequest, cut
from xmppd.xmpp.stanza import Element, Stanza

from .avatar import NS_VCARD
from .standing import named, nick_of
from .words import NS_MUC, NS_OCCUPANT_ID, NS_ROOMINFO, NS_SELF_PING, NS_STABLE_ID

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room

NICK_NODE: Final = "x-roomuser-item"
TRAFFIC_NODE: Final = f"{NS_MUC}#traffic"
ARCHIVED: Final = (MAM, f"{MAM}#extended")
PAGE: Final = 100  # rooms, or occupants, of one page unless less is asked for


class Discovery:
    """Answers disco#info and disco#items."""

    def __init__(self, muc: Muc) -> None:
        self._muc = muc

    # The service

    def service_info(self, iq: IQ) -> Element:
        """What the service is (6.2)."""
        node = iq.payload.get("node", "")
        if node:
            raise StanzaError("item-not-found", f"this service has no node {node[:64]!r}")
        identity = Identity("conference", "text", self._muc.options.name)
        features = (DISCO_INFO, DISCO_ITEMS, NS_MUC, NS_STABLE_ID, NS_OCCUPANT_ID, NS_RSM, NS_VCARD, PING)
        return Disco((identity,), features).to_element()

    async def service_items(self, iq: IQ) -> Element:
        """The public rooms, by address (6.3): those in storage, and those that live in memory only."""
        node = iq.payload.get("node", "")
        if node:
            raise StanzaError("item-not-found", f"this service has no node {node[:64]!r}")
        request = PageRequest.find(iq.payload, PAGE)
        asked = request or PageRequest(PAGE)
        listed, page = await self._muc.shelf.public(asked)
        titles: dict[str, str] = {room.jid: room.settings.title for room in listed}
        fleeting = self._muc.rooms.listed
        if fleeting:
            ids, index = _merged(list(titles), fleeting, asked)
            page = Page(ids, (page.count or 0) + len(fleeting), index)
        elif page.ids and asked.after is None and asked.before is None:
            page = Page(page.ids, page.count, asked.index or 0)
        items = ((room, self._title(room, titles)) for room in page.ids)
        whole = len(page.ids) == page.count
        return _items(items, None if whole and request is None else page)

    def _title(self, jid: str, titles: dict[str, str]) -> str:
        name = JID.parse(jid).local
        room = self._muc.rooms.loaded.get(name)
        title = room.settings.title if room is not None else titles.get(jid, "")
        return title or name

    # A room

    def room_info(self, room: Room, iq: IQ) -> Element:
        """What a room is (6.4); its node `x-roomuser-item` tells the asker's reserved nick (7.12)."""
        node = iq.payload.get("node", "")
        if node == NICK_NODE:
            return _nick(room, iq.sender)
        if node == TRAFFIC_NODE:
            raise StanzaError("service-unavailable", "this room passes everything on")  # 17.1.1
        if node:
            raise StanzaError("item-not-found", f"this room has no node {node[:64]!r}")
        identity = Identity("conference", "text", room.settings.title or room.jid.local)
        return Disco((identity,), tuple(self._features(room)), (self._form(room, iq.sender),)).to_element()

    def _features(self, room: Room) -> Iterator[str]:
        settings = room.settings
        yield from (DISCO_INFO, DISCO_ITEMS, NS_MUC, NS_STABLE_ID, NS_OCCUPANT_ID, SID)
        yield from (NS_SELF_PING, REGISTER, NS_RSM)
        yield "muc_public" if settings.public else "muc_hidden"
        yield "muc_persistent" if settings.persistent else "muc_temporary"
        yield "muc_membersonly" if settings.members_only else "muc_open"
        yield "muc_moderated" if settings.moderated else "muc_unmoderated"
        yield "muc_semianonymous" if settings.anonymous else "muc_nonanonymous"
        yield "muc_passwordprotected" if settings.secret else "muc_unsecured"
        if room.archive is not None:
            yield from ARCHIVED
        for aspect in self._muc.aspects:
            yield from aspect.features(room)

    def _form(self, room: Room, asker: JID) -> Element:
        settings = room.settings
        fields: dict[str, str | list[str]] = {
            "muc#roominfo_description": settings.description,
            "muc#roominfo_occupants": str(len(room.occupants)),
            "muc#roomconfig_changesubject": str(int(settings.allow_change_subj)),
            "muc#maxhistoryfetch": str(min(settings.maxhistoryfetch, self._muc.options.history_size)),
            "muc#roomconfig_roomname": settings.title,
        }
        if settings.lang:
            fields["muc#roominfo_lang"] = settings.lang
        if settings.pubsub:
            fields["muc#roomconfig_pubsub"] = settings.pubsub
        if room.subject is not None and self._may_know(room, asker):
            fields["muc#roominfo_subject"] = _subject(room)
        contacts = [str(owner) for owner in named(room, "owner")] if not settings.anonymous else []
        if contacts:
            fields["muc#roominfo_contactjid"] = contacts
        for aspect in self._muc.aspects:
            fields.update(aspect.fields(room))
        return plain("result", NS_ROOMINFO, fields)

    def _may_know(self, room: Room, asker: JID) -> bool:
        """Whether what is said in the room is any business of the asker."""
        if room.occupants.of(asker.bare) or room.affiliation_of(asker) in ("member", "admin", "owner"):
            return True
        return room.settings.public and not room.settings.members_only and not room.settings.secret

    def room_items(self, room: Room, iq: IQ) -> Element:
        """The occupants, for those who are there, and for everybody where the list is public (6.5), in pages.

        In a crowd this is how occupants learn who else is there.
        """
        node = iq.payload.get("node", "")
        if node:
            raise StanzaError("item-not-found", f"this room has no node {node[:64]!r}")
        if not (room.settings.public_list or room.occupants.of(iq.sender.bare)):
            return _items((), None)
        request = PageRequest.find(iq.payload, PAGE)
        nicks = sorted(occupant.jid for occupant in room.occupants)
        if request is None and len(nicks) <= PAGE:
            return _items(((jid, jid.resource) for jid in nicks), None)
        page = cut(nicks, request or PageRequest(PAGE), ascending=True)
        return _items(((jid, JID.parse(jid).resource) for jid in page.ids), page)


def _nick(room: Room, asker: JID) -> Element:
    nick = nick_of(room, asker.bare)
    found = (Identity("conference", "text", nick),) if nick else ()
    return Disco(found).to_element(NICK_NODE)


def _subject(room: Room) -> str:
    assert room.subject is not None
    try:
        return Stanza("message", letter=room.subject.letter).text("subject")
    except StanzaError:  # one that an older version has stored
        return ""


def _merged(stored: list[str], fleeting: list[str], request: PageRequest) -> tuple[list[str], int | None]:
    """One page of two sorted lists, of which the first is a page already.

    Where a page begins among the fleeting ones is known for the first page only; an index counts the stored ones.
    """
    if request.index:
        return stored, request.index
    merged = sorted({*stored, *cut(fleeting, request, ascending=True).ids})
    first = request.after is None and request.before is None
    return (merged[-request.max :] if request.backwards else merged[: request.max]) if request.max else [], (
        0 if first and merged and request.max else None
    )


def _items(items: Iterable[tuple[str, str]], page: Page | None) -> Element:
    found = etree.Element(f"{{{DISCO_ITEMS}}}query", nsmap={None: DISCO_ITEMS})  # type: ignore[dict-item]
    for jid, name in items:
        etree.SubElement(found, f"{{{DISCO_ITEMS}}}item", {"jid": jid, "name": name})
    if page is not None:
        found.append(page.to_element())
    return found
