"""Who is in a room: one occupant for each nick, found by nick, by real address and by account."""

from __future__ import annotations

from collections.abc import Iterator

from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .words import Affiliation, Role


class Occupant:
    """One nick in a room, and whoever is behind it: one account, with one or more of its resources.

    `jid` is room/nick, `jids` the real full addresses, `presences` the last presence of each of them, in the same
    order; who spoke last stands last. `id` is the occupant id (XEP-0421). `additions` are elements, serialised, that
    the room puts into each presence of the occupant: hats. Whoever changes a field that others see calls `changed()`.
    """

    __slots__ = (
        "additions",
        "affiliation",
        "heard",
        "id",
        "jid",
        "jids",
        "nick",
        "presences",
        "role",
        "seen",
        "shown",
        "told",
        "visible",
    )

    def __init__(self, jid: JID, real: JID, role: Role, affiliation: Affiliation, presence: Stanza, id: str) -> None:
        self.jid = jid
        self.nick = jid.resource
        self.jids: tuple[JID, ...] = (real,)
        self.presences: tuple[Stanza, ...] = (presence,)
        self.role = role
        self.affiliation = affiliation
        self.id = id
        self.additions = b""
        self.shown: Stanza | None = None  # to readers who do not see real addresses
        self.seen: Stanza | None = None  # to readers who do
        self.heard = 0.0  # when the next message is in time
        self.told = 0.0  # when the next presence is
        self.visible = False  # somebody else was shown the occupant

    @property
    def account(self) -> JID:
        """The bare address."""
        return self.jids[0].bare

    @property
    def presence(self) -> Stanza:
        """What was last said of the nick: the presence that others see."""
        return self.presences[-1]

    @property
    def moderates(self) -> bool:
        """Whether the occupant is a moderator."""
        return self.role == "moderator"

    def changed(self) -> None:
        """What others see of the occupant is not what it was: encode it again."""
        self.shown = self.seen = None

    def __repr__(self) -> str:
        return f"<Occupant {self.jid} {self.role} {self.affiliation}>"


class Occupants:
    """The occupants of one room."""

    __slots__ = ("_accounts", "_jids", "_nicks", "moderators")

    def __init__(self) -> None:
        self._nicks: dict[str, Occupant] = {}
        self._jids: dict[JID, Occupant] = {}
        self._accounts: dict[JID, tuple[Occupant, ...]] = {}
        self.moderators: dict[Occupant, None] = {}  # in a crowd they are looked for at each entrance

    def by_nick(self, nick: str) -> Occupant | None:
        """The occupant of this (prepared) nick."""
        return self._nicks.get(nick)

    def by_jid(self, jid: JID) -> Occupant | None:
        """The occupant behind which this real full address stands."""
        return self._jids.get(jid)

    def of(self, account: JID) -> tuple[Occupant, ...]:
        """All nicks of a bare address."""
        return self._accounts.get(account, ())

    def add(self, occupant: Occupant) -> None:
        """Somebody enters."""
        self._nicks[occupant.nick] = occupant
        for jid in occupant.jids:
            self._jids[jid] = occupant
        self._accounts[occupant.account] = (*self.of(occupant.account), occupant)
        self.give_role(occupant, occupant.role)

    def remove(self, occupant: Occupant) -> None:
        """Somebody leaves, with all addresses."""
        del self._nicks[occupant.nick]
        self.moderators.pop(occupant, None)
        for jid in occupant.jids:
            del self._jids[jid]
        left = tuple(other for other in self.of(occupant.account) if other is not occupant)
        if left:
            self._accounts[occupant.account] = left
        else:
            del self._accounts[occupant.account]

    def give_role(self, occupant: Occupant, role: Role) -> None:
        """Somebody who is here has this role from now on."""
        if occupant.role != role:
            occupant.role = role
            occupant.changed()
        if role == "moderator":
            self.moderators[occupant] = None
        else:
            self.moderators.pop(occupant, None)

    def join(self, occupant: Occupant, real: JID, presence: Stanza) -> None:
        """One more resource under the same nick, or a new presence of one that is there already; it stands last now."""
        self._drop(occupant, real)
        occupant.jids = (*occupant.jids, real)
        occupant.presences = (*occupant.presences, presence)
        occupant.changed()
        self._jids[real] = occupant

    def part(self, occupant: Occupant, real: JID) -> bool:
        """One resource less; False, and nothing done, where it is the last one (see `remove`)."""
        if len(occupant.jids) < 2:
            return False
        self._drop(occupant, real)
        del self._jids[real]
        occupant.changed()
        return True

    def rename(self, occupant: Occupant, jid: JID) -> None:
        """The occupant takes another nick."""
        del self._nicks[occupant.nick]
        occupant.jid, occupant.nick = jid, jid.resource
        occupant.changed()
        self._nicks[occupant.nick] = occupant

    def _drop(self, occupant: Occupant, real: JID) -> None:
        kept = [pair for pair in zip(occupant.jids, occupant.presences, strict=True) if pair[0] != real]
        occupant.jids = tuple(jid for jid, _ in kept)
        occupant.presences = tuple(presence for _, presence in kept)

    def __iter__(self) -> Iterator[Occupant]:
        """A picture of the moment, in the order of entering: who leaves meanwhile does not disturb it."""
        return iter(list(self._nicks.values()))

    def __len__(self) -> int:
        return len(self._nicks)

    @property
    def sessions(self) -> dict[JID, Occupant]:
        """Every real full address, and who stands before it. Read it; do not change it."""
        return self._jids
