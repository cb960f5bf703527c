"""What a module can attach to: chains that stanzas pass, and notices of facts.

`Hooks` names them all. On the class, `Hooks.session_send` is the decorator that marks a method; on an instance it is
the chain or notice itself, so a checker rejects a misspelt name and a wrong event alike.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

from .event import Event

if TYPE_CHECKING:
    from .sessions import Session

log = logging.getLogger(__name__)


class Stage(IntEnum):
    """Where in a chain a handler stands."""

    FILTER = 1  # may refuse the stanza; a crash here refuses it too
    STAMP = 2  # writes on the envelope or adds to the letter
    ARCHIVE = 3  # keeps what passes
    COPY = 4  # sends copies elsewhere
    DELIVER = 5  # takes the stanza over


class Stop(Enum):
    """What a handler returns to end a chain: the stanza has been dealt with."""

    STOP = "stop"


STOP: Final = Stop.STOP
KINDS: Final = ("message", "presence", "iq")
# For marks: messages of every type but groupchat. Whoever has no business with those is not asked about each of the
# hundreds of copies of what is said in a room; where such a message does come alone, it may be asked all the same.
DIRECT: Final = "direct"
GROUPCHAT: Final = "groupchat"  # those who have business with copies of a room's message
# For marks, beside DIRECT, and for `of`: who looks at the letter of a message alone is asked once about what goes to
# hundreds, with an event whose stanza has no `to`.
SHARED: Final = "shared"
E = TypeVar("E")
S = TypeVar("S", bound=Event)
Verdict = Stop | None
Step = Callable[[S], "Awaitable[Verdict] | Verdict"]
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Mark:
    """Written on a method by a hook's decorator; read by the loader."""

    hook: str
    stage: Stage
    kinds: tuple[str, ...] = KINDS


class Chain(Generic[S]):
    """Handlers that a stanza passes in the order of their stages; one may end it with `STOP`.

    `of` has those of each kind of stanza, of copies of groupchat messages, and of what such copies share. Ask
    `if chain.of[kind]` before `run`: nothing attached costs a look-up.
    """

    __slots__ = ("_placed", "name", "of")

    def __init__(self, name: str) -> None:
        self.name = name
        self._placed: tuple[tuple[Stage, Step[S], tuple[str, ...]], ...] = ()
        self.of: dict[str, tuple[tuple[Stage, Step[S]], ...]] = dict.fromkeys((*KINDS, GROUPCHAT, SHARED), ())

    @property
    def handlers(self) -> tuple[Step[S], ...]:
        """All that are attached, in order."""
        return tuple(handler for _, handler, _ in self._placed)

    def add(self, handler: Step[S], stage: Stage = Stage.DELIVER, kinds: tuple[str, ...] = KINDS) -> None:
        """Attach for these kinds of stanza; within a stage, in order of attaching."""
        self._place(sorted((*self._placed, (stage, handler, kinds)), key=lambda placed: placed[0]))

    def remove(self, handler: Step[S]) -> None:
        """Detach what was attached."""
        self._place([placed for placed in self._placed if placed[1] != handler])

    def _place(self, placed: Sequence[tuple[Stage, Step[S], tuple[str, ...]]]) -> None:
        self._placed = tuple(placed)
        for kind in KINDS:
            asked = {kind, DIRECT} if kind == "message" else {kind}
            self.of[kind] = tuple((stage, handler) for stage, handler, kinds in placed if not asked.isdisjoint(kinds))
        for kind, asked in ((GROUPCHAT, {GROUPCHAT, "message"}), (SHARED, {SHARED})):
            self.of[kind] = tuple((stage, handler) for stage, handler, kinds in placed if not asked.isdisjoint(kinds))

    async def run(self, event: S) -> Verdict:
        """Pass `event` through. A crashed filter refuses.

        A handler's `StanzaError` is the sender's answer, its `StreamError` the end of the sender's stream.
        """
        verdict = self.begin(event)
        return verdict if verdict is None or verdict is STOP else await verdict

    def begin(self, event: S) -> Awaitable[Verdict] | Verdict:
        """The same for the busiest places: the verdict at once where no handler waits, else what goes on to it."""
        return self.through(event, self.of[event.stanza.kind])

    def through(self, event: S, handlers: Sequence[tuple[Stage, Step[S]]]) -> Awaitable[Verdict] | Verdict:
        """The same past these handlers alone, which are some of `of`."""
        for placed in handlers:
            try:
                if (verdict := placed[1](event)) is None:
                    continue
            except (StanzaError, StreamError):
                raise
            except Exception:
                self._crashed(placed[0], event)
                continue
            if verdict is STOP:
                return STOP
            return self._go_on(event, placed[0], verdict, handlers[handlers.index(placed) + 1 :])
        return None

    async def _go_on(
        self, event: S, stage: Stage, waiting: Awaitable[Verdict], left: Sequence[tuple[Stage, Step[S]]]
    ) -> Verdict:
        try:
            if await waiting is STOP:
                return STOP
        except (StanzaError, StreamError):
            raise
        except Exception:
            self._crashed(stage, event)
        verdict = self.through(event, left)
        return verdict if verdict is None or verdict is STOP else await verdict

    def _crashed(self, stage: Stage, event: S) -> None:
        log.exception("%s: a handler failed on %r", self.name, event)
        if stage is Stage.FILTER:
            raise StanzaError("internal-server-error") from None


