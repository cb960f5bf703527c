"""What rooms keep of an account that is removed: nothing but a ban."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xmppd.api import AccountEvent, hook

from . import store
from .commands import RoomCommands
from .grants import Grant, make
from .standing import give_nick
from .turns import Turn

if TYPE_CHECKING:
    from xmppd.api import Storage
    from xmppd.xmpp.jid import JID

    from .room import Room


class Accounts(RoomCommands):
    """The part of `Muc` that hears of accounts of its host."""

    @property
    def storage(self) -> Storage:
        """The database."""
        return self.host.house.storage

    @hook.account_removed
    async def forget_account(self, event: AccountEvent) -> None:
        """Whoever registers under the name again is a stranger in every room."""
        account = event.account.bare
        await self.storage.write(*store.forget_account(account))
        for room in await self.rooms.in_memory():
            if _knows(room, account):
                async with Turn(room) as here:
                    if here:
                        await _forget(room, account)


def _knows(room: Room, account: JID) -> bool:
    known = room.affiliations, room.worn, room.voices, room.nicks.values()
    return any(account in accounts for accounts in known)


async def _forget(room: Room, account: JID) -> None:
    """In memory; storage has forgotten already."""
    room.worn.pop(account, None)
    room.voices.pop(account, None)
    give_nick(room, account, "")
    if room.affiliations.get(account, "outcast") != "outcast":
        await make(room, [Grant(account, "none")])
