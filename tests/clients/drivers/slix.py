"""Drives slixmpp, a library for clients, inside the test's own event loop."""

import asyncio
import importlib.util
import ssl
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from slixmpp import JID, ClientXMPP
from slixmpp.stanza import Message, Presence

from .base import Access
from .slix_rooms import SlixRooms

_SHOWS = {"": "online", "chat": "chat", "away": "away", "xa": "xa", "dnd": "dnd"}


class Slix(SlixRooms):
    """A slixmpp session, with a new ClientXMPP for each login."""

    name = "slixmpp"

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._heard: list[tuple[str, str]] = []
        self._asked: set[str] = set()
        self._events: list[str] = []
        self._xmpp: ClientXMPP | None = None

    @classmethod
    def missing(cls) -> str:
        """It is one of the project's own dependencies."""
        return "" if importlib.util.find_spec("slixmpp") else "not installed: pip install slixmpp"

    async def starts(self) -> None:
        """Nothing runs before a login."""

    async def closes(self) -> None:
        """Close the stream if there is one."""
        if self._xmpp is not None and self._xmpp.is_connected():
            await self._xmpp.disconnect()

    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Connect a new ClientXMPP."""
        self._events.clear()
        xmpp = self._xmpp = ClientXMPP(JID(self.jid), password)
        xmpp.ca_certs = self.access.authority
        xmpp.enable_direct_tls, xmpp.enable_starttls, xmpp.enable_plaintext = direct_tls, not direct_tls, False
        xmpp.auto_authorize, xmpp.auto_subscribe = None, False
        for plugin in ("xep_0030", "xep_0045", "xep_0077", "xep_0199"):
            xmpp.register_plugin(plugin)
        xmpp.register_plugin("xep_0047", {"auto_accept": True})
        self._listen(xmpp)
        self._listen_in_rooms(xmpp)
        port = self.access.direct_tls_port if direct_tls else self.access.starttls_port
        xmpp.connect(self.access.host, port)

    async def is_logged_in(self) -> None:
        """The roster has come and presence was sent, over TLS."""
        await self._until_event("logged in", "session_start")
        assert self._session.get_ssl_context().verify_mode == ssl.CERT_REQUIRED
        await _asked(self._session.get_roster())
        self._session.send_presence()

    async def is_refused(self) -> None:
        """SASL failed."""
        await self._until_event("been refused", "failed_all_auth")

    async def distrusts_the_certificate(self) -> None:
        """The handshake failed for it."""
        await self._until_event("doubted the certificate", "ssl_invalid_chain")

    async def logs_out(self) -> None:
        """Close the stream and wait for the server to do the same."""
        await self._session.disconnect()

    async def adds(self, jid: str) -> None:
        """Send a roster set and a subscription request."""
        await _asked(self._session.update_roster(JID(jid)))
        self._session.send_presence_subscription(pto=JID(jid))

    async def is_asked_by(self, jid: str) -> None:
        """A subscription request came."""

        async def look() -> bool:
            return jid in self._asked

        await self.until(f"been asked by {jid}", look)

    async def approves(self, jid: str) -> None:
        """Send `subscribed`."""
        self._session.send_presence_subscription(pto=JID(jid), ptype="subscribed")

    async def becomes(self, show: str, text: str = "") -> None:
        """Send presence."""
        self._session.send_presence(pshow="" if show == "online" else show, pstatus=text)

    async def sees(self, jid: str, show: str) -> None:
        """The presences of the contact's resources say so."""

        async def look() -> bool:
            resources = self._session.client_roster[jid].resources.values()
            shows = {_SHOWS[resource["show"]] for resource in resources} or {"offline"}
            return show in shows

        await self.until(f"seen {jid} as {show}", look)

    async def says(self, jid: str, text: str) -> None:
        """Send a message of type chat."""
        self._session.send_message(mto=JID(jid), mbody=text, mtype="chat")

    async def hears(self, jid: str, text: str) -> None:
        """A message of type chat came."""

        async def look() -> bool:
            return (jid, text) in self._heard

        await self.until(f"heard {text!r} from {jid}", look)

    async def renames(self, jid: str, name: str) -> None:
        """Send a roster set."""
        await _asked(
            self._session.update_roster(JID(jid), name=name, groups=self._session.client_roster[jid]["groups"])
        )

    async def regroups(self, jid: str, group: str) -> None:
        """Send a roster set."""
        await _asked(
            self._session.update_roster(JID(jid), name=self._session.client_roster[jid]["name"], groups=[group])
        )

    async def lists(self, jid: str, name: str, group: str) -> None:
        """The roster, as got and pushed, says so."""

        async def look() -> bool:
            item = self._session.client_roster[jid]
            return bool(item["name"] == name and group in item["groups"])

        await self.until(f"listed {jid} as {name} in {group}", look)

    async def removes(self, jid: str) -> None:
        """Send a roster set with subscription remove."""
        await _asked(self._session.update_roster(JID(jid), subscription="remove"))

    async def lacks(self, jid: str) -> None:
        """The roster, as pushed, says so; a late presence of the contact's may have made an empty item again."""

        async def look() -> bool:
            return self._session.client_roster[jid]["subscription"] in ("none", "remove")

        await self.until(f"lost {jid}", look)

    async def changes_password(self, password: str) -> None:
        """Send XEP-0077's password change and wait for its result."""
        registration: Any = self._session.plugin["xep_0077"]
        await registration.change_password(password)

    @property
    def address(self) -> str:
        """The full JID of the session."""
        return str(self._session.boundjid)

    async def receives_file(self, sid: str, path: Path) -> None:
        """Write what comes in a stream of blocks, and wait until it is closed."""
        with path.open("wb") as file:
            self._session.add_event_handler("ibb_stream_data", lambda stream: file.write(stream.read()))
            closed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._session.add_event_handler("ibb_stream_end", closed.set_result, disposable=True)
            assert (await closed).sid == sid

    async def shown(self) -> str:
        """Everything that happened to it."""
        return f"events {self._events}, heard {self._heard}, asked by {self._asked}; {self._shown_of_rooms()}"

    @property
    def _session(self) -> ClientXMPP:
        assert self._xmpp is not None, f"{self} never tried to log in"
        return self._xmpp

    def _listen(self, xmpp: ClientXMPP) -> None:
        def heard(message: Message) -> None:
            if message["type"] == "chat":
                self._heard.append((message["from"].bare, message["body"]))

        def asked(presence: Presence) -> None:
            self._asked.add(presence["from"].bare)

        xmpp.add_event_handler("message", heard)
        xmpp.add_event_handler("presence_subscribe", asked)
        for event in ("session_start", "failed_all_auth", "ssl_invalid_chain", "disconnected", "connection_failed"):
            xmpp.add_event_handler(event, lambda _, event=event: self._events.append(event))

    async def _until_event(self, what: str, event: str) -> None:
        async def look() -> bool:
            return event in self._events

        await self.until(what, look)


async def _asked(answer: Awaitable[object] | None) -> None:
    """Wait for an answer; slixmpp gives none where it was handed a callback, which we never do."""
    assert answer is not None
    await answer
