"""Latency: tells a session how long its stanzas take to the server and back, so that a game can plan for it.

`docs/protocols/latency.md` is the wire format. The pings that the server sends to silent sessions anyway are timed for
everybody. From the moment somebody wants to know, a session has pings (XEP-0199) of our own beside them, until nobody
has asked for a while: for who never asks, nothing is sent. `xmppd.extensions.latency.rooms` answers for rooms.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Final

from xmppd.api import (
    FILTER,
    IQ,
    SERVER,
    STOP,
    Event,
    Gauge,
    Host,
    Module,
    ModuleOptions,
    Pinged,
    Session,
    SessionEvent,
    Verdict,
    every,
    hook,
    iq_get,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import PING
from xmppd.xmpp.stanza import Stanza

from .meter import Meter

NS_LATENCY: Final = "urn:xmppd:latency:0"
PREFIX: Final = "rtt-"  # of the ids of our pings
LETTER: Final = f"<ping xmlns='{PING}'/>".encode()
NAMES: Final = (f"{PING} ping",)


class Latency(Module):
    """Measures sessions, and tells each its own figures."""

    features = {NS_LATENCY}
    measured = Gauge("Sessions that are measured now", read=lambda module: len(module.meters))

    class Options(ModuleOptions):
        """How often, and how long."""

        interval: int = option(5, "Seconds between two pings to a session that is measured", least=1)
        patience: int = option(60, "Seconds for which a session is measured after somebody has asked", least=1)

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.meters: dict[Session, Meter] = {}
        self.known: dict[Session, Meter] = {}  # of others, by the server's own pings
        self._seconds = 0

    @iq_get("latency", NS_LATENCY, to=SERVER)
    async def tell(self, iq: IQ) -> str:
        """A session asks for its own figures; those of others are not to be had."""
        session = self.host.sessions.find(iq.sender)
        if session is None:
            raise StanzaError("forbidden", "ask the server that you are connected to")
        meter = await self.of(session)
        return self.answer(meter.rtt, meter.jitter, f" samples='{meter.samples}'")

    def answer(self, rtt: float, jitter: float, more: str) -> str:
        """The element with figures in milliseconds."""
        figures = f"rtt='{rtt * 1000:.1f}' jitter='{jitter * 1000:.1f}'{more} interval='{self.options.interval}'"
        return f"<latency xmlns='{NS_LATENCY}' {figures}/>"

    def find(self, jid: JID) -> Session | None:
        """The session of this host with a full address."""
        return self.host.sessions.find(jid)

    async def of(self, session: Session) -> Meter:
        """What is known of a session; from now on it is measured."""
        meter = self.meters.get(session)
        if meter is None:
            meter = self.meters[session] = self.known.pop(session) if session in self.known else Meter()
            await self._ping(session, meter)
        meter.asked = self.clock.monotonic()
        return meter

    async def _ping(self, session: Session, meter: Meter) -> None:
        id = PREFIX + token_hex(6)
        meter.ping(id, self.clock.monotonic())
        await session.deliver(Stanza("iq", session.jid, self.host.jid, "get", id, "", LETTER, NAMES))

    @every(1)
    async def go_round(self) -> None:
        """Ping who is measured, a part of them each second; let go whom nobody asks about any more."""
        self._seconds += 1
        forgotten = self.clock.monotonic() - self.options.patience
        for index, (session, meter) in enumerate(list(self.meters.items())):
            if meter.asked < forgotten:
                del self.meters[session]
            elif (index + self._seconds) % self.options.interval == 0:
                meter.missed(self.clock.monotonic())
                await self._ping(session, meter)

    @hook.session_pinged
    def see(self, event: Pinged) -> None:
        """A ping of the server's own has left, to a session that is not measured more closely."""
        session = event.session
        if session not in self.meters:
            self.known.setdefault(session, Meter()).ping(event.id, self.clock.monotonic())

    @hook.session_ponged
    def answered(self, event: SessionEvent) -> None:
        """Its answer has come, by another road than stanzas take."""
        meter = self.known.get(event.session)
        if meter is not None and not meter.id:
            meter.pong(self.clock.monotonic())

    @hook.session_send.at(FILTER, "iq")
    def hear(self, event: Event) -> Verdict:
        """An answer to a ping. An error is one too: a client that knows no pings still has to read them."""
        stanza, session = event.stanza, event.origin
        if stanza.type not in ("result", "error") or session is None:
            return None
        meter = self.meters.get(session) or self.known.get(session)
        if meter is None or not meter.id or meter.id != stanza.id:
            return None
        meter.pong(self.clock.monotonic())
        return STOP

    @hook.session_closed
    def forget(self, event: SessionEvent) -> None:
        """It is gone."""
        self.meters.pop(event.session, None)
        self.known.pop(event.session, None)
