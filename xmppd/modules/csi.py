"""XEP-0352: Client State Indication. What need not wake a phone waits until something does, or until it asks."""

from __future__ import annotations

from typing import Any, Final

from xmppd.api import (
    STOP,
    Bound,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    Nonza,
    Peer,
    Session,
    SessionEvent,
    State,
    Verdict,
    hook,
    option,
    stream_feature,
)
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import CHAT_STATES, CLIENT, HINTS, MUC_USER, SID
from xmppd.xmpp.stanza import Stanza

CSI: Final = "urn:xmpp:csi:0"
STATE: Final = "csi"  # of a session: what waits for it, None while it is active
# A message of nothing else says how somebody types, which nobody sees who does not look.
TYPING: Final = (f"{CHAT_STATES} ", f"{HINTS} ", f"{CLIENT} thread", f"{SID} ")
IN_ROOMS: Final = f"{MUC_USER} x"
OWN: Final = (b"'110'", b'"110"')  # the status of one's own presence in a room (XEP-0045 7.2.2)


class Held:
    """What waits for one session, in the order it came; of presence the last of each sender."""

    __slots__ = ("stanzas",)

    def __init__(self) -> None:
        self.stanzas: dict[JID | int, Stanza] = {}

    def put(self, stanza: Stanza) -> None:
        """Behind all others."""
        if stanza.kind != "presence" or stanza.sender is None:
            self.stanzas[id(stanza)] = stanza
            return
        self.stanzas.pop(stanza.sender, None)
        self.stanzas[stanza.sender] = stanza


class Csi(Module):
    """Holds back presence and headlines from inactive sessions, and drops chat states alone.

    Everything else goes out at once, and what waits goes before it, so that order is kept and a phone wakes once. What
    waits is nothing that anybody was promised: a session that ends drops it, one that loses its connection takes it
    along (XEP-0198) and is active again when it comes back.
    """

    xeps, bind_features = {"0352": "1.0.0"}, {CSI}
    held = Counter("Stanzas held back from inactive sessions")
    dropped = Counter("Chat states that inactive sessions were spared")

    class Options(ModuleOptions):
        """How much waits."""

        max_held: int = option(500, "Stanzas that wait for one session; then all go out. Some 150 KB", least=1)

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._inactive = 0

    async def stop(self) -> None:
        """Nothing waits any more."""
        for session in self.host.sessions:
            self.activate(session)

    def inactive(self, session: Session) -> bool:
        """Whether nobody looks at this session. It is told to no other entity (4)."""
        return isinstance(session.state(STATE), Held)

    def deactivate(self, session: Session) -> None:
        """Nobody looks at it from now on."""
        if not self.inactive(session):
            session.keep(STATE, Held())
            self._count(1)

    def activate(self, session: Session) -> None:
        """Somebody looks: what waits goes out."""
        self._flush(session)
        if self.inactive(session):
            session.keep(STATE, None)
            self._count(-1)

    def _count(self, change: int) -> None:
        """Stand on the road while some session is inactive; else it costs nothing."""
        before, self._inactive = self._inactive, self._inactive + change
        if not before:
            self.host.hooks.session_receive.add(self.sort)
        elif not self._inactive:
            self.host.hooks.session_receive.remove(self.sort)

    @stream_feature(
        "csi",
        f"{CSI} active",
        f"{CSI} inactive",
        needs=State.AUTHENTICATED,
        advertise=f"<csi xmlns='{CSI}'/>",
        order=60,
    )
    async def indicate(self, peer: Peer, element: Nonza | Stanza) -> None:
        """The client says whether anybody looks; what follows is handled after it (5.1). There is no answer."""
        session = peer.session
        if isinstance(element, Nonza) and session is not None:
            (self.activate if element.name == f"{CSI} active" else self.deactivate)(session)

    @hook.session_bound
    def bound(self, event: Bound) -> None:
        """A session that begins inactive (XEP-0386 4)."""
        if f"{CSI} inactive" in event.wanted:
            self.deactivate(event.session)

    @hook.session_detached
    def lost(self, event: SessionEvent) -> None:
        """A resumed stream begins active (5.2)."""
        self.activate(event.session)

    @hook.session_closed
    def leave(self, event: SessionEvent) -> None:
        """A session is gone, with what waited for it."""
        if self.inactive(event.session):
            event.session.keep(STATE, None)
            self._count(-1)

    def sort(self, event: Event) -> Verdict:
        """Hold, drop, or let pass behind what waits."""
        session = event.target
        held = session.state(STATE) if self._inactive and session is not None else None
        if session is None or not isinstance(held, Held):
            return None
        stanza = event.stanza
        if _is_typing(stanza):
            self.dropped.inc()
            return STOP
        if not _can_wait(stanza):
            self._flush(session)
            return None
        held.put(stanza)
        self.held.inc()
        if len(held.stanzas) > self.options.max_held:
            self._flush(session)
        return STOP

    def _flush(self, session: Session) -> None:
        held: Any = session.state(STATE)
        if isinstance(held, Held) and held.stanzas:
            waiting, held.stanzas = held.stanzas, {}
            for stanza in waiting.values():
                session.door.send(stanza)


def _is_typing(stanza: Stanza) -> bool:
    names = stanza.names
    return (
        stanza.kind == "message"
        and stanza.type != "error"
        and bool(names)
        and all(name.startswith(TYPING) for name in names)
        and any(name.startswith(TYPING[0]) for name in names)
    )


def _can_wait(stanza: Stanza) -> bool:
    if stanza.kind == "presence":
        own = IN_ROOMS in stanza.names and any(mark in stanza.letter for mark in OWN)
        return stanza.type in ("", "unavailable") and not own
    return stanza.kind == "message" and stanza.type == "headline"
