"""The door of a session with stream management (XEP-0198): it outlives each connection that the session has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from xmppd.routing.sessions import Session
from xmppd.wire.items import Nonza
from xmppd.wire.resume import Ledger, number
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.passage import Holders
from xmppd.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from .client import Client
    from .resumptions import Resumptions

REQUEST: Final = f"{ns.SM} r"
ANSWER: Final = f"{ns.SM} a"
ASK: Final = f"<r xmlns='{ns.SM}'/>".encode()
# An answer costs a phone as little as a stanza; more often would double the traffic of a chat.
EVERY: Final = 5
# After these nobody comes back to the session; any other end leaves the stream unfinished (XEP-0198 7).
FINAL: Final = frozenset({"conflict", "system-shutdown", "undefined-condition"})


class ManagedDoor:
    """Keeps what it sends until the client has acknowledged it; while there is no connection it only keeps.

    What waits for a connection is on disk too, with whoever stores messages, until it is acknowledged. Past the limits
    on what is kept the session ends, and what it has not acknowledged goes back to the road.
    """

    __slots__ = (
        "_address",
        "_asked",
        "_kept",
        "_lacks",
        "_replaying",
        "_resumptions",
        "_unasked",
        "_waited",
        "client",
        "deadline",
        "final",
        "id",
        "ledger",
        "over",
        "patience",
        "session",
    )

    def __init__(self, client: Client, session: Session, id: str, patience: float, resumptions: Resumptions) -> None:
        """`id` is the capability to resume, "" where that is not wanted; `patience` is in seconds."""
        self.client: Client | None = client
        self.session = session
        self.id = id
        self.patience = patience
        self.ledger = Ledger()
        self.deadline = 0.0
        self.final = False
        self.over = False
        self._resumptions = resumptions
        self._address = client.address
        self._kept = False  # whether something of the ledger may lie on disk too
        self._lacks: tuple[int, int, frozenset[int]] | None = None
        self._replaying = False
        self._asked = 0
        self._unasked = 0
        self._waited = 0.0

    # The door (routing.sessions.Door)

    def send(self, stanza: Stanza) -> Awaitable[None] | None:
        """Keep a stanza, and send it if somebody is there; `StanzaError` where it cannot be kept on disk."""
        if self.over:
            self._resumptions.too_late(self.session, stanza)
            return None
        client = self.client
        if client is None:
            return self._wait_with(stanza)
        self.ledger.push(stanza, self._resumptions.clock.time())
        if self._replaying:
            self._bound()
            return None
        client.send(stanza)
        self._unasked += 1
        if self._unasked >= EVERY:
            self.ask()
            self._bound()
        return None

    def send_copy(self, stanza: Stanza, to: JID) -> Awaitable[None] | None:
        """The same for a copy."""
        return self.send(stanza.addressed(to))

    def _wait_with(self, stanza: Stanza) -> Awaitable[None] | None:
        entry = stanza, self._resumptions.clock.time()
        waiting = self._resumptions.keep(self.session, entry)
        self.ledger.push(*entry)
        self._bound()
        return waiting

    def close(self, error: StreamError | None = None) -> None:
        """End the stream, and with it the session: nobody can resume it."""
        self.final = True
        if self.client is not None:
            self.client.close(error)

    def describe(self) -> dict[str, object]:
        """For operators."""
        if self.client is not None:
            return self.client.describe()
        return {"ip": self._address, "connection": "detached", "tls": ""}

    def checkpoint(self) -> Callable[[], bool]:
        """Ask the client; the question is true once it has acknowledged all that it was sent."""
        mark = self.ledger.sent
        if self.client is not None and self._unasked and not self._replaying:
            self.ask()
        return partial(self.ledger.reached, mark)

    def tells(self) -> bool:
        """The client says so by its acknowledgements."""
        self._kept = True
        return True

    def lacks(self, holders: Holders) -> bool:
        """Whether the client has not acknowledged it; once the session is over nobody knows."""
        return self.over or id(holders) in self._lacking()

    def _lacking(self) -> frozenset[int]:
        # Who loses its connection asks for each of its messages: all answers are found at once.
        ledger = self.ledger
        if self._lacks is None or self._lacks[:2] != (ledger.acknowledged, len(ledger)):
            passages = (stanza.passage for stanza, _ in ledger)
            open = frozenset(id(passage.holders) for passage in passages if passage is not None)
            self._lacks = ledger.acknowledged, len(ledger), open
        return self._lacks[2]

    @property
    def detached(self) -> bool:
        """Whether the connection is lost."""
        return self.client is None and not self.over

    def abandon(self) -> Sequence[tuple[Stanza, float]]:
        """The session is over."""
        self.over = True
        self.client = None
        self._resumptions.forget(self)
        return self.ledger.take()

    # Acknowledgements

    def ask(self) -> None:
        """Request an acknowledgement."""
        assert self.client is not None
        self._unasked = 0
        self._asked = self.ledger.sent
        self.client.write(ASK)

    def takes(self, item: Nonza) -> bool:
        """Deal with `<a/>` and `<r/>`; False for anything else, and where too many answers are held already.

        `StreamError` for an acknowledgement of nothing, or of more than was sent.
        """
        if item.name == REQUEST:
            if self.session.overdue:
                return False
            self.answer()
            return True
        if item.name != ANSWER:
            return False
        h = number(item.attributes.get("h"))
        if h is None:
            raise StreamError("bad-format", "say how many stanzas you have handled: <a h='...'/>")
        if self._acknowledged(h):
            self._waited = 0.0
        return True

    def _acknowledged(self, h: int) -> int:
        ledger = self.ledger
        if self._kept:
            for stanza, _ in islice(ledger, ledger.news(h)):
                if stanza.passage is not None:
                    stanza.passage.holders.has_it()
        return ledger.acknowledge(h)

    def answer(self) -> None:
        """Acknowledge what the client has sent so far, once all of it is delivered or on disk."""
        self.session.when_safe(partial(self._answer, self.client, self.ledger.handled))

    def _answer(self, client: Client | None, handled: int) -> None:
        if client is not None and client is self.client:
            client.write(acknowledgement(handled))

    def last_words(self) -> bytes:
        """The acknowledgement before the stream ends; nothing where it would promise too much."""
        return b"" if self.session.owes else acknowledgement(self.ledger.handled)

    def check(self, interval: float) -> bool:
        """`interval` seconds have passed; False where the client owes an answer for too long."""
        ledger = self.ledger
        if not len(ledger):
            self._waited = 0.0
            return True
        if self._unasked:
            self.ask()
            return True
        self._waited += interval
        return self._waited < self._resumptions.limits.ack_timeout

    def _bound(self) -> None:
        limits = self._resumptions.limits
        if len(self.ledger) > limits.max_ack_queue or self.ledger.size > limits.max_ack_size:
            self.close(StreamError("policy-violation", "acknowledge what you receive"))
            self._resumptions.end(self.session, "too much is not acknowledged")

    # One connection after another

    def lost(self, client: Client) -> None:
        """A connection is gone: wait for the next one, or end the session."""
        if self.client is not client:
            return
        self.client = None
        self._address = client.address
        if self.final or not self.id:
            self._resumptions.end(self.session, "connection closed")
        else:
            self._resumptions.detach(self)

    async def release(self) -> None:
        """Take the session from the connection that it has, if any, and wait until nothing it has sent is underway."""
        client, self.client = self.client, None
        self._replaying = False
        if client is not None:
            self._address = client.address
            await client.let_go(StreamError("conflict", "resumed on another connection"))
        await self.session.settled()

    def attach(self, client: Client, h: int) -> None:
        """Take up another connection, whose client has handled `h` stanzas; nothing is sent there before `go_on`."""
        self._acknowledged(h)
        self.client = client
        self._waited = 0.0
        self._replaying = True

    def go_on(self, client: Client) -> None:
        """At the end of this turn, behind what is written meanwhile, send again what the client has not handled."""
        asyncio.get_running_loop().call_soon(self._replay, client)

    def _replay(self, client: Client) -> None:
        if self.client is not client:
            return
        self._replaying = False
        for stanza, _ in self.ledger:
            client.send(stanza)
        self._unasked = 0
        if len(self.ledger):
            self.ask()


def acknowledgement(handled: int) -> bytes:
    """`<a/>`."""
    return b"<a xmlns='%b' h='%d'/>" % (ns.SM.encode(), handled)
