"""Who is in the room, and which of them are members and not people watching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from .wire import MUC_USER, NS, Mark, read_mark

LONGEST_LEASE: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Member:
    """One member as its presence says."""

    nick: str
    mark: Mark | None
    lease: float


def read_member(presence: Element, nick: str) -> Member | None:
    """The member that this presence marks, or None."""
    found = presence.find(f"{{{NS}}}member")
    if found is None:
        return None
    try:
        lease = min(max(float(found.get("lease", "")), 0.0), LONGEST_LEASE)
    except ValueError:
        lease = LONGEST_LEASE
    return Member(nick, read_mark(found, f"/{nick}"), lease)


def left_in_peace(presence: Element) -> bool:
    """Whether this member says that it serves nothing any more."""
    found = presence.find(f"{{{NS}}}member")
    return found is not None and found.get("left") == "true"


def status_codes(presence: Element) -> set[str]:
    """Of XEP-0045, such as 110 for one's own presence."""
    return {each.get("code", "") for each in presence.iterfind(f"{{{MUC_USER}}}x/{{{MUC_USER}}}status")}
