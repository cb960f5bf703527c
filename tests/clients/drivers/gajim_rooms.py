"""What Gajim's worker does in rooms, by calling what its windows call."""

from importlib import import_module
from typing import Any

OPEN = {"muc#roomconfig_membersonly": False, "muc#roomconfig_persistentroom": False}
"""What Gajim's dialogue for a new room has that the test's rooms have not: its own are for members."""


class Rooms:
    """The rooms of one account."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.said: list[tuple[str, str, str]] = []
        self._entered: set[str] = set()
        self._title = ""

    def found(self, room: str, nick: str) -> None:
        """What the dialogue "Create Group Chat" does; a new room gets the account's nick."""
        import_module("gajim.common.app").nicks[self._account] = nick
        self._entered.add(room)
        self._muc.create(room, OPEN)

    def enter(self, room: str, nick: str) -> None:
        """What the dialogue "Join Group Chat" does."""
        self._entered.add(room)
        self._muc.join(room, nick)

    def leave(self, room: str) -> None:
        """Close the room's window."""
        self._muc.leave(room)

    def say_in(self, room: str, text: str) -> None:
        """Send what is in the entry."""
        structs = import_module("gajim.common.structs")
        message = structs.OutgoingMessage(
            account=self._account, contact=self._room(room), message=text, type_="groupchat"
        )
        self._client.send_message(message)

    def call_me(self, room: str, nick: str) -> None:
        """Choose "Change Nickname"."""
        self._muc.change_nick(room, nick)

    def kick(self, room: str, nick: str) -> None:
        """Choose "Kick"."""
        self._muc.set_role(self._jid(room), nick, "none")

    def ban(self, room: str, jid: str) -> None:
        """Choose "Ban"."""
        self._muc.set_affiliation(self._jid(room), {self._jid(jid): {"affiliation": "outcast"}})

    def configure(self, room: str, title: str) -> None:
        """What the window of settings does: fetch the form, fill it in, send it."""
        self._title = title
        # Gajim forgets a callback that is not a method.
        self._muc.request_config(self._jid(room), callback=self._fill)

    def _fill(self, task: Any) -> None:
        result = task.finish()
        result.form["muc#roomconfig_roomname"].value = self._title
        result.form["muc#roomconfig_persistentroom"].value = True
        self._muc.set_config(result.jid, result.form)

    def destroy(self, room: str) -> None:
        """Choose "Destroy"."""
        self._muc.destroy(self._jid(room))

    def hear_in(self, event: Any) -> None:
        """What Gajim announces of a message."""
        self.said.append((str(event.room_jid), event.resource or "", event.msgtxt))

    def look_in_rooms(self) -> dict[str, Any]:
        """All that is on show."""
        rooms = {room: self._room(room) for room in self._entered}
        problems = {room: self._muc.get_muc_data(room) for room in self._entered}
        inside = [room for room, contact in rooms.items() if contact.is_joined]
        return {
            "rooms": {
                room: contact.get_user_nicknames() if room in inside else None for room, contact in rooms.items()
            },
            "unlocked": inside,
            "said": self.said,
            "kept_out": [
                room for room, known in problems.items() if known is not None and known.error == "join-failed"
            ],
        }

    @property
    def _client(self) -> Any:
        return import_module("gajim.common.app").get_client(self._account)

    @property
    def _muc(self) -> Any:
        return self._client.get_module("MUC")

    def _room(self, room: str) -> Any:
        return self._client.get_module("Contacts").get_contact(room, groupchat=True)

    def _jid(self, jid: str) -> Any:
        return import_module("nbxmpp.protocol").JID.from_string(jid)
