"""A client that comes by BOSH (XEP-0124, XEP-0206): a session over many requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from xmppd.listeners.client import Client
from xmppd.listeners.tls import TLSEngine
from xmppd.wire.bosh import EARLY, Bosh, Terminal
from xmppd.wire.bosh_answers import Piece
from xmppd.wire.bosh_backlog import Backlog
from xmppd.wire.bosh_body import BadBody, Body
from xmppd.wire.bosh_stream import BoshStream
from xmppd.wire.features import Layer
from xmppd.wire.items import End, Header
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .exchange import Exchange

if TYPE_CHECKING:
    from .bosh_door import BoshDoor

log = logging.getLogger(__name__)

SLACK: Final = 1.0  # seconds; the wheel turns each second
UNKNOWN: Final = "item-not-found"  # what anybody is told about a session that is not there
MISTAKE: Final = "internal-server-error"
LEGACY: Final = {"bad-request": 400, "policy-violation": 403, UNKNOWN: 404}  # XEP-0124 17.1


class BoshClient(Client):
    """A client whose stream comes in requests. `door` knows it by `sid`, which is all that a request needs to join."""

    __slots__ = (
        *Client.SLOTS, "_lost_all", "_queued", "address", "closing", "content", "door", "heard", "secure", "sid",
        "silence", "wire",
    )  # fmt: skip

    stream: BoshStream

    def __init__(self, door: BoshDoor, sid: str, body: Body, exchange: Exchange, content: bytes) -> None:
        """Raises `BadBody`."""
        listener = door.listener
        shared = listener.shared
        self.door = door
        self.sid = sid
        self.content = content
        self.secure = exchange.secure
        self.address = exchange.address
        self.closing = False
        self.heard, self.silence = True, 0.0
        self._queued = self._lost_all = False
        self.wire: Bosh[Exchange] = Bosh(sid, body, exchange, door.offer, shared.house.clock.monotonic())
        state, limit = listener.state_of(exchange), shared.limits.max_stanza_size
        self.begin(listener, BoshStream(shared.parsers, self.wire.answers, limit, state))
        self.age = shared.house.clock.monotonic()
        exchange.waiter = self

    # What comes in

    def arrived(self, body: Body, exchange: Exchange) -> None:
        """A request of this session."""
        exchange.waiter = self
        try:
            turn = self.wire.arrive(body, exchange, self.door.clock.monotonic())
        except Terminal as error:
            self._end(error.condition, exchange)
            return
        except BadBody as error:
            log.debug("[c2s %s %s] bosh: %s", self.address, self.account, error)
            self._end("bad-request", exchange)
            return
        for each in turn:
            self.process(each)
        backlog = self.wire.backlog
        if backlog is not None and backlog.size > EARLY + (self.wire.requests + 1) * self.door.max_body:
            log.debug("[c2s %s %s] bosh: over %d bytes are not handled", self.address, self.account, backlog.size)
            self._end("policy-violation", exchange)
        self._soon()

    def begin_to_answer(self) -> None:
        """The request that made the session waits for its answer."""
        self._soon()

    def refuse_stream(self, exchange: Exchange) -> None:
        """A session has one stream, without a name (XEP-0124 16.4)."""
        self._end(UNKNOWN, exchange)

    def process(self, body: Body) -> None:
        """It is the turn of this request, once those before it are handled."""
        backlog = self.wire.backlog
        if backlog is None:
            self._receive(body)
            if self._task is not None:
                self.wire.backlog = Backlog(body)
        elif body.inner or body.restart or body.terminate:
            backlog.add(body)

    def _receive(self, body: Body) -> None:
        if self.closing:
            return
        items = self.stream.receive(body)
        if self.session is None and items and isinstance(header := items[0], Header):
            items[0] = self._addressed(header)
        if body.terminate:
            items.append(End())
        if items:
            self.take(items)

    def _addressed(self, header: Header) -> Header | StreamError:
        """A restart need not name the host again (XEP-0206 4); who names none of several is told so (XEP-0124 17.2)."""
        if "to" in header.attributes:
            return header
        if self.host is not None:
            return replace(header, attributes={**header.attributes, "to": self.host.name})
        if len(self.door.listener.shared.house.hosts) > 1:
            return StreamError("improper-addressing", "say which host you want: to='...'")
        return header

    def dropped(self, exchange: Exchange) -> None:
        """The connection of a held request is gone."""
        self.wire.drop(exchange, self.door.clock.monotonic())

    # What goes out

    def _soon(self) -> None:
        if not self._queued and not self.closing:
            self._queued = True
            self.door.outbox.add(self)

    def write(self, data: bytes) -> None:
        """Queue one element."""
        if data and not self.closing:
            self._push(data)

    def send(self, stanza: Stanza) -> None:
        """Queue a stanza."""
        if not self.closing:
            self._push((stanza, self.door.clock.time()))

    def _push(self, piece: Piece) -> None:
        """Whoever asks for nothing for too long is cut off."""
        answers = self.wire.answers
        answers.push(piece)
        self._soon()
        if answers.size > self.door.max_queue:
            log.info("%s: closed, it does not read: over %d bytes wait for it", self.address, self.door.max_queue)
            self.abort()

    def flush(self) -> None:
        """Answer what can be answered."""
        self._queued = False
        if self.closing:
            return
        try:
            for exchange, xml in self.wire.flush(self.door.clock.monotonic()):
                self.door.answer(exchange, xml, self.content)
        except Exception:
            self.crash()

    def checkpoint(self) -> Callable[[], bool]:
        """The question is true once later requests show that the client has the answers."""
        answers = self.wire.answers
        mark = answers.pushed
        return lambda: answers.taken >= mark

    def abandon(self) -> Sequence[tuple[Stanza, float]]:
        """What no answer has carried, and where the client vanished what its last answers carried."""
        return self.wire.answers.undelivered(all=self._lost_all)

    # The end

    @property
    def gone(self) -> bool:
        """Whether the session is over."""
        return self.closing

    def end(self) -> None:
        """Answer all requests, the first with what is queued."""
        self._end(self.stream.condition)

    def abort(self) -> None:
        """Cut the session off; whether the client has taken its last answers, nobody knows."""
        self._lost_all = True
        self._end("remote-connection-failed")

    def crash(self, exchange: Exchange | None = None) -> None:
        """A mistake of ours, with this request where it was one, costs this session and no other. Never raises."""
        log.exception("[c2s %s %s] bosh: the session is cut off", self.address, self.account)
        self._lost_all = True
        try:
            self._end(MISTAKE, exchange)
        except Exception:
            log.exception("[c2s %s %s] bosh: so is what it waits for", self.address, self.account)

    def _end(self, condition: str, offender: Exchange | None = None) -> None:
        if self.closing:
            return
        self.closing = True
        self._rest.clear()
        answers, last = self.wire.finish(condition, offender)
        status = LEGACY.get(condition, 200) if self.wire.legacy else 200
        for exchange, xml in answers:
            self.door.answer(exchange, xml, self.content, status if exchange is offender else 200)
        self.door.bury(self, b"" if condition == UNKNOWN else last)
        self.lost()

    def look(self, now: float) -> float | None:
        """The clock's look: answer what was held long enough, end who does not log in, or has left."""
        try:
            return None if self.closing else self._look(now)
        except Exception:
            self.crash()
            return None

    def _look(self, now: float) -> float | None:
        again = self.wire.due(now, SLACK)
        if again is None:
            log.debug("[c2s %s %s] bosh: no request for too long", self.address, self.account)
            self._lost_all = True
            self._end(UNKNOWN)  # and as if it had never been, for whoever still asks (XEP-0124 10)
            return None
        self.flush()
        if self.session is None:
            end = self.age + self.listener.shared.limits.login_timeout
            if now >= end:
                self.fail(StreamError("connection-timeout", "log in and bind a resource in time"))
                return None
            again = min(again, end)
        return min(again, now + max(self.wire.wait, 1))

    # What a carrier has besides

    @property
    def engine(self) -> TLSEngine | None:
        """None: requests may come on many connections, so there is none to bind a login to."""
        return None

    def pause(self, reason: int) -> None:
        """Nothing: what is not handled is not answered either (see `Bosh`), and so the client's window ends."""

    def resume(self, reason: int) -> None:
        """All of a request is handled: it may be answered, and those behind it have their turn."""
        backlog = self.wire.backlog
        if backlog is None:
            return
        while self._task is None and (body := backlog.next()) is not None:
            self._receive(body)
        if self._task is None:
            self.wire.backlog = None
        self._soon()

    def wrap(self, layer: Layer) -> None:
        """No layer is ever laid between: see `NO_LAYERS`."""
        raise NotImplementedError

    def describe(self) -> dict[str, object]:
        """For operators."""
        return {"ip": self.address, "connection": "bosh_tls" if self.secure else "bosh", "tls": ""}
