"""An external component's connection: drives its stream, lets its stanzas take the road, and carries those for it."""

from __future__ import annotations

import logging
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from xmppd.routing.event import Event
from xmppd.routing.iq import check
from xmppd.wire.component import ComponentItem, ComponentStream, End, Handshake, Header, Stanza
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID

from .inorder import InOrder
from .pings import ping
from .streamed import StreamConnection
from .watched import Watched

if TYPE_CHECKING:
    from .components import Component, ComponentListener

log = logging.getLogger(__name__)

DOUBT: Final = 20.0  # seconds a component has to answer when another one wants its place


class ComponentConnection(InOrder[ComponentItem], Watched, StreamConnection):
    """One component. Until its handshake it is nobody; then it serves `component`."""

    __slots__ = ("_rest", "_task", "age", "component", "listener", "since", "stream")
    kind = "component"

    listener: ComponentListener
    stream: ComponentStream

    def __init__(self, listener: ComponentListener) -> None:
        shared = listener.shared
        super().__init__(shared.outbox, shared.limits.max_queue, listener.shaper)
        self.listener = listener
        self.stream = ComponentStream(shared.parsers, shared.limits.max_stanza_size, listener.secrets, token_hex(16))
        self.component: Component | None = None
        self.since = self.age = 0.0
        self._task = None
        self._rest = []

    # The socket

    def lost(self) -> None:
        """The connection is gone; what came in before is still handled."""
        self.listener.left(self)
        self.listener.shared.left(self.address, self.component is not None)
        if self.component is not None:
            log.info("[component %s] closed", self.component.jid)
            self.component.detach(self)

    def _leave(self) -> None:
        """Nothing is left to do."""

    # What comes in

    async def _handle(self, item: ComponentItem) -> None:
        if isinstance(item, Stanza):
            await self._route(item)
        elif not self.closing:
            self._negotiate(item)

    def _negotiate(self, item: Header | Handshake | End | StreamError) -> None:
        match item:
            case Header():
                self.write(self.stream.open())
            case Handshake(right):
                self._serve(self._proved(right))
            case End():
                self.close()
            case StreamError():
                raise item

    async def _route(self, stanza: Stanza) -> None:
        """Send it on its road; a mistake of ours costs this stanza, not the component."""
        router = self.listener.shared.house.router
        event = Event(stanza)
        try:
            if stanza.flaw is None and stanza.kind != "message":
                check(stanza)
            await router.route(event)
        except StanzaError as error:
            await router.refuse(event, error)
        except Exception:
            log.exception("[component %s] a handler failed on %r", self.stream.domain, stanza)
            await router.refuse(event, StanzaError("internal-server-error"))

    def _proved(self, right: bool) -> Component:
        """The component whose secret was shown; who fails too often is not heard for a while."""
        shared, domain = self.listener.shared, self.stream.domain
        now = shared.house.clock.monotonic()
        if shared.throttle.wait(self.address, domain, now) > 0:
            raise StreamError("policy-violation", "too many handshakes have failed; try again later")
        welcome = shared.house.config.allows(self.listener.options.access, JID.parse(domain), self.address)
        if not right or not welcome:
            log.info("[component %s] refused %s: %s", domain, self.address, "access" if right else "wrong secret")
            shared.throttle.failed(self.address, domain, now)
            shared.traffic.failures.inc()
            raise StreamError("not-authorized")
        shared.throttle.succeeded(self.address, domain)
        return self.listener.components[domain]

    def _serve(self, component: Component) -> None:
        if not component.attach(self):
            raise StreamError("conflict", f"{component.jid} is connected already")
        shared = self.listener.shared
        self.component = component
        self.since = shared.house.clock.time()
        shared.authenticated(self.address)
        shared.traffic.logins.inc()
        log.info("[component %s] connected from %s", component.jid, self.address)
        self.write(self.stream.accept())

    def _failed(self, error: Exception) -> None:
        if isinstance(error, StreamError):
            self.fail(error)
        else:
            log.error("[component %s %s] a handler failed", self.address, self.stream.domain, exc_info=error)
            self.fail(StreamError("internal-server-error"))

    # What goes out

    def send(self, stanza: Stanza) -> None:
        """Queue a stanza."""
        self.write(self.stream.send(stanza))

    def close(self) -> None:
        """End the stream."""
        self._rest.clear()
        self.write(self.stream.close())
        self.end()

    def fail(self, error: StreamError) -> None:
        """Say what is wrong and close; in the middle of a TLS handshake there is no way to say it."""
        log.debug("[component %s %s] stream error %s", self.address, self.stream.domain, error)
        self._rest.clear()
        if not self.cut_short():
            self.write(self.stream.error(error))
            self.end()

    # The coarse timer

    @property
    def at_work(self) -> bool:
        """Whether it serves its domain."""
        return self.component is not None

    def doubt(self) -> None:
        """Another connection has the secret too: close this one soon, unless there is life in it."""
        self.silence = max(self.silence, self.listener.shared.limits.idle_timeout - DOUBT)
        self.heard = False
        self.ping()

    def ping(self) -> None:
        """Ask for a sign of life."""
        component = self.component
        if component is None:
            return
        host = component.host or next(iter(self.listener.shared.house.hosts.values()))
        self.send(ping(component.jid, host.jid))
