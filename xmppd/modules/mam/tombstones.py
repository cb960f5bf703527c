"""What is left of a retracted message (XEP-0424 5, XEP-0425 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import RETRACT
from xmppd.xmpp.stanza import Stanza, escape, from_element, parse
from xmppd.xmpp.timestamps import format_datetime

_TAG: Final = len(b"<message")
_CLOSE: Final = b"</message>"


def tombstone(message: bytes, retraction: str, inside: str, now: float, keep: Iterable[str]) -> bytes:
    """The message as it stands in the archive, less all that was said in it."""
    stanza = _read(message)
    kept = set(keep)
    emptied = stanza.without(*(name for name in stanza.names if name not in kept))
    id = f" id='{escape(retraction)}'" if retraction else ""
    stamp = format_datetime(now)
    return emptied.with_child(f"<retracted xmlns='{RETRACT}'{id} stamp='{stamp}'>{inside}</retracted>").data


def _read(message: bytes) -> Stanza:
    """The message; its envelope alone where the rest cannot be read: that, too, can be taken back."""
    whole = b"<message xmlns='jabber:client'%b" % message[_TAG:]
    try:
        return from_element(parse(whole))
    except StanzaError:
        return from_element(parse(whole[: whole.index(b">") + 1] + _CLOSE))
