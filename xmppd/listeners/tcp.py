"""One TCP connection: TLS, rate, backpressure, and a bound on what is queued for its peer."""

from __future__ import annotations

import asyncio
import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, cast

from xmppd.wire.features import Layer
from xmppd.xmpp.errors import StreamError

from .kernel import unacknowledged
from .outbox import Outbox
from .tls import TLSEngine

log = logging.getLogger(__name__)

TLS13: Final = "TLSv1.3"
SHAPER: Final = 2  # reading pauses because the peer sent too fast


class Connection(asyncio.Protocol, ABC):
    """Bytes to and from one peer. A subclass takes `received` and is told `lost`.

    `write` never waits: it queues, and a peer whose queue grows over `max_queue` bytes is cut off.
    """

    __slots__ = (
        "_allowance",
        "_congested",
        "_engine",
        "_layer",
        "_out",
        "_outbox",
        "_paused",
        "_read_at",
        "_shaper",
        "_taken",
        "_written",
        "address",
        "closing",
        "heard",
        "max_queue",
        "silence",
        "transport",
    )

    def __init__(self, outbox: Outbox, max_queue: int, shaper: tuple[int, int] | None) -> None:
        self._outbox = outbox
        self._shaper = shaper
        self._allowance = float(shaper[1]) if shaper else 0.0
        self._read_at = 0.0
        self._engine: TLSEngine | None = None
        self._layer: Layer | None = None
        self._out: list[bytes] = []
        self._paused = 0
        self._congested = False
        self._written = 0
        self._taken = 0
        self.max_queue = max_queue
        self.closing = False
        self.heard = True
        self.silence = 0.0
        self.address = ""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer is there."""
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]).removeprefix("::ffff:") if peer else ""

    def succeed(self, other: Connection) -> None:
        """Go on where another stands, which is over: the peer speaks another protocol from now on."""
        transport, other.transport, other.closing = other.transport, None, True
        self.address, self._engine = other.address, other.engine
        self._congested, self._written = other._congested, other._written
        self._shaper, self._allowance, self._read_at = other._shaper, other._allowance, other._read_at
        self._paused = other._paused
        self.transport = transport
        if transport is not None:
            transport.set_protocol(self)
        self.resume(~SHAPER)  # its other reasons not to read are over with it
        if self._paused:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone."""
        self.closing = True
        self.transport = None
        self._out = []
        self.lost()

    def data_received(self, data: bytes) -> None:
        """Bytes came in: shape, decrypt, hand on; all that is answered meanwhile leaves in one piece."""
        self.heard = True
        engine = self._engine
        try:
            if self._shaper is not None:
                self._shape(self._shaper, len(data))
            if engine is not None:
                data = self._decrypt(engine, data)
            if data:
                self.received(data if self._layer is None else self._layer.decode(data))
            if engine is not None:
                if data:
                    self._pass_on(engine)
                if engine.closed:
                    self.end()
        except StreamError as error:
            self.fail(error)
        except Exception:
            self._crash()

    def _crash(self) -> None:
        """A mistake of ours costs this connection, and no other."""
        log.exception("%s: the connection is cut off", self.address)
        self.closing = True
        self.abort()

    @abstractmethod
    def received(self, data: bytes) -> None:
        """Plain bytes of the peer."""

    @abstractmethod
    def lost(self) -> None:
        """The connection is gone."""

    @abstractmethod
    def fail(self, error: StreamError) -> None:
        """The stream cannot go on."""

    def write(self, data: bytes) -> None:
        """Queue bytes; they leave at the end of this turn."""
        if self.closing:
            return
        out = self._out
        if not out:
            self._outbox.add(self)
        out.append(data)

    def flush(self) -> None:
        """Send what is queued."""
        out, transport = self._out, self.transport
        if not out or transport is None:
            return
        try:
            data = b"".join(out) if self._layer is None else self._layer.encode(out)  # of one piece no copy is made
            out.clear()
            if self._engine is not None:
                data = self._engine.send(data)
            transport.write(data)
        except ssl.SSLError as error:
            log.debug("%s: TLS: %s", self.address, error)
            transport.abort()
        except Exception:
            self._crash()
        else:
            self._written += len(data)
            if self._congested and transport.get_write_buffer_size() > self.max_queue:
                self._overflow(transport)

    def checkpoint(self) -> Callable[[], bool]:
        """Send what is queued; the question is true once the peer's TCP has acknowledged all of it."""
        self.flush()
        if self.closing:
            return lambda: False  # part of it may have been dropped
        mark = self._written
        return lambda: self._look() >= mark

    def _look(self) -> int:
        """How many of the written bytes the peer has; as last seen where the transport is closing."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self._taken = self._written - unacknowledged(transport)
        return self._taken

    def eof_received(self) -> None:
        """The peer says nothing more, and the transport closes: the last time to see what it has taken."""
        self.flush()
        self.closing = True
        if self._written:
            self._look()

    def _overflow(self, transport: asyncio.Transport) -> None:
        log.info("%s: closed, it does not read: over %d bytes wait for it", self.address, self.max_queue)
        self.closing = True
        transport.abort()

    def pause_writing(self) -> None:
        """The transport's buffer is over its high-water mark."""
        self._congested = True

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._congested = False

    @property
    def gone(self) -> bool:
        """Whether the connection is over and done."""
        return self.transport is None

    def abort(self) -> None:
        """Cut the connection; what is queued is lost."""
        if self.transport is not None:
            self.transport.abort()

    def start_tls(self, engine: TLSEngine) -> None:
        """What comes in from now on is TLS. What is queued leaves unencrypted first."""
        self.flush()
        self._engine = engine

    @property
    def engine(self) -> TLSEngine | None:
        """TLS, where it is on."""
        return self._engine

    @property
    def tls(self) -> str:
        """The version of TLS and the cipher, for operators; "" where it is off."""
        engine = self._engine
        return f"{engine.version} {engine.cipher}" if engine is not None else ""

    def wrap(self, layer: Layer) -> None:
        """All bytes from now on pass through `layer`, above TLS."""
        self.flush()
        self._layer = layer

    def _decrypt(self, engine: TLSEngine, data: bytes) -> bytes:
        transport = self.transport
        if transport is None:
            return b""
        established = engine.established
        try:
            data = engine.receive(data)
        except ssl.SSLError as error:
            log.debug("%s: TLS: %s", self.address, error)
            self.closing = True
            transport.write(engine.outgoing())
            transport.close()
            return b""
        fresh = engine.established and not established
        if fresh:
            self.secured(engine)
        if not (data or (fresh and engine.version == TLS13)):  # what waits then are tickets, and nobody waits for them
            self._pass_on(engine)
        return data

    def _pass_on(self, engine: TLSEngine) -> None:
        """What TLS has to say by itself; where we have something to say, that takes it along."""
        transport = self.transport
        if self._out or transport is None:
            return
        pending = engine.outgoing()
        if pending:
            transport.write(pending)
            if self._congested and transport.get_write_buffer_size() > self.max_queue:
                self._overflow(transport)

    def secured(self, engine: TLSEngine) -> None:
        """The TLS handshake is done."""

    def end(self) -> None:
        """Send what is queued, say goodbye on TLS, and close."""
        if self.closing:
            return
        self.flush()
        self.closing = True
        self._look()
        if self.transport is not None:
            if self._engine is not None and self._engine.established:
                self.transport.write(self._engine.close())
            self.transport.close()

    def pause(self, reason: int) -> None:
        """Read nothing more while any reason stands."""
        if not self._paused and self.transport is not None:
            self.transport.pause_reading()
        self._paused |= reason

    def resume(self, reason: int) -> None:
        """One reason less not to read."""
        if not self._paused & reason:
            return
        self._paused &= ~reason
        if not self._paused and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _shape(self, shaper: tuple[int, int], size: int) -> None:
        rate, burst = shaper
        now = asyncio.get_running_loop().time()
        self._allowance = min(burst, self._allowance + (now - self._read_at) * rate) - size
        self._read_at = now
        if self._allowance < 0:
            self.pause(SHAPER)
            self._wait()

    def _wait(self) -> None:
        """Read on once the peer has waited for what it sent too much."""
        if self._shaper is not None:
            asyncio.get_running_loop().call_later(-self._allowance / self._shaper[0], self.resume, SHAPER)
