"""A client's stream, whatever carries it: negotiates, hands stanzas to the host, and is its session's door."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from xmppd.config import Listener
from xmppd.host import Host
from xmppd.routing.hooks import Pinged, SessionEvent
from xmppd.routing.sessions import Session
from xmppd.wire.client import Item, Nonza, Stanza, State
from xmppd.wire.features import Features, Layer
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.passage import Holders

from .inorder import InOrder
from .managed import ANSWER, ASK, FINAL, ManagedDoor
from .negotiation import negotiate
from .pings import ping
from .stepper import step
from .watched import Watched

if TYPE_CHECKING:
    from .exchange import Exchange
    from .shared import Shared
    from .tls import TLSEngine

log = logging.getLogger(__name__)


class Entrance(Protocol):
    """What a client came in by: one entry of `listen`, with what it asks of its clients."""

    options: Listener
    shared: Shared
    features: Features[Any]
    initial_state: int

    def left(self, client: Any) -> None:
        """A client is gone."""


class Stream(Protocol):
    """The server's end of a client's stream, in one framing: `wire.client.ClientStream` is TCP's."""

    state: int

    def grant(self, state: int) -> None:
        """Something was negotiated."""

    def restart(self) -> None:
        """Expect a new header."""

    def open(self, host: str, id: str, to: JID | None = None) -> bytes:
        """The response header."""

    def features(self, inside: str) -> bytes:
        """The stream features."""

    def error(self, error: StreamError, host: str) -> tuple[bytes, ...]:
        """The error and the end of the stream, in as many pieces as the framing wants."""

    def close(self) -> bytes:
        """The end of our direction; nothing where it ended already."""


