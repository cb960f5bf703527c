"""One HTTP connection: requests in, answers out in their order, and its time limits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from xmppd.listeners.kernel import unacknowledged
from xmppd.listeners.tcp import Connection
from xmppd.listeners.watched import GOODBYE
from xmppd.xmpp.errors import StreamError

from .answers import PLAIN_TEXT, status_line
from .exchange import Exchange
from .peers import through_proxies
from .reading import Arrived, Reader, Refused

if TYPE_CHECKING:
    from .listener import HTTPListener

log = logging.getLogger(__name__)

PIPELINE: Final = 4  # reading pauses because so many requests wait for their answers
MOST_WAITING: Final = 16


class HTTPConnection(Connection):
    """A client of the HTTP listener, until it goes or speaks another protocol."""

    __slots__ = ("_age", "_held", "_reader", "_seen", "_served", "_waiting", "listener")

    def __init__(self, listener: HTTPListener) -> None:
        limits = listener.shared.limits
        super().__init__(listener.shared.outbox, limits.max_queue, listener.shaper)
        self.listener = listener
        self._reader: Reader | None = None
        self._waiting: deque[Exchange] | Exchange | None = None
        self._age = 0.0
        self._held = 0  # bytes of answers whose turn has not come
        self._seen = 0  # bytes that the peer had taken at the last look
        self._served = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        super().connection_made(transport)
        if not self.listener.admits(self):
            self.abort()
            return
        if self.listener.options.tls:
            self.start_tls(self.listener.engine())

    def received(self, data: bytes) -> None:
        """Read requests, and have them answered."""
        if self.closing:
            return  # it was refused, and goes on talking
        reader, refused = self._reader, None
        if reader is None:
            reader, self._age = self.listener.readers.take(), 0.0
        self._reader = reader
        while True:
            try:
                requests = reader.feed(data)
            except Refused as error:
                requests, refused = reader.taken(), error
            for request in requests:
                self._take(request, reader)
            if not reader.rest or self.closing:
                break
            data, reader.rest = reader.rest, b""  # it may not change the protocol, so this is the next request
        if refused is not None:
            self._refuse(refused)
        elif reader.idle and not reader.rest:
            self._reader = None
            if not requests or requests[-1].keep_alive:
                self.listener.readers.give(reader)
        elif reader.waiting:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, request: Arrived, reader: Reader) -> None:
        if self.closing:
            return  # the one before was the last
        address, secure = self.address, self.engine is not None
        trusted = self.listener.options.trusted_proxies
        if trusted:
            address, told = through_proxies(address, request.headers, trusted)
            secure = secure or told
        exchange = Exchange(self, request, address, secure)
        self._served = True
        self._append(exchange)
        self.listener.serve(exchange, reader)

    # Exchanges: none or one as a rule, so there is a queue only for more

    def _append(self, exchange: Exchange) -> None:
        waiting = self._waiting
        if waiting is None:
            self._waiting = exchange
        elif isinstance(waiting, Exchange):
            self._waiting = deque((waiting, exchange))
        else:
            waiting.append(exchange)
            if len(waiting) >= MOST_WAITING:
                self.pause(PIPELINE)

    def is_first(self, exchange: Exchange) -> bool:
        """Whether its answer need not wait for that of another request."""
        return self._waiting is exchange

    def answered(self, exchange: Exchange) -> None:
        """An answer is there; it leaves when it is its turn."""
        waiting = self._waiting
        if waiting is exchange:
            self._waiting = None
            self._send(exchange)
        elif isinstance(waiting, deque) and exchange.answer is not None:
            self._held += len(exchange.answer)
            while waiting and (answer := waiting[0].answer) is not None:
                self._held -= len(answer)
                self._send(waiting.popleft())
            if self._held > self.max_queue and self.transport is not None and not self.closing:
                self._overflow(self.transport)
            if len(waiting) < MOST_WAITING:
                self.resume(PIPELINE)
            if not waiting:
                self._waiting = None

    def _send(self, exchange: Exchange) -> None:
        exchange.connection = None
        if self.closing:
            return
        assert exchange.answer is not None
        self._out.append(exchange.answer)  # at once: most are answered when the turn ends anyway
        self.flush()
        if not exchange.keep_alive:
            self.end()

    def _refuse(self, refused: Refused) -> None:
        """The request cannot be read, so nothing behind it can; those before it have their answers or get none.

        What still comes is read and dropped for a while: a connection closed on unread bytes takes the answer with it.
        """
        log.debug("%s: refused: %s", self.address, refused.text)
        if self._waiting is None:
            text = f"{refused.text}\n".encode()
            self.write(
                b"%b%bContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (status_line(refused.status), self.listener.dates.now(), PLAIN_TEXT.encode(), len(text), text)
            )
        self.flush()
        self.closing, self._age = True, 0.0
        if self.transport is not None and self.engine is None:
            self.transport.write_eof()

    def fail(self, error: StreamError) -> None:
        """Close; who holds a request has answered it already where there was something to say."""
        self.end()

    def lost(self) -> None:
        """The connection is gone."""
        self.listener.departed(self)
        waiting, self._waiting = self._waiting, None
        for exchange in waiting if isinstance(waiting, deque) else filter(None, (waiting,)):
            exchange.connection = None
            if exchange.waiter is not None:
                exchange.waiter.dropped(exchange)

    def check(self, interval: float) -> None:
        """`interval` seconds have passed: nobody may take for ever to ask, or stay without asking or reading."""
        limits = self.listener.shared.limits
        self._age += interval
        moves = self._moves()
        if self.closing:
            if moves:
                self._age = 0.0
            elif self._age >= GOODBYE:
                self.abort()
        elif self._waiting is not None:
            self._age = 0.0
        elif self._reader is not None or not self._served:
            if self._age >= limits.http_request_timeout:
                self._refuse(Refused(408, "the request took too long"))
        elif moves:
            self._age = 0.0
        elif self._age >= limits.http_keep_alive:
            self.end()

    def _moves(self) -> bool:
        """Whether the peer has taken some of what waits for it, since the last look."""
        transport = self.transport
        if transport is None or not transport.get_write_buffer_size():
            return False
        before, self._seen = self._seen, self._written - unacknowledged(transport)
        return self._seen > before

    def describe(self) -> dict[str, object]:
        """For operators."""
        return {"ip": self.address, "connection": "https" if self.engine is not None else "http"}
