"""One connection of a member to its server. A lost one is thrown away, so nothing of it can leak into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree.ElementTree import Element

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout

from .errors import BusRefused, LinkLost
from .options import Settings

if TYPE_CHECKING:
    from slixmpp.stanza import Iq
    from slixmpp.xmlstream import StanzaBase

T = TypeVar("T")
_ENDS = (
    ("reconnect_delay", "nobody answers at the server's address"),
    ("disconnected", "the connection ended"),
    ("stream_error", "the server closed the stream"),
)
_REFUSALS = (
    ("failed_all_auth", "not-authorized", "the server does not take the password"),
    ("no_auth", "not-authorized", "the server offers no way to log in; without TLS, it may need plaintext=True"),
    ("ssl_invalid_chain", "not-authorized", "the server's certificate is not trusted; see ca_certs"),
)


class Link(ClientXMPP):
    """A session. `take` gets each message and presence; what it answers with True concerns nobody else."""

    def __init__(self, settings: Settings, resource: str, take: Callable[[Element], bool]) -> None:
        super().__init__(JID(f"{JID(settings.jid).bare}/{resource}"), settings.password)
        self._settings = settings
        self._take = take
        self._begun: asyncio.Future[BusRefused | None] = self.loop.create_future()
        self.lost: asyncio.Future[str] = self.loop.create_future()
        self.conflict = False
        self._attempt: asyncio.Future[Any] | None = None
        self._choose_security()
        self.add_filter("in", self._hear)
        self.add_event_handler("session_start", lambda _: self._begin(None))
        self.add_event_handler("stream_error", self._stream_error)
        for event, why in _ENDS:
            self.add_event_handler(event, lambda _, why=why: self.end(why))
        for event, condition, text in _REFUSALS:
            refusal = BusRefused(condition, text)
            self.add_event_handler(event, lambda _, refusal=refusal: self._begin(refusal))

    def _choose_security(self) -> None:
        if self._settings.ca_certs:
            self.ca_certs = self._settings.ca_certs  # type: ignore[assignment]
        if self._settings.plaintext:
            self.enable_direct_tls, self.enable_starttls, self.enable_plaintext = False, False, True
            plugins: Any = self.plugin
            plugins["feature_mechanisms"].unencrypted_scram = True

    async def open(self) -> None:
        """Begin a session. LinkLost or BusRefused where there is none within `patience`."""
        where = self._settings.host or None
        self._attempt = self.connect(where, self._settings.port if where else None)
        try:
            async with asyncio.timeout(self._settings.patience):
                refusal = await self.before_lost(self._begun)
        except TimeoutError:
            raise LinkLost("the server did not begin a session in time") from None
        if refusal is not None:
            raise refusal

    async def before_lost(self, work: asyncio.Future[T]) -> T:
        """Wait for something that comes over this connection; LinkLost where the connection ends before."""
        either: set[asyncio.Future[Any]] = {work, self.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        work.cancel()
        raise LinkLost(self.lost.result())

    async def ask(self, iq: Iq) -> Iq | None:
        """Send a request; None for an error in answer, LinkLost for silence."""
        try:
            answer: asyncio.Future[Iq] = iq.send(timeout=self._settings.patience)  # type: ignore[no-untyped-call]
            return await self.before_lost(answer)
        except IqError:
            return None
        except IqTimeout:
            raise LinkLost("a request was not answered") from None

    def say(self, text: str) -> None:
        """Send a stanza, unless the connection has ended."""
        if self.transport is not None and not self.lost.done():
            self.send_raw(text)

    def end(self, why: str) -> None:
        """Nothing more will come over this connection."""
        if not self.lost.done():
            self.lost.set_result(why)

    async def shut(self) -> None:
        """Say goodbye where that is possible, and leave nothing behind."""
        polite = not self.lost.done()
        self.end("closed")
        try:
            if self._attempt is not None:
                self.cancel_connection_attempt()
                await asyncio.wait({self._attempt})
            if self.transport is not None:
                await self.disconnect(wait=1.0 if polite else 0.0)
        finally:
            self.abort()
            if self._run_out_filters is not None:
                self._run_out_filters.cancel()

    def _begin(self, refusal: BusRefused | None) -> None:
        if not self._begun.done():
            self._begun.set_result(refusal)

    def _stream_error(self, error: Any) -> None:
        self.conflict = error["condition"] == "conflict"

    def _spawn_event(self, xml: Element) -> None:
        # What is said in the room needs no stanza of slixmpp's, which would be a tenth of the work for it. Where a
        # later slixmpp does not call this, the filter hears the same.
        if not self._take(xml):
            super()._spawn_event(xml)

    def _hear(self, stanza: StanzaBase) -> StanzaBase | None:
        return None if self._take(stanza.xml) else stanza
