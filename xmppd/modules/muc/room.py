"""One room: its settings, who may do what in it, who is there, and what changes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from xmppd.api import Bucket, Buckets, Commit, Statement, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from . import crowd, privileges, store
from .faces import x
from .grants import Grant, make, statements
from .history import History
from .occupants import Occupant, Occupants
from .presence import NOTHING, Why, announce, part, part_self, shows
from .store import Line, Record
from .words import (
    CONFIGURED,
    KICKED,
    LOGGED,
    NON_ANONYMOUS,
    NOT_A_MEMBER,
    NOT_LOGGED,
    SEMI_ANONYMOUS,
    Affiliation,
    Role,
)

if TYPE_CHECKING:
    from .module import Muc
    from .passing import Asked
    from .settings import Settings

__all__ = ["Room", "Why", "x"]

MOST_VOICES: Final = 1000  # accounts whose role one room remembers: those that moderators spoke of last


class Room:
    """A room in memory. It is reached by its address alone, through `Muc.handle`, and within its turn.

    `affiliations` has every bare address or domain that is not `none`; `reasons` why, where it was said; `nicks` the
    reserved nicks and whose they are; `hats` by URI, `worn` the URIs of each account. `locked` until its owner has
    configured it (10.1). `stored` says that it lies in storage and outlives its occupants. `secret` makes occupant ids.
    `used` is when somebody last spoke or left, in seconds since 1970. `warden` keeps the room for another module.
    """

    __slots__ = (
        "affiliations",
        "asked",
        "avatar",
        "card",
        "created",
        "crowded",
        "gone",
        "hats",
        "history",
        "jid",
        "lock",
        "locked",
        "lost",
        "messages",
        "moves",
        "muc",
        "nicks",
        "noted",
        "occupants",
        "pending",
        "presences",
        "queued",
        "reasons",
        "secret",
        "settings",
        "stored",
        "subject",
        "used",
        "voices",
        "warden",
        "words",
        "worn",
    )

    def __init__(self, muc: Muc, record: Record, lines: Iterable[Line] = (), *, stored: bool = False) -> None:
        self.muc = muc
        self.jid = record.jid
        self.settings = record.settings
        self.secret = record.secret
        self.created = record.created
        self.used = record.used
        self.affiliations = record.affiliations
        self.reasons = record.reasons
        self.nicks = record.nicks
        self.subject = record.subject
        self.hats = record.hats
        self.worn = record.worn
        self.voices: dict[str, Role] = {}  # what moderators said of who speaks, by account; see `role_of`
        self.noted: dict[str, None] = {}  # see `Ledger`
        self.avatar = record.avatar
        self.card = ""  # the vCard of a room that is not stored; see `avatar`
        self.history = History(lines, muc.options.history_bytes)
        self.occupants = Occupants()
        self.stored = stored
        self.locked = False
        self.gone = False  # destroyed or unloaded: whoever still holds it looks it up again
        self.crowded = False
        self.pending: dict[Occupant, bool] = {}  # see `crowd`
        self.lost: list[JID] = []  # see `Road.send`
        self.presences = Bucket()
        self.messages = Bucket()
        self.moves: Buckets[JID] = Buckets()  # entrances, nicks and presences of each account
        self.words: Buckets[JID] = Buckets()  # messages of each account
        self.asked: dict[str, Asked] = {}  # see `passing`
        self.lock = asyncio.Lock()
        self.queued = 0
        self.warden = muc.wardens.get(record.jid)

    def __repr__(self) -> str:
        return f"<Room {self.jid} {len(self.occupants)} occupants>"

    # Who may do what

    def affiliation_of(self, jid: JID) -> Affiliation:
        """What an address is to the room: by its bare address, else by its domain; the service's admins are owners."""
        found = self.affiliations.get(jid.bare) or self.affiliations.get(jid.domain)
        if found == "owner":
            return found
        return "owner" if self.muc.is_admin(jid) else found or "none"

    def role_for(self, affiliation: Affiliation) -> Role:
        """The role one enters with (5.1.2); "none" for who may not."""
        return privileges.default_role(affiliation, self.settings)

    def role_of(self, jid: JID, affiliation: Affiliation) -> Role:
        """The same for one address: what moderators said in a moderated room holds for the next visit too (5.1)."""
        role = self.role_for(affiliation)
        return self.voices.get(jid.bare, role) if role in ("visitor", "participant") else role

    def _remember(self, occupant: Occupant, role: Role) -> None:
        self.voices.pop(occupant.account, None)
        if self.settings.moderated and role in ("visitor", "participant"):
            self.voices[occupant.account] = role
            self.muc.rooms.ledger.note(self, (occupant.account,))
            if len(self.voices) > MOST_VOICES:
                del self.voices[next(iter(self.voices))]

    # What is stored

    def record(self, settings: Settings) -> Record:
        """All that is stored of the room with these settings, less its history and card."""
        return Record(
            self.jid, settings, self.secret, self.created, self.used, self.affiliations, self.reasons,
            self.nicks, self.subject, self.hats, self.worn, self.avatar,
        )  # fmt: skip

    def write(self, *statements: Statement) -> Commit | None:
        """Store something of the room; None, and nothing done, for a room that is not stored.

        `StanzaError("resource-constraint")` where storage takes no more now.
        """
        return self._write(*statements) if self.stored and statements else None

    def _write(self, *statements: Statement) -> Commit:
        try:
            return self.muc.storage.write(*statements)
        except StorageError as error:
            raise StanzaError("resource-constraint", "this cannot be stored now; try again later") from error

    def _store(self, settings: Settings, *further: Statement) -> Commit | None:
        """Bring storage to what settings say: a persistent room is written whole, another one deleted."""
        if not self.stored and settings.persistent:
            return self._write(
                *store.create(self.record(settings)),
                store.put_card(self.jid, self.card, self.avatar),
                *(store.put_line(self.jid, line) for line in self.history),
                *further,
            )
        if settings.persistent:
            return self.write(store.put_settings(self.jid, settings), *further)
        return self.write(*store.delete(self.jid))

    # What changes it; each tells whom it concerns, and checks no privilege

    async def set_role(self, occupant: Occupant, role: Role, why: Why = NOTHING) -> None:
        """Give an occupant another role; `none` is a kick, with 307."""
        if role == "none":
            await self.expel(occupant, Why((KICKED, *why.codes), why.reason, why.actor))
            return
        self._remember(occupant, role)
        self.occupants.give_role(occupant, role)
        await announce(self, occupant, why)

    async def expel(
        self, occupant: Occupant, why: Why = NOTHING, *, said: Stanza | None = None, extra: str = ""
    ) -> None:
        """Take an occupant out: unavailable presence to everybody. `extra` goes into the <x/>, such as <destroy/>.

        `said` is the presence it leaves with, where it leaves by itself.
        """
        self.occupants.remove(occupant)
        self.muc.rooms.left(occupant.account)
        occupant.role = "none"
        crowd.count(self)
        if self.warden is not None:
            self.warden.left(self, occupant, said)
        await part(self, occupant, why, said, extra)

    async def configure(self, settings: Settings, grants: Sequence[Grant] = (), actor: str = "") -> Commit | None:
        """Take other settings: store or drop the room, expel who must go (322), tell the others by codes (10.2.1).

        `grants` are made before, by `actor`: who becomes an admin of a room that admits members only from now on stays
        in it. `StanzaError`, and nothing changed, where storage takes no more now, and for grants as `statements` says.
        The room is unlocked by it.
        """
        written = statements(self, grants)
        appears, vanishes = settings.persistent > self.stored, settings.persistent < self.stored
        if appears:
            await self.forget_archive()  # a crash may have left an older room's
        card = await self.muc.shelf.card(self.jid) if vanishes else ""
        commit = self._store(settings, *written)
        if appears or vanishes:
            self.card = card
            self.muc.rooms.keep(self, stored=settings.persistent)
        await make(self, grants, actor)
        await self._settled_on(settings)
        if vanishes:
            await self.forget_archive()
        return commit

    async def _settled_on(self, settings: Settings) -> None:
        """Other settings hold from now on; whom they concern is told."""
        before, self.settings, self.locked = self.settings, settings, False
        self.muc.rooms.enlist(self)
        if not settings.moderated:
            self.voices.clear()
        if settings.members_only and not before.members_only:
            for occupant in self.occupants:
                if occupant.affiliation == "none":
                    await self.expel(occupant, Why((NOT_A_MEMBER,)))
        if settings.presence_broadcast != before.presence_broadcast:
            for occupant in self.occupants:
                if shows(self, occupant) != occupant.visible:
                    await announce(self, occupant, to_self=False)
        if settings != before:
            await self.notify(_codes(before, settings))

    async def destroy(self, extra: str) -> Commit | None:
        """Everybody leaves with `extra` (<destroy/>) in the presence; the room is gone, from storage too (10.9).

        `StanzaError`, and nothing done, where storage takes no more now.
        """
        commit = self.write(*store.delete(self.jid))
        self.pending.clear()
        for occupant in self.occupants:
            self.occupants.remove(occupant)
            self.muc.rooms.left(occupant.account)
            occupant.role = "none"
            occupant.affiliation = "none"
            if self.warden is not None:
                self.warden.left(self, occupant, None)
            await part_self(self, occupant, occupant.jids, extra=extra)
        self.muc.rooms.keep(self, stored=False)
        self.muc.rooms.drop(self)
        await self.forget_archive()
        return commit

    @property
    def archive(self) -> Any:
        """The module that archives what is said here; None where nothing is archived.

        Only stored rooms have an archive: another one's would outlive it, and cost a write for each word in a lobby.
        """
        return self.muc.archive if self.stored and self.settings.mam else None

    async def forget_archive(self) -> None:
        """Delete what was said here; on disk when it returns. Who makes a room of the same name is not to read it."""
        if self.muc.archive is not None:
            await self.muc.archive.drop(self.jid)

    # How it speaks

    async def announce(self, occupant: Occupant, why: Why = NOTHING) -> None:
        """An occupant's presence as it is now, to everybody who may see it."""
        await announce(self, occupant, why)

    def broadcast(self, message: Stanza) -> Awaitable[None]:
        """A message to every real address in the room; `sender` is room or room/nick, `to` is not looked at."""
        return self.muc.road.send(self, message, self.occupants.sessions)

    async def notify(self, codes: Iterable[int]) -> None:
        """Status codes to everybody, in a message from the room."""
        await self.broadcast(Stanza("message", None, self.jid, "groupchat", "", "", x("", codes).encode()))

    async def send(self, stanza: Stanza, readers: Iterable[JID]) -> None:
        """A copy to each of some real addresses."""
        await self.muc.road.send(self, stanza, readers)


def _codes(before: Settings, now: Settings) -> list[int]:
    """What has changed, as status codes (10.2.1): privacy by a code of its own each, all else by 104."""
    codes: list[int] = []
    if before.logging != now.logging:
        codes.append(LOGGED if now.logging else NOT_LOGGED)
    if before.anonymous != now.anonymous:
        codes.append(SEMI_ANONYMOUS if now.anonymous else NON_ANONYMOUS)
    names = [name for name in now.__slots__ if getattr(before, name) != getattr(now, name)]
    if set(names) - {"logging", "anonymous"}:
        codes.insert(0, CONFIGURED)
    return codes
