"""What a room is set to: everything that `muc#roomconfig` lists, with defaults, and how it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from .words import Affiliation, Role

AllowPM = Literal["anyone", "participants", "moderators", "none"]
Registration = Literal["open", "approval", "closed"]

ROLES: Final[tuple[Role, ...]] = ("none", "visitor", "participant", "moderator")
"""The lowest first (XEP-0045 5.1)."""
AFFILIATIONS: Final[tuple[Affiliation, ...]] = ("outcast", "none", "member", "admin", "owner")
"""The lowest first (XEP-0045 5.2)."""
PRESENT: Final[frozenset[Role]] = frozenset({"visitor", "participant", "moderator"})
"""The roles of those who are in a room."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One room's configuration. The names are those of ejabberd's room options."""

    title: str = ""
    description: str = ""
    lang: str = ""
    """The language of the discussion, empty where nobody said."""
    pubsub: str = ""
    """The XMPP URI of an associated publish-subscribe node."""
    public: bool = True
    """Listed in the service's disco#items."""
    public_list: bool = False
    """disco#items of the room shows its occupants to everybody."""
    persistent: bool = False
    max_users: int = 0
    """The most occupants; 0 for as many as the service allows."""
    members_only: bool = False
    moderated: bool = False
    anonymous: bool = True
    """Semi-anonymous: real addresses are shown to moderators only."""
    password_protected: bool = False
    password: str = ""
    logging: bool = False
    """Conversations are logged in public: status 170."""
    mam: bool = True
    """The room keeps an archive (XEP-0313)."""
    allow_change_subj: bool = False
    """Participants and visitors may change the subject."""
    allow_user_invites: bool = False
    """Members of a members-only room may invite others, who become members by it."""
    allowpm: AllowPM = "anyone"
    """Who may send private messages."""
    allow_query_users: bool = True
    """Occupants may send each other requests."""
    allow_visitor_nickchange: bool = True
    allow_visitor_status: bool = True
    """The status texts of visitors are shown; their availability always is."""
    allow_voice_requests: bool = True
    voice_request_min_interval: int = 60
    """Seconds between two voice requests of one visitor."""
    presence_broadcast: frozenset[Role] = PRESENT
    """Roles whose presence everybody is sent."""
    getmemberlist: frozenset[Role] = frozenset({"moderator", "participant"})
    """Roles that may retrieve the member list, where the room is not anonymous."""
    maxhistoryfetch: int = 20
    """The most messages of history that a newcomer is given."""
    registration: Registration = "approval"
    """What happens to a request to register: granted, put before the admins, or refused (7.10)."""

    @property
    def secret(self) -> str:
        """The password that a newcomer has to give, empty where none is asked for."""
        return self.password if self.password_protected else ""


DEFAULTS: Final = Settings()
NAMES: Final[tuple[str, ...]] = tuple(field.name for field in fields(Settings))


def to_json(settings: Settings) -> str:
    """What is stored: all that differs from the defaults of this module, so that room rows stay small."""
    changed = {name: value for name, value in asdict(settings).items() if value != getattr(DEFAULTS, name)}
    return json.dumps(changed, default=sorted, sort_keys=True)


def from_json(text: str) -> Settings:
    """The inverse of `to_json`; what a newer version has stored and this one does not know is passed over."""
    return from_mapping({name: value for name, value in json.loads(text).items() if name in NAMES})


def from_mapping(values: Mapping[str, Any], base: Settings = DEFAULTS) -> Settings:
    """`base` with these values, which are of the right types; lists of roles may be lists. `TypeError` for others."""
    known = {name: getattr(base, name) for name in NAMES} | dict(values)
    for name in ("presence_broadcast", "getmemberlist"):
        known[name] = frozenset(known[name])
    return Settings(**known)
