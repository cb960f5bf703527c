"""How often members have dropped everything, as they tell in their beats."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from xmppd.xmpp.stanza import Stanza

from .names import NS_BUS

MOST_KNOWN: Final = 10_000  # members whose counts are remembered; past it the one not heard for longest is forgotten
MOST_AT_ONCE: Final = 100  # that one beat can add: no honest member has more between two of them
LONGEST_EPOCH: Final = 100  # characters
_DIGITS: Final = 9


class Resets:
    """Counts of members by nick, each of one epoch. What is no number, or not of the member's epoch, says nothing."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def told(self, nick: str, beat: Stanza, presence: Stanza) -> int:
        """How many are new in this beat of a member, whose presence says what it had told before it came."""
        epoch, count = _said(beat, "beat")
        before, least = _said(presence, "member")
        if not 0 < len(epoch) <= LONGEST_EPOCH or epoch != before:
            return 0
        known = self._known.pop(nick, ("", 0))
        if known[0] == epoch:
            least = max(least, known[1])
        self._known[nick] = epoch, max(least, count)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return min(max(0, count - least), MOST_AT_ONCE)


def _said(stanza: Stanza, name: str) -> tuple[str, int]:
    """The epoch and the number of resets in the bus's element of a stanza."""
    found = stanza.child(name, NS_BUS)
    if found is None:
        return "", 0
    count = found.get("resets", "")
    return found.get("epoch", ""), int(count) if count.isascii() and count.isdigit() and len(count) <= _DIGITS else 0
