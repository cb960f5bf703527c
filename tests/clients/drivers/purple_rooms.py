"""What libpurple's worker does in rooms: joining by the protocol's components, the rest by what one types after `/`."""

from ctypes import byref, c_void_p
from typing import Any

from . import purple_abi as abi

CHAT = 2
BOOLEAN = 3
"""What libpurple calls a conversation in a room, and a field that is ticked."""


class Rooms:
    """The rooms of one account. `keep` says that C holds an address of something."""

    def __init__(self, glib: Any, purple: Any) -> None:
        self.glib, self.purple = glib, purple
        self.said: list[tuple[str, str, str]] = []
        self.hear = abi.ReceivedMessage(self._hear)
        self.answers: dict[str, str] = {}
        self.last = ""
        self._entered: set[str] = set()

    def join(self, account: Any, room: str, nick: str) -> None:
        """What the dialogue "Join a Chat" does."""
        connection = self.purple.purple_account_get_connection(account)
        components = abi.protocol().jabber_chat_info_defaults(connection, room.encode())
        self.glib.g_hash_table_replace(components, *(self.glib.g_strdup(word) for word in (b"handle", nick.encode())))
        self.last = room
        self._entered.add(room)
        self.purple.serv_join_chat(connection, components)

    def say(self, account: Any, room: str, text: str) -> None:
        """Type into the conversation's window."""
        markup = self.purple.purple_markup_escape_text(text.encode(), -1)
        self.purple.purple_conv_chat_send(self._chat(account, room), markup)

    def command(self, account: Any, room: str, line: str) -> None:
        """Type a command. Raises RuntimeError where libpurple does not take it."""
        problem = c_void_p()
        text = line.encode()
        status = self.purple.purple_cmd_do_command(self._conversation(account, room), text, text, byref(problem))
        if status:
            raise RuntimeError(f"/{line}: status {status}")

    def look(self, account: Any) -> dict[str, Any]:
        """Who is in which room, as far as we are; None for a room we are out of."""
        return {room: self._nicks(account, room) for room in self._entered}

    def fill(self, fields: int) -> None:
        """Fill in the form of a room with the answers."""
        purple = self.purple
        for name, answer in self.answers.items():
            field = purple.purple_request_fields_get_field(fields, name.encode())
            if purple.purple_request_field_get_type(field) == BOOLEAN:
                purple.purple_request_field_bool_set_value(field, answer == "1")
            else:
                purple.purple_request_field_string_set_value(field, answer.encode())

    def is_form(self, fields: int) -> bool:
        """Whether these are the fields of a room's form."""
        return bool(self.answers) and all(
            self.purple.purple_request_fields_exists(fields, name.encode()) for name in self.answers
        )

    def _nicks(self, account: Any, room: str) -> list[str] | None:
        if not self._conversation(account, room):
            return None
        chat = self._chat(account, room)
        if self.purple.purple_conv_chat_has_left(chat):
            return None
        listed = self.purple.purple_conv_chat_get_users(chat)
        people = (self.glib.g_list_nth_data(listed, place) for place in range(self.glib.g_list_length(listed)))
        return [self.purple.purple_conv_chat_cb_get_name(person).decode() for person in people]

    def _hear(self, _account: int, sender: bytes, markup: bytes, conversation: int, _flags: int) -> None:
        room = self.purple.purple_conversation_get_name(conversation).decode()
        self.said.append((room, sender.decode(), self.purple.purple_markup_strip_html(markup).decode()))

    def _conversation(self, account: Any, room: str) -> Any:
        return self.purple.purple_find_conversation_with_account(CHAT, room.encode(), account)

    def _chat(self, account: Any, room: str) -> Any:
        return self.purple.purple_conversation_get_chat_data(self._conversation(account, room))
