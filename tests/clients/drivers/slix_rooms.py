"""The verbs of rooms for slixmpp, by its plugin for XEP-0045."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slixmpp import JID, ClientXMPP
from slixmpp.stanza import Message, Presence
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from .base import PATIENCE_SECONDS, Access, Client


class SlixRooms(Client):
    """Keeps what the plugin tells of rooms."""

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._said: list[tuple[str, str, str]] = []
        self._outside: set[str] = set()
        self._refused: dict[str, str] = {}

    @property
    @abstractmethod
    def _session(self) -> ClientXMPP: ...

    async def founds(self, room: str, nick: str) -> None:
        """Join, then send back the form as it came."""
        await self.enters(room, nick)
        await self._muc.set_room_config(JID(room), await self._muc.get_room_config(JID(room)))

    async def tries_to_enter(self, room: str, nick: str) -> None:
        """Send presence to the room, and listen for a refusal, which the plugin does not know without `<x/>`."""
        self._forget(room)
        self._muc.rooms[None][JID(room)] = {}
        self._muc.our_nicks[None][JID(room)] = nick
        self._muc.make_join_stanza(JID(room), nick, maxstanzas=0).send()

    async def enters(self, room: str, nick: str) -> None:
        """Join; the plugin waits for the room's subject."""
        self._forget(room)
        await self._muc.join_muc_wait(JID(room), nick, maxstanzas=0, timeout=PATIENCE_SECONDS)

    async def is_inside(self, room: str) -> None:
        """The plugin counts us among the occupants."""

        def inside() -> bool:
            return self._muc.our_nicks[None].get(JID(room)) in self._muc.get_roster(JID(room))

        await self._until(f"entered {room}", inside)

    async def is_outside(self, room: str) -> None:
        """Unavailable presence of our own came."""
        await self._until(f"been put out of {room}", lambda: room in self._outside)

    async def is_kept_out(self, room: str) -> None:
        """The error for the banned came."""
        await self._until(f"been kept out of {room}", lambda: self._refused.get(room) == "forbidden")

    async def leaves(self, room: str) -> None:
        """Send unavailable presence."""
        self._muc.leave_muc(JID(room), self._muc.our_nicks[None][JID(room)])

    async def says_in(self, room: str, text: str) -> None:
        """Send a message of type groupchat."""
        self._session.send_message(mto=JID(room), mbody=text, mtype="groupchat")

    async def hears_in(self, room: str, nick: str, text: str) -> None:
        """A message of type groupchat came."""
        await self._until(f"heard {text!r} from {nick} in {room}", lambda: (room, nick, text) in self._said)

    async def finds_in(self, room: str, *nicks: str) -> None:
        """The plugin's list of occupants says so."""
        await self._until(f"found {nicks} in {room}", lambda: set(self._muc.get_roster(JID(room))) == set(nicks))

    async def changes_nick(self, room: str, nick: str) -> None:
        """Send presence to the new nick."""
        await self._muc.set_self_nick(JID(room), nick)

    async def kicks(self, room: str, nick: str) -> None:
        """Take the role."""
        await self._muc.set_role(JID(room), nick, "none")

    async def bans(self, room: str, jid: str) -> None:
        """Set the affiliation."""
        await self._muc.set_affiliation(JID(room), "outcast", jid=JID(jid))

    async def configures(self, room: str, title: str) -> None:
        """Fill in the form."""
        form = await self._muc.get_room_config(JID(room))
        answers = {"muc#roomconfig_roomname": title, "muc#roomconfig_persistentroom": True}
        form.set_values(form.get_values() | answers)
        await self._muc.set_room_config(JID(room), form)

    async def destroys(self, room: str) -> None:
        """Send `<destroy/>`."""
        await self._muc.destroy(JID(room))

    async def until_titled(self, room: str, title: str) -> None:
        """Service discovery gives the room this title."""

        async def look() -> bool:
            return await self.title_of(room) == title

        await self.until(f"found {room} called {title!r}", look)

    async def title_of(self, room: str) -> str:
        """What service discovery calls the room; raises IqError where there is none."""
        discovery: Any = self._session.plugin["xep_0030"]
        answer = await discovery.get_info(jid=JID(room))
        return next(str(name) for _, _, _, name in answer["disco_info"]["identities"])

    def _shown_of_rooms(self) -> str:
        rooms = {str(room): self._muc.get_roster(room) for room in self._muc.get_joined_rooms()}
        return f"in rooms {rooms}, outside of {self._outside}, refused {self._refused}, said there {self._said}"

    @property
    def _muc(self) -> Any:
        return self._session.plugin["xep_0045"]

    def _listen_in_rooms(self, xmpp: ClientXMPP) -> None:
        def said(message: Message) -> None:
            self._said.append((message["from"].bare, message["from"].resource, message["body"]))

        def went(presence: Presence) -> None:
            codes = {status.get("code") for status in presence.xml.findall("{*}x/{*}status")}
            gone = presence["type"] == "unavailable" and "110" in codes and "303" not in codes
            if gone or presence.xml.find("{*}x/{*}destroy") is not None:
                self._outside.add(presence["from"].bare)

        def refused(presence: Presence) -> None:
            self._refused[presence["from"].bare] = presence["error"]["condition"]

        # The event for these is not raised for rooms.
        xmpp.register_handler(Callback("refusals", StanzaPath("presence@type=error"), refused))
        xmpp.add_event_handler("groupchat_message", said)
        xmpp.add_event_handler("groupchat_presence", went)

    def _forget(self, room: str) -> None:
        self._outside.discard(room)
        self._refused.pop(room, None)

    async def _until(self, what: str, so: Callable[[], bool]) -> None:
        async def look() -> bool:
            return so()

        await self.until(what, look)
