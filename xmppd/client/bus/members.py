"""Who is in the room, and which of them are members and not people watching."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from .wire import MUC_USER, NS, Mark, read_mark

LONGEST_LEASE: Final = 3600.0  # seconds that a member is believed; its settings allow no more


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
    return Member(nick, read_mark(found, f"/{nick}"), _lease(found.get("lease", "")))


def _lease(text: str) -> float:
    """The longest one for what is no number of seconds."""
    try:
        lease = float(text)
    except ValueError:
        return LONGEST_LEASE
    return min(max(lease, 0.0), LONGEST_LEASE) if math.isfinite(lease) else LONGEST_LEASE


def left_in_peace(presence: Element) -> bool:
    """Whether this member says that it serves nothing any more."""
    found = presence.find(f"{{{NS}}}member")
    return found is not None and found.get("left") == "true"


def status_codes(presence: Element) -> set[str]:
    """Of XEP-0045, such as 110 for one's own presence."""
    return {each.get("code", "") for each in presence.iterfind(f"{{{MUC_USER}}}x/{{{MUC_USER}}}status")}
