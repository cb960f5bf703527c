"""What rooms keep of an account that is removed: nothing but a ban."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xmppd.api import AccountEvent, hook

from . import store
from .commands import RoomCommands
from .grants import Grant, grant, make
from .standing import give_nick, named, on_disk
from .turns import Turn

if TYPE_CHECKING:
    from xmppd.api import Storage
    from xmppd.xmpp.jid import JID

    from .room import Room

ABANDONED: Final = "<destroy><reason>The account of its owner is gone.</reason></destroy>"


class Accounts(RoomCommands):
    """The part of `Muc` that hears of accounts of its host."""

    @property
    def storage(self) -> Storage:
        """The database."""
        return self.host.house.storage

    @hook.account_removed
    async def forget_account(self, event: AccountEvent) -> None:
        """Whoever registers under the name again is a stranger in every room.

        Of who was in no room's books nothing is written: each anonymous session that ends is told here.
        """
        account = event.account.bare
        stored = await self.shelf.knowing(account)
        if not (stored or self.rooms.ledger.of(account)):
            return
        here = {room: owned for room, owned in stored.items() if room.domain == self.domain}
        for room in [room for room, owned in here.items() if owned]:
            async with self.rooms.turn(room.local) as found:
                if found is not None:
                    await _inherit(found, account)
        await self.storage.write(*store.forget_account(account))
        for room in here.keys() | {room.jid for room in self.rooms.ledger.of(account)}:
            await self._forget(room, account)

    async def _forget(self, jid: JID, account: JID) -> None:
        """In memory; storage has forgotten already."""
        room = await self.rooms.in_memory(jid.local)
        if room is not None:
            async with Turn(room) as here:
                if here:
                    await _forget(room, account)


async def _forget(room: Room, account: JID) -> None:
    await _inherit(room, account)
    room.worn.pop(account, None)
    room.voices.pop(account, None)
    give_nick(room, account, "")
    if not room.gone and room.affiliations.get(account, "outcast") != "outcast":
        await make(room, [Grant(account, "none")])


async def _inherit(room: Room, account: JID) -> None:
    """A room keeps an owner (5.2): without its last one it is the first admin's, else the first member's.

    A stored one that nobody is left for goes. Another one goes anyway with the last who is in it.
    """
    if named(room, "owner") != [account] or room.warden is not None:
        return
    heirs = [*named(room, "admin"), *(member for member in named(room, "member") if member.local)]
    if heirs:
        await on_disk([await grant(room, [Grant(heirs[0], "owner"), Grant(account, "none")])])
    elif room.stored:
        await on_disk([await room.destroy(ABANDONED)])
