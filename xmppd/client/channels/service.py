"""What one side offers: a generator, who may ask for it, and what happens when the asker is slow."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal

from slixmpp import JID, ClientXMPP

WhenSlow = Literal["drop", "close", "wait"]
Allow = Callable[[ClientXMPP, JID], bool]
Source = Callable[[JID], AsyncIterator[Any] | AsyncGenerator[Any, None]]


def anyone(xmpp: ClientXMPP, asker: JID) -> bool:
    """Everybody who knows the full address."""
    return True


def own(xmpp: ClientXMPP, asker: JID) -> bool:
    """The other sessions of the own account."""
    return bool(asker.bare == xmpp.boundjid.bare)


def contacts(xmpp: ClientXMPP, asker: JID) -> bool:
    """The own account, and those whom the roster lets see its presence; the roster must have been fetched."""
    roster = xmpp.client_roster
    return own(xmpp, asker) or (roster.has_jid(asker.bare) and roster[asker.bare]["subscription"] in ("from", "both"))


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `source` is called with the asker's full address and gives the records.

    At most `most_channels` are open at once. At most `most_unsent` bytes (and one record) are sent to an asker who has
    not shown that they arrived; past that `when_slow` says what happens to the next record: it is dropped, the channel
    is closed, or the generator waits.
    """

    name: str
    source: Source
    allow: Allow = contacts
    when_slow: WhenSlow = "wait"
    most_unsent: int = 65536
    most_channels: int = 100
    description: str = ""
