"""Runs Gajim on whatever display there is, and puts strings on it.

Run with Debian's own Python as `python3 -m ...gajim_worker FOLDER AUTHORITY`; `orders.py` says how it is told what
to do. What a person would do in a window is done by calling what the window calls.
"""

import os
import sys
from importlib import import_module
from typing import Any

from .gajim_files import Files
from .gajim_rooms import Rooms
from .orders import Orders

ACCOUNT = "account"


class Strings(Rooms, Files):
    """Obeys orders inside a running Gajim, and keeps what Gajim announced."""

    def __init__(self, authority: str) -> None:
        Rooms.__init__(self, ACCOUNT)
        Files.__init__(self, ACCOUNT)
        self._authority = authority
        self._heard: list[tuple[str, str]] = []
        self._asked: list[str] = []
        self._done: list[str] = []
        self._ready = False

    def log_in(self, jid: str, password: str, server: str, port: int, security: str) -> None:
        """Make the account if it is not there, set its server and password, and go online."""
        app, passwords = _gajim("app"), _gajim("passwords")
        self._listen()
        known = ACCOUNT in app.settings.get_accounts()
        if not known:
            user, _, host = jid.partition("@")
            app.app.create_account(ACCOUNT, user, host, password, None, None)
        settings = {"use_custom_host": True, "custom_host": server, "custom_port": port, "custom_type": security}
        for name, value in {**settings, "savepass": False}.items():
            app.settings.set_account_setting(ACCOUNT, name, value)
        passwords.save_password(ACCOUNT, password)
        if known:
            self._client.change_status("online", "")
        else:
            app.app.enable_account(ACCOUNT)

    def log_out(self) -> None:
        """Go offline."""
        self._client.change_status("offline", "")

    def add(self, jid: str) -> None:
        """What the assistant "Add Contact" does."""
        self._client.get_module("Presence").subscribe(self._jid(jid))

    def approve(self, jid: str) -> None:
        """What the notification's button does."""
        self._client.get_module("Presence").subscribed(self._jid(jid))

    def become(self, show: str, text: str) -> None:
        """Choose a status."""
        self._client.change_status(show, text)

    def say(self, jid: str, text: str) -> None:
        """Send what is in the entry."""
        message = _gajim("structs").OutgoingMessage(
            account=ACCOUNT, contact=self._contact(jid), message=text, type_="chat"
        )
        self._client.send_message(message)

    def rename(self, jid: str, name: str) -> None:
        """Edit the name in the contact's window."""
        groups = self._roster.get_item(self._jid(jid)).groups
        self._roster.set_item(self._jid(jid), name, groups)

    def regroup(self, jid: str, group: str) -> None:
        """Drag the contact into a group."""
        self._roster.set_groups(self._jid(jid), [group])

    def remove(self, jid: str) -> None:
        """Choose "Remove Contact"."""
        self._roster.delete_item(self._jid(jid))

    def change_password(self, password: str) -> None:
        """What the account's window does."""
        self._client.get_module("Register").change_password(password, callback=self._password_changed)

    def look(self) -> dict[str, Any]:
        """All that is on show."""
        there = self._ready and ACCOUNT in _gajim("app").connections
        return {
            "connected": there and self._client.state.is_available,
            "gone": not there or self._client.state.is_disconnected,
            "heard": self._heard,
            "asked": self._asked,
            "done": self._done,
            "files": self.done(),
            "windows": self._windows(),
            "contacts": self._contacts() if there else [],
            **(self.look_in_rooms() if there else {}),
        }

    def _listen(self) -> None:
        if self._ready:
            return
        ged, tls = _gajim("ged"), import_module("gi.repository.Gio")
        tls.TlsBackend.get_default().set_default_database(tls.TlsFileDatabase.new(self._authority))
        handlers = {"message-received": self._hear, "subscribe-presence-received": self._ask}
        handlers["gc-message-received"] = self.hear_in
        for event, handler in handlers.items():
            _gajim("app").ged.register_event_handler(event, ged.POSTGUI, handler)
        self._ready = True

    def _hear(self, event: Any) -> None:
        self._heard.append((str(event.jid), event.msgtxt))

    def _ask(self, event: Any) -> None:
        self._asked.append(str(event.jid))

    def _password_changed(self, task: Any) -> None:
        task.finish()
        self._done.append("password changed")

    def _windows(self) -> list[str]:
        gtk = import_module("gi.repository.Gtk")
        return [type(window).__name__ for window in gtk.Window.list_toplevels() if window.get_visible()]

    def _contacts(self) -> list[dict[str, str]]:
        return [
            {"jid": str(jid), "name": item.name or "", "group": group, "show": self._contact(jid).show.value}
            for jid, item in self._roster.iter()
            for group in item.groups or [""]
        ]

    @property
    def _roster(self) -> Any:
        return self._client.get_module("Roster")

    def _contact(self, jid: Any) -> Any:
        return self._client.get_module("Contacts").get_contact(jid)


def _gajim(name: str) -> Any:
    """A module of Gajim's, which exists only for Debian's Python and only once Gajim has set itself up."""
    return import_module(f"gajim.common.{name}")


def main() -> None:
    """Run Gajim until stdin closes."""
    orders = Orders()
    folder, authority = sys.argv[1:]
    sys.argv = ["gajim", "--config-path", folder]
    # Gajim refuses to run as root, whose files it could spoil; here it has a folder of its own.
    os.geteuid = lambda: 65534
    gajim, glib = import_module("gajim.gajim"), import_module("gi.repository.GLib")
    strings = Strings(authority)

    def ordered(_descriptor: int, _condition: int) -> bool:
        orders.read(strings)
        return True

    glib.unix_fd_add_full(glib.PRIORITY_DEFAULT, 0, glib.IOCondition.IN | glib.IOCondition.HUP, ordered)
    gajim.main()


if __name__ == "__main__":
    main()
