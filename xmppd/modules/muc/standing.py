"""Where somebody stands in a room, whether there or not, and the few steps that several aspects share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from xmppd.api import Commit, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, resourceprep
from xmppd.xmpp.stanza import Element

from . import store
from .privileges import at_least
from .settings import ROLES
from .words import NS_USER, Affiliation, Role

if TYPE_CHECKING:
    from .room import Room

LONGEST_REASON: Final = 1000  # characters


def standing(room: Room, jid: JID) -> tuple[Role, Affiliation]:
    """The highest role of an account's occupants, and its affiliation; admins and owners moderate from afar (8)."""
    affiliation = room.affiliation_of(jid)
    if at_least(affiliation, "admin"):
        return "moderator", affiliation
    roles = [occupant.role for occupant in room.occupants.of(jid.bare)]
    return max(roles, key=ROLES.index, default="none"), affiliation


def check_account(jid: JID) -> None:
    """`not-allowed` for a domain, such as a component's: what it were in a room, all of its accounts would be."""
    if not jid.local:
        raise StanzaError("not-allowed", f"{jid.bare} is a whole domain; come with an account's address")


def check_height(account: JID, affiliation: Affiliation) -> None:
    """`not-acceptable` for what no domain can be."""
    if not account.local and affiliation in ("owner", "admin"):
        raise StanzaError("not-acceptable", "a whole domain can be banned or be a member, no more")


def require_owner(room: Room, jid: JID) -> None:
    """`forbidden` for everybody but owners (10.2)."""
    if room.affiliation_of(jid) != "owner":
        raise StanzaError("forbidden", "only owners of the room may do this")


def actor(room: Room, jid: JID) -> str:
    """The nick of who does something; "" for who is not in the room."""
    occupant = room.occupants.by_jid(jid)
    found = occupant or next(iter(room.occupants.of(jid.bare)), None)
    return found.nick if found else ""


def reason_in(element: Element) -> str:
    """The <reason/> inside, "" without one; `not-acceptable` for a novel."""
    text = element.findtext(f"{{{element.tag[1:].partition('}')[0]}}}reason") or ""
    if len(text) > LONGEST_REASON:
        raise StanzaError("not-acceptable", f"a reason has {LONGEST_REASON} characters at most")
    return text


def prepared_nick(room: Room, nick: str) -> str:
    """A nickname as it stands in an address; `jid-malformed` where it cannot, `not-acceptable` for one too long."""
    prepared = resourceprep(nick)
    if len(prepared) > room.muc.options.max_nick:
        raise StanzaError("not-acceptable", f"a nickname has {room.muc.options.max_nick} characters at most")
    return prepared


def named(room: Room, affiliation: Affiliation) -> list[JID]:
    """Everybody of one affiliation, sorted."""
    return sorted(JID.parse(bare) for bare, kind in room.affiliations.items() if kind == affiliation)


def reserve(room: Room, account: JID, nick: str) -> Commit | None:
    """Reserve a nick for an account, the only one it has; "" for none. `conflict` where it is somebody else's."""
    if nick:
        check_free(room, account, nick)
    commit = room.write(*store.put_nick(room.jid, account, nick))
    give_nick(room, account, nick)
    return commit


def give_nick(room: Room, account: JID, nick: str) -> None:
    """Reserve a nick in memory."""
    for old in [old for old, holder in room.nicks.items() if holder == account]:
        del room.nicks[old]
    if nick:
        room.nicks[nick] = account
        room.muc.rooms.ledger.note(room, (account,))


def check_free(room: Room, account: JID, nick: str) -> None:
    """`conflict` where a nick is reserved or worn by somebody else (7.10)."""
    if room.nicks.get(nick, account) != account:
        raise StanzaError("conflict", f"the nickname {nick} is reserved for somebody else")
    occupant = room.occupants.by_nick(nick)
    if occupant is not None and occupant.account != account:
        raise StanzaError("conflict", f"somebody else goes by the nickname {nick}")


def nick_of(room: Room, account: JID) -> str:
    """The nick that an account has reserved, "" for none."""
    return next((nick for nick, holder in room.nicks.items() if holder == account), "")


async def on_disk(commits: Iterable[Commit | None]) -> None:
    """Wait until all that is to be acknowledged is on disk; `internal-server-error` where that fails."""
    try:
        for commit in commits:
            if commit is not None:
                await commit
    except StorageError as error:
        raise StanzaError("internal-server-error", "the change could not be stored") from error


def extension(inside: str) -> bytes:
    """A letter of one <x/> of muc#user."""
    return f"<x xmlns='{NS_USER}'>{inside}</x>".encode()
