"""How an occupant looks to readers: the presence and its <x/>, encoded once for each class of reader.

There are two classes: who sees real addresses, moderators and in a non-anonymous room everybody, and who does not
(XEP-0045 7.2.4, 7.2.5).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .occupants import Occupant
from .words import NS_HATS, NS_MUC, NS_OCCUPANT_ID, NS_USER, Role

X_USER: Final = f"{NS_USER} x"
X_MUC: Final = f"{NS_MUC} x"
OCCUPANT_ID: Final = f"{NS_OCCUPANT_ID} occupant-id"
# What only the room says of its occupants (15.3): said by anybody else, it is not reflected.
OWN: Final = (X_MUC, X_USER, OCCUPANT_ID, f"{NS_HATS} hats")


def occupant_id(secret: bytes, account: JID) -> str:
    """The id of an account in one room (XEP-0421 3): the same for each visit, and telling nothing of the account."""
    return urlsafe_b64encode(hmac.digest(secret, account.encode(), sha256)).rstrip(b"=").decode()


def id_element(id: str) -> bytes:
    """The element that carries an occupant id."""
    return f"<occupant-id xmlns='{NS_OCCUPANT_ID}' id='{id}'/>".encode()


def x(inside: str, codes: Iterable[int] = ()) -> str:
    """An <x/> of muc#user: elements, serialised, then status codes."""
    statuses = "".join([f"<status code='{code}'/>" for code in codes])
    return f"<x xmlns='{NS_USER}'>{inside}{statuses}</x>"


def item(
    occupant: Occupant, real: bool, *, role: Role | None = None, nick: str = "", reason: str = "", actor: str = ""
) -> str:
    """The <item/> of an occupant; `real` says whether the real address may stand in it."""
    jid = f" jid='{escape(occupant.jids[-1])}'" if real else ""
    named = f" nick='{escape(nick)}'" if nick else ""
    inside = f"<actor nick='{escape(actor)}'/>" if actor else ""
    if reason:
        inside += f"<reason>{escape(reason)}</reason>"
    head = f"<item affiliation='{occupant.affiliation}' role='{role or occupant.role}'{jid}{named}"
    return f"{head}>{inside}</item>" if inside else f"{head}/>"


def face(occupant: Occupant, real: bool) -> Stanza:
    """The presence of an occupant as readers of one class see it, without status codes; kept until it changes."""
    known = occupant.seen if real else occupant.shown
    if known is None:
        known = portrait(occupant, x(item(occupant, real)))
        if real:
            occupant.seen = known
        else:
            occupant.shown = known
    return known


def portrait(occupant: Occupant, extension: str, id: str = "") -> Stanza:
    """The occupant's presence with this <x/>."""
    said = occupant.presence
    letter = b"%b%b%b%b" % (said.letter, occupant.additions, id_element(occupant.id), extension.encode())
    names = (*said.names, OCCUPANT_ID, X_USER) if not occupant.additions else None
    return Stanza("presence", None, occupant.jid, "", id, said.lang, letter, names)


def farewell(occupant: Occupant, extension: str, said: Stanza | None = None) -> Stanza:
    """The occupant's unavailable presence with this <x/>; `said` is what the occupant sent, if it did."""
    own = said.letter if said is not None else b""
    letter = b"%b%b%b" % (own, id_element(occupant.id), extension.encode())
    return Stanza("presence", None, occupant.jid, "unavailable", "", said.lang if said else "", letter)
