"""Messages as an export of another server holds them (XEP-0227 4.5)."""

from __future__ import annotations

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CLIENT, DELAY
from xmppd.xmpp.stanza import Element, from_element
from xmppd.xmpp.timestamps import parse_datetime

from .boxes import MICROSECONDS
from .record import pack, unpack

Imported = list[tuple[int, bytes]]


def messages_of(element: Element, account: JID, now: float) -> Imported:
    """Each message with the microsecond it was stored at: what its `<delay/>` of the account's host says, else `now`.

    The mark itself is taken off; a new one is made at delivery. `StanzaError` for an address that is none, or a name
    that streams cannot bring.
    """
    return [_message(child, account, now) for child in element.iterchildren(f"{{{CLIENT}}}message")]


def _message(element: Element, account: JID, now: float) -> tuple[int, bytes]:
    stanza = from_element(element)
    if stanza.to is None or stanza.to.bare != account:
        stanza = stanza.replace(to=account)
    stamp = _stamp(element, account.domain)
    if stamp is not None:
        stanza = stanza.without(f"{DELAY} delay")
    packed = pack(stanza)
    if (flaw := unpack(packed).flaw) is not None:
        raise flaw  # libxml2 takes names that no stream could bring, and clients need not take
    return int((now if stamp is None else stamp) * MICROSECONDS), packed


def _stamp(element: Element, host: str) -> float | None:
    for delay in element.iterchildren(f"{{{DELAY}}}delay"):
        try:
            if JID.parse(delay.get("from", host)) == host:
                return parse_datetime(delay.get("stamp", "")).timestamp()
        except (ValueError, StanzaError):
            continue
    return None
