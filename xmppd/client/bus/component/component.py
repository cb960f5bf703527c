"""The component: connects, connects again, and brings each stanza to its room."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Self

from slixmpp import ComponentXMPP

from xmppd.client.bus.backoff import Backoff
from xmppd.client.bus.invalidation import Invalidation

from .posting import Posting
from .reception import IQ, MESSAGE, PRESENCE, Reception
from .room import Room
from .settings import ComponentSettings

if TYPE_CHECKING:
    from slixmpp.xmlstream import StanzaBase

log = logging.getLogger(__name__)
BEAT: Final = 3.0  # seconds after something was published over HTTP


class Component:
    """Serves rooms under its own domain of a server that exists already; `async with` starts and ends it."""

    def __init__(self, settings: ComponentSettings) -> None:
        self.settings = settings
        self._reception = Reception(settings, self._send)
        self.connected = asyncio.Event()
        self._link: ComponentXMPP | None = None
        self._task: asyncio.Task[None] | None = None
        self._posting = Posting(settings, self.publish) if settings.http else None
        self._beats: dict[str, asyncio.TimerHandle] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def rooms(self) -> dict[str, Room]:
        """By name."""
        return self._reception.rooms

    @property
    def http_port(self) -> int:
        """Where it takes POST requests; 0 where it does not."""
        return self._posting.port if self._posting else 0

    async def start(self) -> None:
        """Open the HTTP door and begin to connect."""
        if self._posting is not None:
            await self._posting.start()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End all."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for timer in self._beats.values():
            timer.cancel()
        if self._posting is not None:
            await self._posting.close()

    def publish(self, name: str, what: Invalidation) -> bool:
        """Say it in the room; False where there is no such room and may be none, or no server to say it to."""
        room = self._reception.room(name)
        if room is None or not self.connected.is_set():
            return False
        room.publish(what)
        if name not in self._beats:
            self._beats[name] = asyncio.get_running_loop().call_later(BEAT, self._beat, name)
        return True

    def _beat(self, name: str) -> None:
        del self._beats[name]
        if name in self.rooms:
            self.rooms[name].beat()

    async def _run(self) -> None:
        backoff = Backoff(15.0)
        while True:
            await self._stay(backoff)
            await asyncio.sleep(backoff.next())

    async def _stay(self, backoff: Backoff) -> None:
        """One connection, from its beginning to its end."""
        settings = self.settings
        link = ComponentXMPP(settings.domain, settings.secret, settings.host, settings.port)  # type: ignore[no-untyped-call]
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        link.add_filter("in", self._take)
        link.add_event_handler("session_start", lambda _: self.connected.set())
        for event in ("disconnected", "reconnect_delay"):
            link.add_event_handler(event, lambda _: ended.done() or ended.set_result(None))  # type: ignore[func-returns-value]
        self._link = link
        link.connect(settings.host, settings.port)
        try:
            await ended
            log.warning("%s: no connection to %s:%s; trying again", settings.domain, settings.host, settings.port)
        finally:
            link.cancel_connection_attempt()
            if self.connected.is_set():
                backoff.reset()
            self._lost()
            try:
                if link.transport is not None:
                    await link.disconnect(wait=1.0)
            finally:
                link.abort()

    def _lost(self) -> None:
        self._link = None
        self.connected.clear()
        for room in self.rooms.values():
            room.forget()

    def _send(self, stanzas: str) -> None:
        if self._link is not None and self._link.transport is not None:
            self._link.send_raw(stanzas)

    def _take(self, stanza: StanzaBase) -> StanzaBase | None:
        """Nothing of it concerns slixmpp, but for the handshake."""
        if stanza.xml.tag not in (MESSAGE, PRESENCE, IQ):
            return stanza
        self._reception.take(stanza.xml)
        return None
