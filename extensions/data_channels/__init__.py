"""Data channels: keeps the bytestreams between clients (XEP-0047) in bounds, and leaves none dangling.

The clients do the work (`xmppd.client.channels`); this watches them pass. What passes is known by the names of its
elements, and a block of data is never opened here: of its tag the `sid` is read, which says whose stream it is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from secrets import token_hex

from xmppd.api import (
    ARCHIVE,
    DELIVER,
    FILTER,
    STOP,
    Counter,
    Domain,
    Event,
    Gauge,
    Host,
    Module,
    ModuleOptions,
    SessionEvent,
    Verdict,
    every,
    hook,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

from .blocks import DATA, NS_IBB, sid_of
from .streams import PATIENCE, Stream, Streams

NS_CHANNEL = "urn:xmppd:channel:0"
LONGEST_SID = 256  # characters; both ids are kept as long as the stream is open, and clients make some 20
OPEN, CLOSE = f"{NS_IBB} open", f"{NS_IBB} close"


class Channels(Module):
    """Bounds for in-band bytestreams: size of blocks, number of streams, bytes a second.

    Who sends too fast is not refused: its stream is read no further until the next second. So its own client feels it,
    and does what it does with a slow receiver.
    """

    features, xeps = {NS_CHANNEL}, {"0047": "2.0.1"}
    open = Gauge("Streams that are open now", read=lambda module: len(module.streams))
    opened = Counter("Streams that both sides agreed to")
    refused = Counter("Requests and blocks refused").by("condition")
    hung_up = Counter("Streams closed because the session at one end was gone")
    carried = Counter("Bytes of blocks, in base64, as they were on the wire")
    held = Counter("Blocks that had to wait for the next second")

    class Options(ModuleOptions):
        """How much in-band bytestreams may take."""

        block_size: int = option(8192, "Largest block, in bytes before base64", least=512, most=65535)
        channels_per_session: int = option(50, "Streams that one session may have open", least=1)
        rate: int = option(1048576, "Bytes a second of each stream, in base64, as on the wire", least=1024)

    options: Options

    async def start(self) -> None:
        """Streams that were opened before this module was loaded are not known to it, and their blocks are refused."""
        self.streams = Streams()
        self._spending: list[Stream] = []
        self._second = asyncio.Event()

    async def stop(self) -> None:
        """Nobody waits any longer."""
        self._second.set()

    @hook.session_send.at(FILTER)
    def watch(self, event: Event) -> Awaitable[None] | None:
        """What a session here says."""
        stream = self._note(event)
        return self._hold() if stream is not None and stream.spent > self.options.rate else None

    @hook.account_receive.at(FILTER)
    def watch_others(self, event: Event) -> None:
        """What others say to an account here: other hosts, rooms. They are not held: a stream from there is shared."""
        if event.origin is None or event.origin.hooks is not self.host.hooks:
            self._note(event)

    @hook.session_receive.at(ARCHIVE, "iq")
    def arrive(self, event: Event) -> None:
        """A request to open a stream that nothing on its way has refused takes up a place."""
        stanza = event.stanza
        if _opens(stanza) and stanza.sender is not None and stanza.to is not None:
            self._check_number(stanza.to)
            self._enter(stanza.sender, stanza.to, stanza)

    @hook.session_send.at(DELIVER, "iq")
    def leave(self, event: Event) -> Awaitable[Verdict] | None:
        """The same of one to another domain: it is entered while it is on its way, and taken out where that ends."""
        to = event.stanza.to
        if to is None or to.domain == self.host.name or not _opens(event.stanza):
            return None
        domain = self.host.house.router.domains.get(to.domain)
        if domain is None or (isinstance(domain, Host) and not to.resource):
            return None  # a server answers for itself and for its accounts: with an error
        return self._send_out(event, domain)

    async def _send_out(self, event: Event, domain: Domain) -> Verdict:
        stanza = event.stanza
        sender, to = stanza.sender, stanza.to
        assert sender is not None
        assert to is not None
        stream = self._enter(sender, to, stanza)
        try:
            await domain.handle(event)
        except StanzaError:
            self.streams.withdraw(sender, to, stream)
            raise
        return STOP

    @hook.session_closed
    async def hang_up(self, event: SessionEvent) -> None:
        """Tell whoever had a stream with this session that it is closed, in the session's name."""
        gone = event.session.jid
        for peer, sid in self.streams.leave(gone):
            self.hung_up.inc()
            await self._close(gone, peer, sid)

    async def _close(self, sender: JID, to: JID, sid: str) -> None:
        letter = f"<close xmlns='{NS_IBB}' sid='{escape(sid)}'/>".encode()
        await self.send(Stanza("iq", to, sender, "set", token_hex(6), "", letter, (CLOSE,)))

    @every(1)
    def next_second(self) -> None:
        """Everybody may send again."""
        for stream in self._spending:
            stream.spent = 0
        self._spending.clear()
        self._second.set()
        self._second = asyncio.Event()

    @every(PATIENCE)
    def forget(self) -> None:
        """What nobody has answered is of no account any more."""
        self.streams.forget(self.clock.monotonic())

    def _note(self, event: Event) -> Stream | None:
        """Keep the books; returns the stream that a block is for."""
        stanza = event.stanza
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None or stanza.kind == "presence":
            return None
        if stanza.type in ("result", "error"):
            if stanza.kind == "iq":
                self._answered(sender, to, event)
        elif DATA in stanza.names:
            return self._spend(sender, to, stanza)
        elif stanza.kind == "message":
            return None
        elif OPEN in stanza.names:
            self._check(sender, stanza)
        elif CLOSE in stanza.names:
            self.streams.remove(sender, to, _attribute(stanza, "close", "sid"))
        return None

    def _check(self, sender: JID, stanza: Stanza) -> None:
        """Somebody wants to open a stream (XEP-0047 2.1)."""
        sid, size = _attribute(stanza, "open", "sid"), _attribute(stanza, "open", "block-size")
        if not sid or not (size.isascii() and size.isdigit()):
            raise self._refusal("bad-request", "a stream needs a sid and a block-size")
        if len(sid) > LONGEST_SID or len(stanza.id) > LONGEST_SID:
            raise self._refusal("bad-request", f"a sid, and the id of an iq, have {LONGEST_SID} characters at most")
        if len(size) > 5 or int(size) > self.options.block_size:
            raise self._refusal("resource-constraint", f"blocks have {self.options.block_size} bytes at most")
        self._check_number(sender)

    def _check_number(self, end: JID) -> None:
        if self._is_full(end):
            most = self.options.channels_per_session
            raise self._refusal("resource-constraint", f"a session may have {most} streams at most")

    def _is_full(self, end: JID) -> bool:
        return self.streams.count(end, self.clock.monotonic()) >= self.options.channels_per_session

    def _enter(self, sender: JID, to: JID, stanza: Stanza) -> Stream:
        stream = Stream(stanza.id, sender, self.clock.monotonic())
        self.streams.add(sender, to, _attribute(stanza, "open", "sid"), stream)
        return stream

    def _answered(self, sender: JID, to: JID, event: Event) -> None:
        """Somebody answers something; perhaps a request to open a stream."""
        stanza, link = event.stanza, self.streams.between(sender, to)
        for sid, stream in list(link.streams.items()) if link is not None else ():
            if stream.request != stanza.id or stream.opener != to or stream.agreed:
                continue
            if stanza.type == "error":
                self.streams.remove(sender, to, sid)
            elif self._is_full(sender):
                event.stanza = self._withdraw(sender, to, sid, stanza.id)
            else:
                stream.agreed = True
                self.opened.inc()

    def _withdraw(self, sender: JID, to: JID, sid: str, request: str) -> Stanza:
        """Somebody agrees to one stream too many: it is closed to him; returns what the opener hears instead."""
        self.streams.remove(sender, to, sid)
        self.host.house.timetable.after(0, partial(self._close, to, sender, sid))
        error = self._refusal("resource-constraint", "the other side has as many streams as it may have")
        return Stanza("iq", sender, to, "set", request).error(error)

    def _spend(self, sender: JID, to: JID, stanza: Stanza) -> Stream:
        """A block passes (XEP-0047 2.2)."""
        if len(stanza.names) > 1 and stanza.names.count(DATA) > 1:
            raise self._refusal("bad-request", "send one block at a time")
        stream = self.streams.agreed(sender, to, sid_of(stanza))
        if stream is None:
            raise self._refusal("item-not-found", f"no such stream is open between you and {to}")
        size = len(stanza.letter)
        if size > self.options.block_size * 3 // 2 + 1024:  # base64 takes a third more, and there are tags around it
            raise self._refusal("policy-violation", f"blocks have {self.options.block_size} bytes at most")
        self.carried.inc(size)
        if not stream.spent:
            self._spending.append(stream)
        stream.spent += size
        return stream

    async def _hold(self) -> None:
        """Wait for the next second; the sender's stream is not read meanwhile."""
        self.held.inc()
        await self._second.wait()

    def _refusal(self, condition: str, text: str) -> StanzaError:
        self.refused[condition].inc()
        return StanzaError(condition, text)


def _opens(stanza: Stanza) -> bool:
    return OPEN in stanza.names and stanza.type not in ("result", "error")


def _attribute(stanza: Stanza, element: str, name: str) -> str:
    found = stanza.child(element, NS_IBB)
    return "" if found is None else found.get(name, "")
