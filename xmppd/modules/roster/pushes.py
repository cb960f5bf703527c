"""Telling an account's resources: roster pushes (RFC 6121 2.1.6), subscription stanzas, requests that were kept."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from xmppd.api import Host, Session, Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import ROSTER
from xmppd.xmpp.stanza import Stanza

from . import tables
from .items import query_xml

QUERY: Final = (f"{ROSTER} query",)


def push(item: str, version: int, account: JID, session: Session) -> Stanza:
    """A roster push of one item to one session."""
    letter = query_xml(item, version).encode()
    return Stanza("iq", session.jid, account, "set", f"push{version}", "", letter, QUERY)


async def push_item(host: Host, account: JID, item: str, version: int) -> None:
    """Push an item to the resources that asked for the roster, and to no other."""
    for session in host.sessions.of(account):
        if session.interested:
            await deliver(session, push(item, version, account, session))


async def deliver(session: Session, stanza: Stanza) -> None:
    """Deliver; a copy that is refused on its way to one session is nobody else's business."""
    with suppress(StanzaError):
        await session.deliver(stanza)


async def tell(host: Host, account: JID, stanza: Stanza) -> None:
    """Deliver a subscription stanza: a request to available resources, an answer to interested ones (RFC 6121 3.1)."""
    asks = stanza.type == "subscribe"
    for session in host.sessions.of(account):
        if session.available if asks else session.interested:
            await deliver(session, stanza)


def keep(account: JID, contact: JID, stanza: Stanza, longest: int) -> Statement:
    """Keep a request, with all that it brought up to `longest` bytes, until it is answered (3.1.3)."""
    if len(stanza.letter) + len(stanza.id) + len(stanza.lang) > longest:
        return tables.KEEP_REQUEST, (account, contact, "", "", b"")
    return tables.KEEP_REQUEST, (account, contact, stanza.id, stanza.lang, stanza.letter)


def requests(account: JID, rows: Iterable[tuple[str, str, str, bytes]]) -> list[Stanza]:
    """The requests that were kept, as they came."""
    return [
        Stanza("presence", account, JID.parse(contact), "subscribe", id, lang, bytes(letter))
        for contact, id, lang, letter in rows
    ]
