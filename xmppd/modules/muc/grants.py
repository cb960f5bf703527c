"""Affiliations, and the nicks that are reserved with them, changed together: all that is asked for, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xmppd.api import Commit, Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from . import privileges, store
from .occupants import Occupant
from .presence import Why, announce
from .standing import check_free, give_nick
from .words import BANNED, NO_LONGER_MEMBER, Affiliation

if TYPE_CHECKING:
    from .room import Room

MOST_AFFILIATIONS: Final = 10_000  # of one room; some 150 bytes each in memory


@dataclass(frozen=True, slots=True)
class Grant:
    """One account, or domain, is to have another affiliation.

    `nick` is to be reserved for it: "" for none, None as it was; strangers and outcasts have none. `item` is the part
    of a request that asks for it, where one does.
    """

    account: JID
    affiliation: Affiliation
    nick: str | None = None
    reason: str = ""
    item: Element | None = None

    @property
    def reserved(self) -> str | None:
        """The nick that goes with it, as `nick`."""
        return "" if self.affiliation in ("none", "outcast") else self.nick


async def grant(room: Room, grants: Sequence[Grant], actor: str = "") -> Commit | None:
    """Write the grants, then make them. `actor` is the nick of who does it.

    No privilege is checked. `StanzaError`, and nothing done, as `statements` and `Room.write` say. Returns the write
    that the acknowledgement owes, None for a room not stored.
    """
    commit = room.write(*statements(room, grants))
    await make(room, grants, actor)
    return commit


def statements(room: Room, grants: Sequence[Grant]) -> list[Statement]:
    """What storage needs for grants, one for each account.

    `StanzaError`: resource-constraint past `MOST_AFFILIATIONS`, conflict for a nick that is somebody else's.
    """
    _check_number(room, grants)
    for each in grants:
        if each.reserved:
            check_free(room, each.account, each.reserved)
    return [statement for each in grants for statement in _written(room, each)]


async def make(room: Room, grants: Sequence[Grant], actor: str = "") -> None:
    """Make grants that are stored: occupants have the role that follows, and everybody is told.

    Outcasts leave with 301, and who may not stay in a members-only room with 321.
    """
    for each in grants:
        _note(room, each)
    for each in grants:
        for occupant in _concerned(room, each.account):
            await _follow(room, occupant, each.reason, actor)


def _check_number(room: Room, grants: Iterable[Grant]) -> None:
    before = len(room.affiliations)
    added = sum((each.affiliation != "none") - (each.account in room.affiliations) for each in grants)
    if added > 0 and before + added > MOST_AFFILIATIONS:
        raise StanzaError("resource-constraint", f"a room has {MOST_AFFILIATIONS} affiliations at most")


def _written(room: Room, grant: Grant) -> Iterator[Statement]:
    yield store.put_affiliation(room.jid, grant.account, grant.affiliation, grant.reason)
    if grant.reserved or (grant.reserved == "" and grant.account in room.nicks.values()):
        yield from store.put_nick(room.jid, grant.account, grant.reserved)


def _note(room: Room, grant: Grant) -> None:
    account = grant.account
    room.reasons.pop(account, None)
    room.voices.pop(account, None)
    if grant.affiliation == "none":
        room.affiliations.pop(account, None)
    else:
        room.affiliations[account] = grant.affiliation
        room.muc.rooms.ledger.note(room, (account,))
        if grant.reason:
            room.reasons[account] = grant.reason
    if grant.reserved is not None:
        give_nick(room, account, grant.reserved)


def _concerned(room: Room, bare: JID) -> list[Occupant]:
    if bare.local:
        return list(room.occupants.of(bare))
    return [occupant for occupant in room.occupants if occupant.account.domain == bare]


async def _follow(room: Room, occupant: Occupant, reason: str, actor: str) -> None:
    """An occupant's affiliation may have changed."""
    before, now = occupant.affiliation, room.affiliation_of(occupant.account)
    if before == now:
        return
    occupant.affiliation = now
    occupant.changed()
    if now == "outcast":
        await room.expel(occupant, Why((BANNED,), reason, actor))
    elif now == "none" and room.settings.members_only:
        await room.expel(occupant, Why((NO_LONGER_MEMBER,), reason, actor))
    else:
        high = privileges.at_least(before, "admin") or privileges.at_least(now, "admin")
        if high or occupant.role != "moderator":
            room.occupants.give_role(occupant, room.role_for(now))
        await announce(room, occupant, Why((), reason, actor))
