"""Affiliations, reserved nicks and hats by xmppctl."""

from __future__ import annotations

from xmppd.api import CommandError, command
from xmppd.xmpp.jid import JID

from .admin import check_owner_left
from .commands import RoomCommands
from .grants import Grant, grant
from .hats import Hats
from .settings import AFFILIATIONS
from .standing import check_height
from .store import Hat


class AffiliationCommands(RoomCommands):
    """What administrators say of people in rooms."""

    hats: Hats

    @command("set_room_affiliation", "Change an affiliation: owner, admin, member, outcast or none", "muc_room")
    async def set_room_affiliation(self, name: str, service: str, jid: JID, affiliation: str) -> None:
        """The occupants see it as if an owner had done it. A room keeps its last owner."""
        if affiliation not in AFFILIATIONS:
            raise CommandError(f"AFFILIATION must be one of {', '.join(AFFILIATIONS)}, not {affiliation!r}")
        check_height(jid.bare, affiliation)
        async with self._turn(name, service) as room:
            check_owner_left(room, {jid.bare: affiliation})
            commit = await grant(room, [Grant(jid.bare, affiliation)])
        if commit is not None:
            await commit

    @command("get_room_affiliations", "List everybody who has an affiliation with a room", "muc_room")
    async def get_room_affiliations(self, name: str, service: str) -> list[dict[str, str]]:
        """One dict for each, sorted by address."""
        async with self._turn(name, service) as room:
            accounts = sorted(JID.parse(account) for account in room.affiliations)
            return [
                {
                    "username": account.local,
                    "domain": account.domain,
                    "affiliation": room.affiliations[account],
                    "reason": room.reasons.get(account, ""),
                }
                for account in accounts
            ]

    @command("get_room_affiliation", "What an address is to a room", "muc_room")
    async def get_room_affiliation(self, name: str, service: str, jid: JID) -> str:
        """`none` for a stranger; administrators of the service are owners."""
        async with self._turn(name, service) as room:
            return room.affiliation_of(jid)

    @command("create_room_hat", "Make a hat that people in a room may wear, or change its title", "muc_room")
    async def create_room_hat(self, name: str, service: str, uri: str, title: str, hue: str = "") -> None:
        """HUE is an angle of 0 to 360 degrees."""
        async with self._turn(name, service) as room:
            await self.hats.create(room, Hat(uri, title, hue))

    @command("destroy_room_hat", "Take a hat out of a room, and off everybody", "muc_room")
    async def destroy_room_hat(self, name: str, service: str, uri: str) -> None:
        """An error where the room has none of that URI."""
        async with self._turn(name, service) as room:
            await self.hats.destroy(room, uri)

    @command("assign_room_hat", "Give somebody a hat of a room", "muc_room")
    async def assign_room_hat(self, name: str, service: str, jid: JID, uri: str) -> None:
        """It is kept for the account, and shown whenever it is in the room."""
        async with self._turn(name, service) as room:
            await self.hats.assign(room, jid.bare, uri)

    @command("unassign_room_hat", "Take a hat of a room from somebody", "muc_room")
    async def unassign_room_hat(self, name: str, service: str, jid: JID, uri: str) -> None:
        """An error where they wear none of that URI."""
        async with self._turn(name, service) as room:
            await self.hats.unassign(room, jid.bare, uri)

    @command("get_room_hats", "List the hats of a room and who wears them", "muc_room")
    async def get_room_hats(self, name: str, service: str) -> list[dict[str, str]]:
        """One dict for each hat; the wearers have commas between."""
        async with self._turn(name, service) as room:
            return [
                {
                    "uri": hat.uri,
                    "title": hat.title,
                    "hue": hat.hue,
                    "worn": ",".join(sorted(account for account, worn in room.worn.items() if hat.uri in worn)),
                }
                for _, hat in sorted(room.hats.items())
            ]