class Client(InOrder[Item], Watched):
    """One client. Until a resource is bound it negotiates; then it is the door of `session`.

    A carrier derives from this: it brings the bytes (`take` for what came in, `lost` at the end) and provides the
    methods and attributes that stand first. It also declares `SLOTS`, which cost every session memory.
    """

    if not TYPE_CHECKING:  # the slots themselves are the carrier's: two bases of one class cannot both have some
        __slots__ = ()
    SLOTS = (
        "_rest",
        "_task",
        "_user",
        "age",
        "claimed",
        "exchange",
        "failures",
        "host",
        "listener",
        "managed",
        "pinged",
        "session",
        "stream",
    )

    address: str
    closing: bool
    heard: bool
    silence: float
    listener: Entrance
    stream: Stream
    host: Host | None
    session: Session | None
    managed: ManagedDoor | None
    pinged: bool
    detached = False
    exchange: Exchange | None
    failures: int
    age: float
    claimed: str
    _user: JID | None

    # What the carrier provides

    if TYPE_CHECKING:

        @property
        def engine(self) -> TLSEngine | None:
            """TLS of its own, where it is on."""

        def write(self, data: bytes) -> None:
            """Queue one piece of the stream; never waits."""

        def flush(self) -> None:
            """Send what is queued."""

        def end(self) -> None:
            """Send what is queued, and close."""

        def abort(self) -> None:
            """Close at once."""

        def wrap(self, layer: Layer) -> None:
            """All bytes from now on pass through `layer`."""

        def checkpoint(self) -> Callable[[], bool]:
            """See `routing.sessions.Door`."""

        def describe(self) -> dict[str, object]:
            """For operators."""

    def begin(self, listener: Entrance, stream: Stream) -> None:
        """A client that has said nothing yet."""
        self.listener = listener
        self.stream = stream
        self.host = None
        self.session = None
        self.managed = None
        self.pinged = False
        self.exchange = None
        self.failures = 0
        self.age = 0.0
        self.claimed = ""
        self._user = None
        self._task = None
        self._rest = []

    # What comes in

    def lost(self) -> None:
        """The carrier is gone; what came in before is handled first."""
        self.listener.left(self)
        self.listener.shared.left(self.address, bool(self.stream.state & State.AUTHENTICATED))
        if self._task is None:
            self._leave()

    def _leave(self) -> None:
        session, self.session = self.session, None
        if self.managed is not None:
            self.managed.lost(self)
        elif session is not None and self.host is not None:
            log.info("[c2s %s %s] closed", session.id, session.jid)
            self.listener.shared.keep(step(self.host.close_session(session, "connection closed")))

    # The stream

    def _handle(self, item: Item) -> Coroutine[Any, Any, None] | None:
        session, managed = self.session, self.managed
        if session is not None and isinstance(item, Stanza) and self.host is not None:
            if managed is not None:
                managed.ledger.handle()
            return self.host.take(session, item)
        if managed is not None and isinstance(item, Nonza) and managed.takes(item):
            if self.pinged and item.name == ANSWER:
                self.ponged()
            return None
        return negotiate(self, item)

    def _failed(self, error: Exception) -> None:
        """An item ends the stream, as it deserves or by a mistake of ours."""
        if isinstance(error, StreamError):
            self.fail(error)
        else:
            log.error("[c2s %s %s] a handler failed", self.address, self._user or "", exc_info=error)
            self.fail(StreamError("internal-server-error"))

    async def finish(self) -> None:
        """The client ends its stream, and with it its session (RFC 6120 4.4, XEP-0198 7)."""
        if self.managed is not None:
            self.managed.final = True
            await self.managed.session.settled()
            if self._task is not None:
                self.write(self.managed.last_words())
        self.close()

    # What features need (wire.features.Peer)

    @property
    def state(self) -> int:
        """What has been negotiated."""
        return self.stream.state

    @property
    def account(self) -> str:
        """The bare address that has authenticated."""
        return self._user or ""

    @property
    def user(self) -> JID | None:
        """The same as a JID."""
        return self._user

    def authenticated(self, user: JID) -> None:
        """The client has proved who it is."""
        self._user, self.claimed = user, ""
        self.stream.grant(State.AUTHENTICATED)
        if not self.gone:  # who has left was counted out then
            self.listener.shared.authenticated(self.address)

    def write_xml(self, xml: str) -> None:
        """Send an element that says its own namespace."""
        self.write(xml.encode())

    def grant(self, state: int) -> None:
        """Something was negotiated."""
        self.stream.grant(state)

    def restart(self) -> None:
        """Expect a new header; what came in with the last element is dropped (RFC 6120 5.4.3.3)."""
        self.stream.restart()
        self._rest.clear()

    # The door (routing.sessions.Door)

    def send(self, stanza: Stanza) -> None:
        """Queue a stanza."""
        self.write(stanza.data)

    def send_copy(self, stanza: Stanza, to: JID) -> None:
        """Queue a copy of a stanza."""
        self.send(stanza.addressed(to))

    def tells(self) -> bool:
        """Without stream management nobody knows what the client has received."""
        return False

    def lacks(self, holders: Holders) -> bool:
        """The same: it left by the socket."""
        return False

    def abandon(self) -> Sequence[tuple[Stanza, float]]:
        """The same."""
        return ()

    def close(self, error: StreamError | None = None) -> None:
        """End the stream."""
        self._rest.clear()
        if error is not None:
            self.fail(error)
        else:
            self._last_words()
            last = self.stream.close()
            if last:
                self.write(last)
            self.end()

    def fail(self, error: StreamError) -> None:
        """Say what is wrong and close (RFC 6120 4.9.1.1)."""
        log.debug("[c2s %s %s] stream error %s", self.address, self._user or "", error)
        self._rest.clear()
        if self.managed is not None:
            self.managed.final = self.managed.final or error.condition in FINAL
            self._last_words()
        name = self.host.name if self.host else next(iter(self.listener.shared.house.hosts))
        for piece in self.stream.error(error, name):
            self.write(piece)
        self.end()

    def _last_words(self) -> None:
        if self.managed is not None and self._task is None and not self.closing:
            self.write(self.managed.last_words())

    async def let_go(self, error: StreamError) -> None:
        """The session goes on elsewhere; returns when the last stanza that came in here is handled."""
        self.session = self.managed = None
        self.fail(error)
        if self._task is not None:
            await asyncio.wait([self._task])

    # The coarse timer

    @property
    def at_work(self) -> bool:
        """Whether a resource is bound."""
        return self.session is not None

    def keeps_up(self, interval: float) -> bool:
        """Whether it acknowledges what it receives, where it has promised to (XEP-0198)."""
        return self.managed is None or self.managed.check(interval)

    def ping(self) -> None:
        """Ask for a sign of life, or for an acknowledgement."""
        if self.managed is not None:
            self.write(ASK)
            self.note_ping()
        elif self.session is not None:
            stanza = ping(self.session.jid, JID.parse(self.session.jid.domain))
            self.send(stanza)
            self.note_ping(stanza.id)

    def note_ping(self, id: str = "") -> None:
        """Tell who wants to know that it was asked; an answer without an id is told by `ponged`."""
        if self.session is not None and (notice := self.session.hooks.session_pinged).handlers:
            self.pinged = not id
            self.listener.shared.keep(step(notice.tell(Pinged(self.session, id))))

    def ponged(self) -> None:
        """It has answered."""
        self.pinged = False
        if self.session is not None:
            self.listener.shared.keep(step(self.session.hooks.session_ponged.tell(SessionEvent(self.session))))
