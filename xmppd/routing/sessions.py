"""Which sessions an account has on this node, and the one way a stanza reaches each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.passage import Holders
from xmppd.xmpp.stanza import Stanza

from .event import Event
from .hooks import STOP, Hooks, Stage


class Door(Protocol):
    """What a session is reached through: a TCP stream, a WebSocket, a BOSH session, or a test."""

    def send(self, stanza: Stanza) -> Awaitable[None] | None:
        """Queue a stanza for the peer; never waits.

        What it returns goes on until the stanza is safe; who acknowledges it waits for that. None: it is already.
        """

    def send_copy(self, stanza: Stanza, to: JID) -> Awaitable[None] | None:
        """The same as `send(stanza.addressed(to))`: one of the copies of what goes to many."""

    def close(self, error: StreamError | None = None) -> None:
        """End the stream, with an error where there is one."""

    def describe(self) -> dict[str, object]:
        """What an operator may know of the connection: address, transport, TLS."""

    def checkpoint(self) -> Callable[[], bool]:
        """Ask the returned question whether the peer has taken all that was sent up to now.

        It costs a system call; once true it stays so. No is also the answer where nobody can know any more.
        """

    def tells(self) -> bool:
        """Whether it knows which stanzas its client has; from now on it says so of messages (`Holders.has_it`)."""

    def lacks(self, holders: Holders) -> bool:
        """Whether its client may not have a message of these holders, which it was sent some time ago."""

    @property
    def detached(self) -> bool:
        """Whether the connection is lost and the client may come back to it (XEP-0198 5)."""

    def abandon(self) -> Sequence[tuple[Stanza, float]]:
        """The session is over: what its client was sent and has not acknowledged, with times; empty without 0198."""


class Write(Protocol):
    """A transaction on its way to the disk; `xmppd.storage.Commit` is the real thing."""

    @property
    def done(self) -> bool:
        """Whether it is on disk, or has failed."""

    def hurry(self) -> None:
        """Somebody waits for it."""

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call it once done."""

    def __await__(self) -> Generator[Any, None, object]: ...


# Answers held for one session until the disk has what they acknowledge: some 300 KiB. A commit takes milliseconds.
MOST_HELD: Final = 1000


