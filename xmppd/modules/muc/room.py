"""One room: its settings, who may do what in it, who is there, and the ways it speaks to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xmppd.api import Commit
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .occupants import Occupant, Occupants
from .words import NS_USER, Affiliation, Role

if TYPE_CHECKING:
    from .module import Muc
    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Why:
    """What goes with a change of an occupant: who did it (a nick), why, which status codes everybody sees."""

    codes: tuple[int, ...] = ()
    reason: str = ""
    actor: str = ""


class Room:
    """A room in memory. It is reached by its address alone, through `Muc.handle`, and within its turn.

    `affiliations` has every bare address or domain that is not `none`; `reasons` why, where it was said; `nicks` the
    reserved nicks and whose they are. `locked` until its owner has configured it (10.1). `stored` says that it lies in
    storage and outlives its occupants. `secret` makes occupant ids.
    """

    def __init__(self, muc: Muc, jid: JID, settings: Settings, secret: bytes) -> None:
        self.muc = muc
        self.jid = jid
        self.settings = settings
        self.secret = secret
        self.affiliations: dict[str, Affiliation] = {}
        self.reasons: dict[str, str] = {}
        self.nicks: dict[str, str] = {}
        self.occupants = Occupants()
        self.locked = False
        self.stored = False

    # Who may do what

    def affiliation_of(self, jid: JID) -> Affiliation:
        """What an address is to the room: by its bare address, else by its domain; the service's admins are owners."""
        raise NotImplementedError

    def role_for(self, affiliation: Affiliation) -> Role:
        """The role one enters with (5.1.2)."""
        raise NotImplementedError

    # What changes it; each tells whom it concerns

    async def set_affiliation(self, bare: JID, affiliation: Affiliation, why: Why) -> Commit | None:
        """Give an account another affiliation, and its occupants the role that follows; ban and expel where it must.

        No privilege is checked here. Returns the write that the acknowledgement owes, None for a room not stored.
        """
        raise NotImplementedError

    async def set_role(self, occupant: Occupant, role: Role, why: Why) -> None:
        """Give an occupant another role; `none` takes them out of the room. No privilege is checked here."""
        raise NotImplementedError

    async def expel(self, occupant: Occupant, why: Why, *, extra: str = "") -> None:
        """Take an occupant out: unavailable presence to everybody. `extra` goes into the <x/>, such as <destroy/>."""
        raise NotImplementedError

    async def configure(self, settings: Settings) -> Commit | None:
        """Take other settings: store or drop the room, tell occupants by status codes (10.2.1), expel who must go."""
        raise NotImplementedError

    async def destroy(self, extra: str) -> Commit | None:
        """Everybody leaves with `extra` (<destroy/>) in their presence; the room is gone, from storage too (10.9)."""
        raise NotImplementedError

    # How it speaks

    async def announce(self, occupant: Occupant, why: Why = Why()) -> None:
        """An occupant's presence as it is now, to everybody who may see it."""
        raise NotImplementedError

    async def broadcast(self, message: Stanza) -> None:
        """A message to every real address in the room; `to` is not looked at, `sender` is room or room/nick."""
        raise NotImplementedError

    async def notify(self, codes: Iterable[int]) -> None:
        """Status codes to everybody, in a message from the room."""
        raise NotImplementedError

    async def tell(self, to: JID, stanza: Stanza) -> None:
        """One stanza to one real address; who cannot be reached any more is taken out."""
        raise NotImplementedError


def x(inside: str, codes: Iterable[int] = ()) -> str:
    """An <x/> of muc#user: elements, serialised, then status codes."""
    statuses = "".join(f"<status code='{code}'/>" for code in codes)
    return f"<x xmlns='{NS_USER}'>{inside}{statuses}</x>"
