"""What of an account's messages is archived (XEP-0313 5.1.1, XEP-0334)."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.namespaces import BODY, HINTS, MUC_USER, RETRACT
from xmppd.xmpp.stanza import Stanza

NEVER: Final = frozenset({"groupchat", "headline", "error"})  # any other is normal or chat (RFC 6121 5.2.2)
UNWANTED: Final = frozenset({f"{HINTS} no-store", f"{HINTS} no-permanent-store"})
# They change what was said, or are said without a body.
SAYING: Final = frozenset(
    {
        f"{HINTS} store",
        f"{MUC_USER} x",
        "eu.siacs.conversations.axolotl encrypted",
        "jabber:x:conference x",
        "jabber:x:encrypted x",
        "urn:xmpp:chat-markers:0 acknowledged",
        "urn:xmpp:chat-markers:0 displayed",
        "urn:xmpp:chat-markers:0 received",
        "urn:xmpp:message-correct:0 replace",
        f"{RETRACT} retract",
        "urn:xmpp:omemo:2 encrypted",
        "urn:xmpp:openpgp:0 openpgp",
        "urn:xmpp:reactions:0 reactions",
        "urn:xmpp:receipts received",
        "urn:xmpp:reply:0 reply",
    }
)


def worth(stanza: Stanza) -> bool:
    """Whether to archive a message of an account.

    Archived: `normal` and `chat` with a body; without one what changes or answers what was said (receipts, markers,
    reactions, corrections, retractions, replies), what is encrypted, invitations, and what the hint `store` says is
    worth it. Not archived: chat states alone, `headline`, `error`, `groupchat` (a room has an archive of its own), and
    what says `no-store` or `no-permanent-store`, whatever else it says.
    """
    if stanza.type in NEVER:
        return False
    names = stanza.names
    if BODY not in names and SAYING.isdisjoint(names):
        return False
    return UNWANTED.isdisjoint(names)
