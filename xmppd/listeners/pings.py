"""What a silent peer is sent, for any answer is a sign of life (XEP-0199)."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

PING: Final = f"<ping xmlns='{ns.PING}'/>".encode()
NAMES: Final = (f"{ns.PING} ping",)


def ping(to: JID, sender: JID) -> Stanza:
    """One ping."""
    return Stanza("iq", to, sender, "get", f"ping-{token_urlsafe(6)}", "", PING, NAMES)
