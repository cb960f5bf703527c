"""The settings of the component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from slixmpp import JID, InvalidJID

MOST_ROOMS: Final = 100
MOST_OCCUPANTS: Final = 1000  # of one room
MOST_KEPT: Final = 10_000  # messages in one room's archive
MOST_KEPT_CHARACTERS: Final = 16_000_000


def room_name(written: str) -> str:
    """As addresses have it: in small letters, say. "" for what cannot stand before the @ of an address."""
    try:
        jid = JID(f"{written}@localhost")
    except InvalidJID:
        return ""
    return str(jid.user) if jid.domain == "localhost" and not jid.resource else ""


@dataclass(frozen=True, slots=True)
class ComponentSettings:
    """Where it serves, and whom.

    `allow` are domains and bare addresses that may enter; none given: the domain that `domain` is a part of. `rooms`
    are the names of the rooms; none given: any, up to 100. `tokens` open `POST /bus/ROOM`: each with the names of its
    rooms, or with none for all.
    """

    domain: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5347
    allow: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    tokens: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    http: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        if not self.allow:
            parent = self.domain.partition(".")[2]
            if not parent:
                raise ValueError(f"{self.domain} is a part of no domain: say who may enter with `allow`")
            object.__setattr__(self, "allow", frozenset({parent}))
        object.__setattr__(self, "rooms", frozenset(map(room_name, self.rooms)))
        if "" in self.rooms:
            raise ValueError("a room has a name that cannot stand before the @ of an address")
        tokens = {token: frozenset(map(room_name, rooms)) for token, rooms in self.tokens.items()}
        object.__setattr__(self, "tokens", tokens)

    def allowed(self, bare: str) -> bool:
        """Whether this address may enter and ask."""
        return bare in self.allow or bare.partition("@")[2] in self.allow

    def room_allowed(self, name: str) -> bool:
        """Whether there may be a room of this name."""
        return bool(name) and (not self.rooms or name in self.rooms)
