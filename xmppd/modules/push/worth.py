"""What is worth waking somebody for."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.namespaces import CLIENT, HINTS
from xmppd.xmpp.stanza import Stanza

CALLS: Final = frozenset(
    {
        f"{CLIENT} body",
        "eu.siacs.conversations.axolotl encrypted",
        "jabber:x:conference x",
        "jabber:x:encrypted x",
        "urn:xmpp:jingle-message:0 propose",
        "urn:xmpp:omemo:2 encrypted",
        "urn:xmpp:openpgp:0 openpgp",
    }
)
NO_STORE: Final = f"{HINTS} no-store"


def worth(stanza: Stanza) -> bool:
    """Whether somebody should hear of a message at once.

    What somebody says or encrypts, an invitation, a call. Not receipts, markers, chat states and reactions; not
    headlines and errors; not what says `no-store`, which would not be there any more when the client has come.
    """
    names = stanza.names
    if stanza.type in ("error", "headline") or CALLS.isdisjoint(names):
        return False
    return NO_STORE not in names
