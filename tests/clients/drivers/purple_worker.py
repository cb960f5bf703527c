"""Runs libpurple without a face: orders come in on stdin, answers go out on stdout, one JSON value a line.

Run as `python -m ...purple_worker FOLDER CERTIFICATES`; `orders.py` says how it is told what to do.
"""

import ctypes
import sys
from ctypes import byref, c_void_p, cast
from typing import Any

from . import purple_abi as abi
from .orders import Orders
from .purple_loop import BROKEN, IN, Loop
from .purple_rooms import Rooms

UI = b"xmppd-tests"
IM = 1
PRIMITIVES = {"online": 2, "dnd": 3, "away": 5, "xa": 6}
SHOWS = {
    "available": "online",
    "freeforchat": "chat",
    "away": "away",
    "extended_away": "xa",
    "dnd": "dnd",
    "offline": "offline",
}


class Face:
    """What stands where Pidgin's windows would: it keeps all that libpurple wants shown, and does as it is told."""

    def __init__(self, folder: str, certificates: str) -> None:
        self.glib, self.purple = abi.load()
        self._kept: list[Any] = []
        self._asked: dict[str, tuple[Any, int]] = {}
        self._heard: list[tuple[str, str]] = []
        self._boxes: list[str] = []
        self._errors: list[tuple[int, str]] = []
        self._new_password = b""
        self._unlocked: list[str] = []
        self._rooms = Rooms(self.glib, self.purple)
        self._account: c_void_p | None = None
        self.purple.purple_util_set_user_dir(folder.encode())
        self.purple.purple_debug_set_enabled(1)
        self.loop = Loop(self.glib)
        self.loop.serve(self.purple)
        self.purple.purple_plugins_add_search_path(b"")
        if not self.purple.purple_core_init(UI):
            raise RuntimeError("libpurple did not start")
        self.purple.purple_certificate_add_ca_search_path(certificates.encode())
        self.purple.purple_set_blist(self.purple.purple_blist_new())
        self.purple.purple_blist_load()
        self._show_everything()

    # What the test orders

    def log_in(self, jid: str, password: str, server: str, port: int, security: str, bosh: str = "") -> None:
        """Enable the account with these settings; `security` is require_tls or old_ssl, `bosh` a URL to go by."""
        purple = self.purple
        if self._account is None:
            self._account = purple.purple_account_new(jid.encode(), b"prpl-jabber")
            purple.purple_accounts_add(self._account)
            purple.purple_account_set_remember_password(self._account, 1)
        account = self._account
        self._errors.clear()
        purple.purple_account_set_enabled(account, UI, 0)
        purple.purple_account_set_password(account, password.encode())
        purple.purple_account_set_string(account, b"connect_server", server.encode())
        purple.purple_account_set_int(account, b"port", port)
        purple.purple_account_set_string(account, b"connection_security", security.encode())
        purple.purple_account_set_string(account, b"bosh_url", bosh.encode())
        purple.purple_account_set_enabled(account, UI, 1)
        self.become("online", "")

    def log_out(self) -> None:
        """Disable the account."""
        self.purple.purple_account_set_enabled(self._account, UI, 0)

    def add(self, jid: str) -> None:
        """What the dialogue "Add Buddy" does."""
        buddy = self.purple.purple_find_buddy(self._account, jid.encode())
        if not buddy:
            buddy = self.purple.purple_buddy_new(self._account, jid.encode(), None)
            self.purple.purple_blist_add_buddy(buddy, None, self._group("Buddies"), None)
        self.purple.purple_account_add_buddy(self._account, buddy)

    def approve(self, jid: str) -> None:
        """Press "Authorize"."""
        answer, user_data = self._asked.pop(jid)
        answer(user_data)

    def become(self, show: str, text: str) -> None:
        """Choose a status from the menu."""
        status = self.purple.purple_savedstatus_new(None, PRIMITIVES[show])
        self.purple.purple_savedstatus_set_message(status, text.encode())
        self.purple.purple_savedstatus_activate(status)

    def say(self, jid: str, text: str) -> None:
        """Type into the conversation's window."""
        purple = self.purple
        conversation = purple.purple_find_conversation_with_account(IM, jid.encode(), self._account)
        conversation = conversation or purple.purple_conversation_new(IM, self._account, jid.encode())
        markup = purple.purple_markup_escape_text(text.encode(), -1)
        purple.purple_conv_im_send(purple.purple_conversation_get_im_data(conversation), markup)

    def rename(self, jid: str, name: str) -> None:
        """Choose "Alias..."."""
        buddy = self.purple.purple_find_buddy(self._account, jid.encode())
        self.purple.purple_blist_alias_buddy(buddy, name.encode())
        self.purple.serv_alias_buddy(buddy)

    def regroup(self, jid: str, group: str) -> None:
        """Drag the buddy into a group."""
        buddy = self.purple.purple_find_buddy(self._account, jid.encode())
        self.purple.purple_blist_add_buddy(buddy, None, self._group(group), None)

    def remove(self, jid: str) -> None:
        """Choose "Remove"."""
        buddy = self.purple.purple_find_buddy(self._account, jid.encode())
        self.purple.purple_account_remove_buddy(self._account, buddy, self.purple.purple_buddy_get_group(buddy))
        self.purple.purple_blist_remove_buddy(buddy)

    def found(self, room: str, nick: str) -> None:
        """Join a room that is not there; `_ask` accepts what it is asked then."""
        self.enter(room, nick)

    def enter(self, room: str, nick: str) -> None:
        """What the dialogue "Join a Chat" does."""
        self._rooms.join(self._account, room, nick)

    def leave(self, room: str) -> None:
        """Type `/part`."""
        self._rooms.command(self._account, room, "part")

    def say_in(self, room: str, text: str) -> None:
        """Type into the room's window."""
        self._rooms.say(self._account, room, text)

    def call_me(self, room: str, nick: str) -> None:
        """Type `/nick`."""
        self._rooms.command(self._account, room, f"nick {nick}")

    def kick(self, room: str, nick: str) -> None:
        """Type `/kick`."""
        self._rooms.command(self._account, room, f"kick {nick}")

    def ban(self, room: str, jid: str) -> None:
        """Type `/ban`."""
        self._rooms.command(self._account, room, f"ban {jid}")

    def configure(self, room: str, title: str) -> None:
        """Type `/config`; the form that opens is filled in at once."""
        self._rooms.answers = {"muc#roomconfig_roomname": title, "muc#roomconfig_persistentroom": "1"}
        self._rooms.command(self._account, room, "config")

    def menu(self) -> list[str]:
        """The entries of the account's menu; they come and go with what the server offers."""
        return list(self._menu())

    def change_password(self, password: str) -> None:
        """Choose "Change Password..." from the account's menu; the dialogue that opens is filled in at once."""
        self._new_password = password.encode()
        entry = self._menu()["Change Password..."]
        abi.Answer(entry.callback)(ctypes.addressof(entry))

    def look(self) -> dict[str, Any]:
        """All that is on show."""
        connected = bool(self._account and self.purple.purple_account_is_connected(self._account))
        return {
            "connected": connected,
            "gone": not connected,
            "errors": self._errors,
            "heard": self._heard,
            "asked": list(self._asked),
            "boxes": self._boxes,
            "contacts": self._contacts() if self._account else [],
            "rooms": self._rooms.look(self._account) if self._account else {},
            "said": self._rooms.said,
            "unlocked": self._unlocked,
            "kept_out": [
                box.partition("/")[0].removeprefix("Error joining chat ") for box in self._boxes if "Forbidden" in box
            ],
        }

    # What libpurple asks of its user interface

    def _show_everything(self) -> None:
        purple, keep = self.purple, self._keep
        accounts = keep(abi.AccountUiOps(request_authorize=abi.RequestAuthorize(self._authorize)))
        requests = abi.RequestUiOps(
            request_action=abi.RequestAction(self._ask), request_fields=abi.RequestFields(self._fill)
        )
        notices = keep(abi.NotifyUiOps(notify_message=abi.NotifyMessage(self._notify)))
        purple.purple_accounts_set_ui_ops(byref(accounts))
        purple.purple_request_set_ui_ops(byref(keep(requests)))
        purple.purple_notify_set_ui_ops(byref(notices))
        self._signal(purple.purple_connections_get_handle(), b"connection-error", abi.ConnectionError(self._broke))
        self._signal(purple.purple_conversations_get_handle(), b"received-im-msg", abi.ReceivedMessage(self._hear))
        self._signal(purple.purple_conversations_get_handle(), b"received-chat-msg", self._rooms.hear)

    def _signal(self, instance: int, name: bytes, function: Any) -> None:
        handle = id(self)
        self.purple.purple_signal_connect(instance, name, handle, cast(self._keep(function), c_void_p), None, None)

    def _authorize(self, account: int, jid: bytes, *rest: Any) -> int:
        yes, user_data = rest[4], rest[6]
        self._asked[_bare(jid)] = (abi.Answer(yes), user_data)
        return 1

    def _ask(self, title: bytes, primary: bytes, secondary: bytes, _default: int, *rest: Any) -> int:
        if title == b"Create New Room":
            # What its button "Accept Defaults" does.
            abi.protocol().jabber_chat_create_instant_room(rest[3])
            self._unlocked.append(self._rooms.last)
        return self._notify(0, title, primary, secondary)

    def _fill(self, title: bytes, primary: bytes, secondary: bytes, fields: int, _ok: int, yes: int, *rest: Any) -> int:
        if self._rooms.is_form(fields):
            self._rooms.fill(fields)
            abi.FieldsAnswer(yes)(rest[-1], fields)
            return 1
        if not self.purple.purple_request_fields_exists(fields, b"password1"):
            return self._notify(0, title, primary, secondary)
        for name in (b"password1", b"password2"):
            field = self.purple.purple_request_fields_get_field(fields, name)
            self.purple.purple_request_field_string_set_value(field, self._new_password)
        abi.FieldsAnswer(yes)(rest[-1], fields)
        return 1

    def _notify(self, _kind: int, *texts: bytes | None) -> int:
        self._boxes.append(" | ".join(text.decode() for text in texts if text))
        return 1

    def _broke(self, _connection: int, reason: int, text: bytes) -> None:
        self._errors.append((reason, text.decode()))

    def _hear(self, _account: int, sender: bytes, markup: bytes, _conversation: int, _flags: int) -> None:
        self._heard.append((_bare(sender), self.purple.purple_markup_strip_html(markup).decode()))

    def _contacts(self) -> list[dict[str, str]]:
        buddies = self.purple.purple_find_buddies(self._account, None)
        places = range(self.glib.g_slist_length(buddies))
        return [self._contact(self.glib.g_slist_nth_data(buddies, place)) for place in places]

    def _contact(self, buddy: int) -> dict[str, str]:
        purple = self.purple
        status = purple.purple_presence_get_active_status(purple.purple_buddy_get_presence(buddy))
        return {
            "jid": purple.purple_buddy_get_name(buddy).decode(),
            "name": (purple.purple_buddy_get_alias_only(buddy) or b"").decode(),
            "group": purple.purple_group_get_name(purple.purple_buddy_get_group(buddy)).decode(),
            "show": SHOWS[purple.purple_status_get_id(status).decode()],
        }

    def _menu(self) -> dict[str, abi.PluginAction]:
        connection = self.purple.purple_account_get_connection(self._account)
        plugin = self.purple.purple_connection_get_prpl(connection)
        listed = abi.protocol().jabber_actions(plugin, connection)
        places = range(self.glib.g_list_length(listed))
        found = [abi.PluginAction.from_address(self.glib.g_list_nth_data(listed, place)) for place in places]
        for entry in found:
            entry.plugin, entry.context = plugin, connection
        return {entry.label.decode(): entry for entry in found}

    def _group(self, name: str) -> int:
        group = self.purple.purple_find_group(name.encode())
        if not group:
            group = self.purple.purple_group_new(name.encode())
            self.purple.purple_blist_add_group(group, None)
        return int(group)

    def _keep(self, thing: Any) -> Any:
        """C holds an address of it: Python must not free it."""
        self._kept.append(thing)
        return thing


def _bare(jid: bytes) -> str:
    return jid.decode().partition("/")[0]


def main() -> None:
    """Obey until stdin closes."""
    orders = Orders()
    face = Face(*sys.argv[1:])

    def ordered(_descriptor: int, _happened: int, _user_data: int) -> int:
        orders.read(face)
        return 1

    face.loop.watch(0, IN | BROKEN, ordered)
    face.loop.run()


if __name__ == "__main__":
    main()
