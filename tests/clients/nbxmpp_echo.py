"""Gajim's library in a WebSocket: answers what it hears in capitals, until it hears "bye".

Run with Debian's own Python as `python3 nbxmpp_echo.py URL JID PASSWORD`; says what happens as lines of JSON.
"""

import json
import sys

from gi.repository import GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol, ConnectionType
from nbxmpp.protocol import Message, Presence
from nbxmpp.structs import StanzaHandler

URL, JID, PASSWORD = sys.argv[1:4]
USER, _, DOMAIN = JID.partition("@")


def say(event: str, text: str = "") -> None:
    print(json.dumps({"event": event, "text": text}), flush=True)


class Echo:
    def __init__(self) -> None:
        self.loop = GLib.MainLoop()
        self.client = Client(log_context="echo")
        self.client.set_domain(DOMAIN)
        self.client.set_username(USER)
        self.client.set_password(PASSWORD)
        self.client.set_custom_host(URL, ConnectionProtocol.WEBSOCKET, ConnectionType.PLAIN)
        self.client.set_connection_types([ConnectionType.PLAIN])
        self.client.subscribe("login-successful", self.binds)
        self.client.subscribe("connected", self.is_online)
        self.client.subscribe("disconnected", self.has_left)
        self.client.subscribe("connection-failed", self.has_left)
        self.client.register_handler(StanzaHandler(name="message", callback=self.hears))

    def binds(self, *_: object) -> None:
        """It goes on by itself."""

    def is_online(self, *_: object) -> None:
        say("online", str(self.client.get_bound_jid()))
        self.client.send_stanza(Presence())

    def hears(self, _client: object, stanza: object, properties: object) -> None:
        text = properties.body  # type: ignore[attr-defined]
        if text == "bye":
            self.client.disconnect()
        elif text:
            self.client.send_stanza(Message(to=properties.jid, body=text.upper(), typ="chat"))  # type: ignore[attr-defined]

    def has_left(self, *_: object) -> None:
        error = self.client.get_error()
        say("left", "" if error is None or error[0].name == "STREAM" else str(error))
        self.loop.quit()


if __name__ == "__main__":
    echo = Echo()
    echo.client.connect()
    echo.loop.run()