class Notice(Generic[E]):
    """Handlers told of a fact; none can change it, and none hinders another."""

    __slots__ = ("handlers", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: tuple[Callable[[E], Awaitable[None] | None], ...] = ()

    def add(
        self,
        handler: Callable[[E], Awaitable[None] | None],
        stage: Stage = Stage.DELIVER,
        kinds: tuple[str, ...] = KINDS,
    ) -> None:
        """Attach; told in order of attaching."""
        self.handlers = (*self.handlers, handler)

    def remove(self, handler: Callable[[E], Awaitable[None] | None]) -> None:
        """Detach what was attached."""
        self.handlers = tuple(kept for kept in self.handlers if kept != handler)

    async def tell(self, event: E) -> None:
        """Tell every handler; a crash is logged and the next one told."""
        for handler in self.handlers:
            try:
                waiting = handler(event)
                if waiting is not None:
                    await waiting
            except Exception:
                log.exception("%s: a handler failed", self.name)


class _Declared(Generic[E]):
    """A hook's name: its decorator on the class, its chain or notice on an instance (which holds it in its dict)."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __call__(self, method: Method) -> Method:
        return self.at(Stage.DELIVER)(method)

    def at(self, stage: Stage = Stage.DELIVER, *kinds: str) -> Callable[[Method], Method]:
        """The decorator for another stage, or for some kinds of stanza only: a name of `KINDS`, `DIRECT`, `SHARED`."""

        def mark(method: Method) -> Method:
            marks = [*getattr(method, "__marks__", ()), Mark(self.name, stage, kinds or KINDS)]
            method.__marks__ = marks  # type: ignore[attr-defined]
            return method

        return mark


class _ChainOf(_Declared[S]):
    @overload
    def __get__(self, instance: None, owner: type) -> _ChainOf[S]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Chain[S]: ...
    def __get__(self, instance: object | None, owner: type) -> _ChainOf[S] | Chain[S]:
        if instance is None:
            return self
        chain: Chain[S] = instance.__dict__[self.name]
        return chain


class _NoticeOf(_Declared[E]):
    @overload
    def __get__(self, instance: None, owner: type) -> _NoticeOf[E]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Notice[E]: ...
    def __get__(self, instance: object | None, owner: type) -> _NoticeOf[E] | Notice[E]:
        if instance is None:
            return self
        notice: Notice[E] = instance.__dict__[self.name]
        return notice


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A fact about one session."""

    session: Session
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pinged:
    """A session that was silent is asked for a sign of life; `id` is its stanza's, "" where it is none."""

    session: Session
    id: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A session that Bind 2 has just opened (XEP-0386): what its client wants of it, and what it is told.

    `wanted` are the elements of the request by `"namespace name"`. What handlers append to `answers`, XML that says its
    own namespaces, stands in `<bound/>`.
    """

    session: Session
    wanted: Mapping[str, Element]
    answers: list[str]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A session's own presence changed; `before` and `now` say whether it was and is available.

    `stanza` is what it sent, or what the server said in its name when it was lost.
    """

    session: Session
    before: bool
    now: bool
    stanza: Stanza


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """One contact's entry of an account's roster changed; `subscription` is "" where it was removed."""

    account: JID
    contact: JID
    subscription: str


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """A fact about one account, by its bare address."""

    account: JID


@dataclass(frozen=True, slots=True)
class ConfigReloaded:
    """The configuration was read again; options of modules are in place already."""


class Hooks:
    """Every hook of one virtual host."""

    session_send = _ChainOf[Event]()
    """A stanza from a local session, `from` stamped, before it is routed."""
    account_receive = _ChainOf[Event]()
    """A stanza to a local account, once, before its sessions are chosen."""
    session_receive = _ChainOf[Event]()
    """A stanza to one session (`event.target`), once a copy."""
    session_return = _ChainOf[Event]()
    """A message that another session has lost, about to be given to this one (`event.target`); STOP where it has it."""
    session_presence = _ChainOf[Event]()
    """A session's presence without `to` (RFC 6121 4.2, 4.4, 4.5)."""
    presence_send = _ChainOf[Event]()
    """One copy of a session's presence to one contact who may see it, before it is routed; STOP holds it back."""
    account_absent = _ChainOf[Event]()
    """A message for an account without an available session; who keeps it returns STOP (RFC 6121 8.5.2.2.1)."""
    session_absent = _ChainOf[Event]()
    """A message (`Returned`) for a session that has lost its connection and may have it again: `event.target`.

    Nobody has it, and it comes once a message. Who keeps it meanwhile says so in `event.kept` and returns STOP.
    """
    account_subscription = _ChainOf[Event]()
    """A subscription or probe presence to a local account (RFC 6121 3, 4.3)."""
    host_receive = _ChainOf[Event]()
    """A message or presence to the host itself; who takes it returns STOP."""

    session_opened = _NoticeOf[SessionEvent]()
    """A session has bound its resource."""
    session_bound = _NoticeOf[Bound]()
    """Bind 2 has opened a session; what its client wants is begun before it hears of its success (XEP-0386)."""
    session_closed = _NoticeOf[SessionEvent]()
    """A session is gone for good; its presence was made unavailable before."""
    session_detached = _NoticeOf[SessionEvent]()
    """A session has lost its connection and waits for its client to resume it; its presence stays (XEP-0198 5)."""
    session_resumed = _NoticeOf[SessionEvent]()
    """The client of a session has resumed it on another connection."""
    session_pinged = _NoticeOf[Pinged]()
    """A session was silent, and is asked for a sign of life."""
    session_ponged = _NoticeOf[SessionEvent]()
    """It has answered that by what is no stanza: an acknowledgement, or a frame of its WebSocket."""
    presence_changed = _NoticeOf[PresenceChanged]()
    """A session became available, changed its presence or became unavailable."""
    roster_changed = _NoticeOf[RosterChanged]()
    """A roster entry changed and is queued for storage."""
    account_created = _NoticeOf[AccountEvent]()
    """An account was registered."""
    account_removed = _NoticeOf[AccountEvent]()
    """An account is being removed: drop what you keep of it."""
    config_reloaded = _NoticeOf[ConfigReloaded]()
    """The configuration was read again."""

    def __init__(self) -> None:
        for name, declared in vars(type(self)).items():
            if isinstance(declared, _ChainOf):
                self.__dict__[name] = Chain[Any](name)
            elif isinstance(declared, _NoticeOf):
                self.__dict__[name] = Notice[Any](name)