class Session:
    """One bound resource. It outlives its door; only it writes to it, and `Copies`.

    `presence` is the last available presence, None while unavailable. `interested` says that it asked for the roster
    (RFC 6121 2.2). `id` names it on its node; it is no capability.
    """

    __slots__ = (
        "_held",
        "_owed",
        "client",
        "directed",
        "door",
        "hooks",
        "id",
        "interested",
        "jid",
        "presence",
        "priority",
        "since",
        "states",
    )

    def __init__(self, jid: JID, id: str, door: Door, hooks: Hooks, since: float) -> None:
        self.jid = jid
        self.id = id
        self.door = door
        self.hooks = hooks
        self.since = since
        self.presence: Stanza | None = None
        self.priority = 0
        self.interested = False
        self.client = ""
        self.directed: set[JID] | None = None
        self.states: dict[str, object] | None = None
        self._owed: Write | None = None
        self._held = 0

    @property
    def available(self) -> bool:
        """Whether it has sent initial presence (RFC 6121 4.2)."""
        return self.presence is not None

    @property
    def detached(self) -> bool:
        """Whether its connection is lost and its client may come back to it; see `Hooks.session_detached`."""
        return self.door.detached

    async def deliver(self, stanza: Stanza) -> None:
        """Send a copy through `session_receive` to the door. Refused copies raise `StanzaError`."""
        chain = self.hooks.session_receive
        if chain.of[stanza.kind]:
            event = Event(stanza, None, self)
            verdict = chain.begin(event)
            if verdict is not None and (verdict is STOP or await verdict is STOP):
                return
            stanza = event.stanza
        waiting = self.door.send(stanza)
        if waiting is not None:
            await waiting

    def offer(self, stanza: Stanza) -> Awaitable[None] | None:
        """The same for the busiest places: None where it is sent already, else what goes on to it."""
        if self.hooks.session_receive.of[stanza.kind]:
            return self.deliver(stanza)
        return self.door.send(stanza)

    async def lets_in(self, stanza: Stanza) -> bool:
        """Whether none of the filters of `session_receive` would keep a stanza from the client."""
        chain = self.hooks.session_receive
        filters = [placed for placed in chain.of[stanza.kind] if placed[0] is Stage.FILTER]
        try:
            verdict = chain.through(Event(stanza, None, self), filters)
            return verdict is None or (verdict is not STOP and await verdict is not STOP)
        except StanzaError:
            return False

    def reply(self, stanza: Stanza) -> None:
        """Answer a stanza that this session sent; its own words meet no filter on the way back.

        An answer acknowledges all that came before it, so it is held until what is owed is on disk. What comes behind
        is handled meanwhile.
        """
        if self.owes:
            self.when_safe(lambda: self.door.send(stanza))
        else:
            self.door.send(stanza)

    def when_safe(self, go_on: Callable[[], object]) -> None:
        """Call `go_on` once all that is owed now is on disk; at once where nothing is. In order with `reply`."""
        owed = self._owed
        if owed is None or owed.done:
            go_on()
            return
        self._held += 1
        owed.hurry()
        owed.add_done_callback(partial(self._call, go_on))

    def _call(self, go_on: Callable[[], object], write: object) -> None:
        self._held -= 1
        go_on()

    def checkpoint(self) -> Callable[[], bool]:
        """Ask the returned question whether the client's end has taken all that was sent up to now; see `Door`."""
        return self.door.checkpoint()

    def owe(self, write: Write) -> None:
        """Remember a write that must be on disk before anything sent so far counts as handled. Writes are in order."""
        self._owed = write

    async def settled(self) -> None:
        """Wait until all that is owed is on disk. Who owed a write that failed has told the sender."""
        while (owed := self._owed) is not None:
            with suppress(Exception):
                await owed
            if self._owed is owed:
                self._owed = None

    @property
    def owes(self) -> bool:
        """Whether a write is still owed."""
        return self._owed is not None and not self._owed.done

    @property
    def overdue(self) -> bool:
        """Whether so many answers are held that the next stanza had better wait."""
        return self._held >= MOST_HELD

    def state(self, name: str) -> object | None:
        """What a module keeps with this session under its own name."""
        return None if self.states is None else self.states.get(name)

    def keep(self, name: str, value: object) -> None:
        """Keep something of a module with this session, as long as it lives."""
        if self.states is None:
            self.states = {}
        self.states[name] = value

    def __repr__(self) -> str:
        return f"<Session {self.jid}>"


NONE: tuple[Session, ...] = ()


class Sessions:
    """The sessions of one host's accounts on this node.

    `by_jid` has each under its full address; read it, and do not change it.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.by_jid: dict[JID, Session] = {}
        self._accounts: dict[str, tuple[Session, ...]] = {}  # by bare address, as JID or as text

    def add(self, session: Session) -> None:
        """Enter a session; `StanzaError("resource-constraint")` where its account has too many."""
        bare = session.jid.bare
        present = self._accounts.get(bare, NONE)
        if len(present) >= self.limit:
            raise StanzaError("resource-constraint", f"an account may have {self.limit} sessions at most", kind="wait")
        self._accounts[bare] = (*present, session)
        self.by_jid[session.jid] = session

    def remove(self, session: Session) -> bool:
        """Take a session out; False where it was out already."""
        bare = session.jid.bare
        present = self._accounts.get(bare, NONE)
        left = tuple(other for other in present if other is not session)
        if len(left) == len(present):
            return False
        del self.by_jid[session.jid]
        if left:
            self._accounts[bare] = left
        else:
            del self._accounts[bare]
        return True

    def of(self, account: str) -> tuple[Session, ...]:
        """All sessions of a bare address, oldest first."""
        return self._accounts.get(account, NONE)

    @property
    def present(self) -> Container[str]:
        """The bare addresses that have a session, now and later."""
        return self._accounts

    def find(self, jid: JID) -> Session | None:
        """The session with this full address."""
        return self.by_jid.get(jid)

    def __iter__(self) -> Iterator[Session]:
        """Those of the moment, oldest first."""
        return iter(list(self.by_jid.values()))

    def __len__(self) -> int:
        return len(self.by_jid)

    def accounts(self) -> list[JID]:
        """The bare addresses that have a session."""
        return [sessions[0].jid.bare for sessions in self._accounts.values()]
