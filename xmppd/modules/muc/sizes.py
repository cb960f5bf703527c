"""How large what occupants send may be: it is kept, and sent to everybody who enters later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .room import Room


def size(stanza: Stanza) -> int:
    """The bytes that a stanza's sender has to say for; an envelope can be as large as a letter."""
    total = len(stanza.letter) + len(stanza.id) + len(stanza.lang)
    return total if stanza.extra is None else total + sum(map(len, (*stanza.extra, *stanza.extra.values())))


def check_message(room: Room, stanza: Stanza, *, subject: bool) -> None:
    """`policy-violation` past `max_message`, or `max_subject`; a room that a module keeps has neither.

    It is not not-acceptable, by which clients know that they are not in the room (7.4).
    """
    options = room.muc.options
    most = options.max_subject if subject else options.max_message
    if size(stanza) > most and room.warden is None:
        what = "subject" if subject else "message"
        raise StanzaError("policy-violation", f"a {what} here has {most} bytes at most, with all that goes with it")


def is_presence_small(room: Room, stanza: Stanza) -> bool:
    """Whether the room shows all of a presence to the others."""
    return size(stanza) <= room.muc.options.max_presence


def check_presence(room: Room, stanza: Stanza) -> None:
    """`policy-violation` past `max_presence`; not-acceptable would tell a newcomer to take the reserved nick (7.10)."""
    if not is_presence_small(room, stanza):
        most = room.muc.options.max_presence
        raise StanzaError("policy-violation", f"a presence here has {most} bytes at most; shorten your status")
