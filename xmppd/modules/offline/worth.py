"""What of a user's messages is kept while the user is away (XEP-0160 3, XEP-0334)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from xmppd.xmpp.namespaces import BODY, CARBONS, CHAT_STATES, CLIENT, DELAY, HINTS, MAM, SID
from xmppd.xmpp.stanza import Stanza

NO_STORE: Final = f"{HINTS} no-store"
STORE: Final = f"{HINTS} store"
# Alone, or beside a chat state, they tell nothing that would still be true tomorrow.
PASSING: Final = (
    *(f"{CHAT_STATES} ", f"{HINTS} ", f"{DELAY} ", f"{CLIENT} thread"),
    *("jabber:x:event ", f"{CARBONS} ", f"{MAM} ", f"{SID} "),
)
NEVER: Final = frozenset({"groupchat", "headline", "error"})  # any other is normal or chat (RFC 6121 5.2.2)


class Worth(Enum):
    """What to do with a message that nobody is there to read."""

    KEEP = "keep"
    DROP = "drop"  # its sender would not want to hear that it was lost
    REFUSE = "refuse"  # its sender is told


def worth(stanza: Stanza) -> Worth:
    """Whether to keep a message.

    Kept: `normal` and `chat`, with or without a body, so receipts and markers too, as ejabberd keeps them; `store`
    overrules what stands below. Refused: `no-store`, and every other type. Dropped without a word: a chat state alone,
    an error for which would tell its sender, whoever that is, that the user is not there. `no-permanent-store` is no
    reason to refuse: XEP-0334 4.1 speaks of archives, and this is none.
    """
    if stanza.type in NEVER:
        return Worth.REFUSE
    names = stanza.names
    if NO_STORE in names:
        return Worth.DROP if _passing(names) else Worth.REFUSE
    if BODY in names or STORE in names or not _passing(names):
        return Worth.KEEP
    return Worth.DROP


def _passing(names: tuple[str, ...]) -> bool:
    return all(name.startswith(PASSING) for name in names)
