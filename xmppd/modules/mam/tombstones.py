"""What is left of a retracted message (XEP-0424 5, XEP-0425 5)."""

from __future__ import annotations

from collections.abc import Iterable

from xmppd.xmpp.envelope import reread
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import RETRACT
from xmppd.xmpp.stanza import escape
from xmppd.xmpp.timestamps import format_datetime


def tombstone(message: bytes, retraction: str, inside: str, now: float, keep: Iterable[str]) -> bytes:
    """The message as it stands in the archive, less all that was said in it."""
    stanza, kept = reread(message), set(keep)
    try:
        emptied = stanza.without(*(name for name in stanza.names if name not in kept))
    except StanzaError:
        emptied = stanza.with_letter(b"", ())  # what nobody can open can be taken back, too
    id = f" id='{escape(retraction)}'" if retraction else ""
    stamp = format_datetime(now)
    return emptied.with_child(f"<retracted xmlns='{RETRACT}'{id} stamp='{stamp}'>{inside}</retracted>").data
