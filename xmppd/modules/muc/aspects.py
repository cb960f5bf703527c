"""The aspects that rooms have, beside those that `Muc` knows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .admin import Admin
from .approvals import Approvals
from .aspect import Aspect
from .avatar import Avatar
from .hat_commands import HatCommands
from .invitations import Invitations
from .moderation import Moderation
from .owner import Owner
from .registration import Registration

if TYPE_CHECKING:
    from .module import Muc


def aspects(muc: Muc) -> list[Aspect]:
    """One of each."""
    registration = Registration(muc)
    return [
        Admin(muc), Owner(muc), registration, Approvals(muc, registration), Invitations(muc), Avatar(muc),
        Moderation(muc), muc.hats, HatCommands(muc, muc.hats),
    ]  # fmt: skip
