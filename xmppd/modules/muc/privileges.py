"""The tables of XEP-0045 section 5 as pure functions: what a role or an affiliation may do, and who may change them."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.errors import StanzaError

from .settings import AFFILIATIONS, ROLES, Settings
from .words import Affiliation, Role

RANK: Final[dict[str, int]] = {name: rank for rank, name in enumerate(AFFILIATIONS)}
_ROLE_RANK: Final[dict[str, int]] = {name: rank for rank, name in enumerate(ROLES)}
_PM_ROLE: Final[dict[str, int]] = {"anyone": 1, "participants": 2, "moderators": 3, "none": 4}


def at_least(affiliation: Affiliation, least: Affiliation) -> bool:
    """Whether an affiliation is this one or a higher one."""
    return RANK[affiliation] >= RANK[least]


# What a role may do (table 3)


def may_speak(role: Role) -> bool:
    """Send messages to all."""
    return _ROLE_RANK[role] >= 2


def may_send_private(role: Role, settings: Settings) -> bool:
    """Send private messages, as `allowpm` says."""
    return _ROLE_RANK[role] >= _PM_ROLE[settings.allowpm]


def may_change_subject(role: Role, settings: Settings) -> bool:
    """Moderators always, others where the room allows it (8.1)."""
    return role == "moderator" or (settings.allow_change_subj and role != "none")


def may_change_nick(role: Role, settings: Settings) -> bool:
    """Everybody, unless visitors may not."""
    return _ROLE_RANK[role] >= 2 or (role == "visitor" and settings.allow_visitor_nickchange)


def may_show_status(role: Role, settings: Settings) -> bool:
    """Have a status text that others see: everybody, unless visitors may not."""
    return _ROLE_RANK[role] >= 2 or (role == "visitor" and settings.allow_visitor_status)


def may_invite(role: Role, affiliation: Affiliation, settings: Settings) -> bool:
    """Occupants of an open room; in a members-only room admins, and members where the room allows it (9.5)."""
    if settings.members_only:
        return at_least(affiliation, "admin") or (
            settings.allow_user_invites and affiliation == "member" and role != "none"
        )
    return role != "none"


# What an affiliation may do (tables 4 and 6)


def default_role(affiliation: Affiliation, settings: Settings) -> Role:
    """The role of who enters; "none" for who may not (table 4)."""
    if affiliation == "outcast" or (settings.members_only and affiliation == "none"):
        return "none"
    if at_least(affiliation, "admin"):
        return "moderator"
    return "visitor" if settings.moderated and affiliation == "none" else "participant"


def may_register(affiliation: Affiliation) -> bool:
    """Ask to become a member; those who are one or more have no need to, and outcasts may not."""
    return affiliation == "none"


def may_see_members(role: Role, affiliation: Affiliation, settings: Settings) -> bool:
    """Retrieve the member list: admins, and members and occupants of a room that hides no addresses (9.5)."""
    if at_least(affiliation, "admin"):
        return True
    if settings.anonymous:
        return False
    return affiliation == "member" or role in settings.getmemberlist


def may_see_affiliations(listed: Affiliation, role: Role, affiliation: Affiliation, settings: Settings) -> bool:
    """Retrieve the list of one affiliation: owners see all, admins those that they may edit (9.2, 9.5, 10.5, 10.8)."""
    if listed == "member":
        return may_see_members(role, affiliation, settings)
    return at_least(affiliation, "admin" if listed == "outcast" else "owner")


def may_see_roles(listed: Role, role: Role, affiliation: Affiliation) -> bool:
    """Retrieve the list of one role: moderators see who has voice and who has not, admins the moderators (8.5, 9.8)."""
    return at_least(affiliation, "admin") if listed == "moderator" else role == "moderator"


# Who may change them (tables 5 and 7)


def check_role_change(actor: tuple[Role, Affiliation], target: tuple[Role, Affiliation], new: Role) -> None:
    """Whether one occupant may give another this role.

    `StanzaError`: forbidden for who has no such privilege at all, not-allowed where this target is out of reach.
    """
    (role, affiliation), (old, other) = actor, target
    if role != "moderator":
        raise StanzaError("forbidden", "only moderators change roles")
    if "moderator" in (old, new) and old != new and not at_least(affiliation, "admin") and new != "none":
        raise StanzaError("forbidden", "only admins and owners make and unmake moderators")
    if RANK[other] > RANK[affiliation]:
        raise StanzaError("not-allowed", f"the {other} stands above you")
    if new == "none":
        _check_kick(affiliation, old)
    elif _ROLE_RANK[new] < _ROLE_RANK[old]:
        _check_lowering(affiliation, other, old)


def _check_kick(affiliation: Affiliation, old: Role) -> None:
    if old == "moderator" and not at_least(affiliation, "admin"):
        raise StanzaError("not-allowed", "only admins and owners kick moderators")


def _check_lowering(affiliation: Affiliation, other: Affiliation, old: Role) -> None:
    if at_least(other, "admin"):
        taken = "moderator status" if old == "moderator" else "voice"
        raise StanzaError("not-allowed", f"nobody takes {taken} from an {other}")
    # 8.4 protects all who stand at the moderator's level. Taken to the letter, a moderator without an affiliation
    # could take nobody's voice, which table 3 grants; so it protects members.
    if old == "participant" and other == "member" and not at_least(affiliation, "admin"):
        raise StanzaError("not-allowed", "only admins and owners take voice from a member")


def check_affiliation_change(actor: Affiliation, target: Affiliation, new: Affiliation, *, oneself: bool) -> None:
    """Whether one user may give another this affiliation. That an owner remains is for the caller to see.

    `StanzaError`: forbidden for who has no such privilege, not-allowed where this target is out of reach, conflict for
    who bans themselves.
    """
    if not at_least(actor, "admin"):
        raise StanzaError("forbidden", "only admins and owners change affiliations")
    if new == "outcast" and oneself:
        raise StanzaError("conflict", "you cannot ban yourself")
    if actor == "owner" or target == new:
        return
    if new == "outcast" and at_least(target, "admin"):
        raise StanzaError("not-allowed", f"only owners ban an {target}")
    if at_least(target, "admin") or at_least(new, "admin"):
        raise StanzaError("forbidden", "only owners edit the lists of admins and owners")
