"""Gajim's library as a client, for `nbx.py`: orders come in as lines of JSON, what happens goes out as lines of JSON.

Run with Debian's own Python as `python3 nbx_worker.py PORT JID PASSWORD AUTHORITY`.
"""

import json
import sys

from gi.repository import Gio, GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol, ConnectionType
from nbxmpp.protocol import Message, Presence
from nbxmpp.structs import StanzaHandler

PORT, JID, PASSWORD, AUTHORITY = sys.argv[1:5]
USER, _, DOMAIN = JID.partition("@")
AGAIN = 500  # milliseconds until it connects again


def tell(event: str, **more: str) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


class Worker:
    def __init__(self) -> None:
        self.client = Client(log_context="worker")
        self.client.set_domain(DOMAIN)
        self.client.set_username(USER)
        self.client.set_password(PASSWORD)
        self.client.set_custom_host(f"{DOMAIN}:{PORT}", ConnectionProtocol.TCP, ConnectionType.START_TLS)
        self.client.set_connection_types([ConnectionType.START_TLS])
        self.client.subscribe("connected", self.is_online)
        self.client.subscribe("resume-successful", lambda *_: tell("resumed"))
        self.client.subscribe("resume-failed", lambda *_: tell("failed"))
        self.client.subscribe("disconnected", self.has_left)
        self.client.subscribe("connection-failed", self.has_left)
        self.client.register_handler(StanzaHandler(name="message", callback=self.hears))
        GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, self.is_told)

    def is_online(self, *_: object) -> None:
        self.client.send_stanza(Presence())
        tell("online", jid=str(self.client.get_bound_jid()))

    def hears(self, _client: object, _stanza: object, properties: object) -> None:
        if properties.body:  # type: ignore[attr-defined]
            tell("message", body=properties.body)  # type: ignore[attr-defined]

    def has_left(self, *_: object) -> None:
        tell("disconnect", resumable=str(self.client.resumeable), error=str(self.client.get_error()))
        GLib.timeout_add(AGAIN, self.client.connect)

    def is_told(self, *_: object) -> bool:
        order = json.loads(sys.stdin.readline())
        self.client.send_stanza(Message(to=order["to"], body=order["body"], typ="chat"))
        return True


if __name__ == "__main__":
    Gio.TlsBackend.get_default().set_default_database(Gio.TlsFileDatabase.new(AUTHORITY))
    worker = Worker()
    worker.client.connect()
    GLib.MainLoop().run()
