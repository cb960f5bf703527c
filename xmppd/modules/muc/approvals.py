"""Data forms that come in messages: voice requests, and the words of moderators and admins on what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xmppd.api import Event
from xmppd.xmpp.namespaces import DATA_FORMS

from .aspect import Aspect, Take
from .forms import NS_REGISTER_FORM, form_type
from .registration import Registration
from .voice import Voice
from .words import NS_REQUEST

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room


class Approvals(Aspect):
    """Gives each form to the one who sent it out."""

    def __init__(self, muc: Muc, registration: Registration) -> None:
        super().__init__(muc)
        self._registration = registration
        self._voice = Voice(muc)

    def messages(self) -> Mapping[str, Take]:
        """Messages with a data form."""
        return {f"{DATA_FORMS} x": self.take}

    async def take(self, room: Room, event: Event) -> bool:
        """A form of ours; False for any other."""
        form, sender = event.stanza.child("x", DATA_FORMS), event.stanza.sender
        assert form is not None
        assert sender is not None
        kind = form_type(form)
        if kind == NS_REQUEST:
            await self._voice.take(room, sender, form)
        elif kind == NS_REGISTER_FORM:
            await self._registration.take(room, sender, form)
        else:
            return False
        return True
