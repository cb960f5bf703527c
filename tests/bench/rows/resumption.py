"""Stream management (XEP-0198): what acknowledgements cost, what a resumption costs, what an idle session weighs."""

import itertools
import re
from collections.abc import Iterable

from tests.bench.accounts import Account, crowd
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.row import CpuRow, Effort, Figure, Goal, Row
from tests.bench.rows.chat import Chat
from tests.bench.rows.idle import settled
from tests.bench.wire import Wire

_SM = "urn:xmpp:sm:3"
_ENABLE = f"<enable xmlns='{_SM}' resume='true'/>".encode()
_RESUME = f"<resume xmlns='{_SM}' h='0' previd='%s'/>"
_REQUEST = f"<r xmlns='{_SM}'/>".encode()
_ID = re.compile(rb" id=['\"]([^'\"]+)['\"]")
_EVERY = 5  # stanzas between two acknowledgements, as in XEP-0198 8.2
_SESSIONS = 500
_IDLE = 2000
_WARM = 20


def enable(wire: Wire) -> str:
    """Switch it on; the id to resume with."""
    wire.send(_ENABLE)
    answer = wire.expect(b"<enabled")
    match = _ID.search(answer)
    assert match, answer
    return match[1].decode()


class ManagedChat(Chat):
    """Chat with acknowledgements: each client asks for one, and gives one, every five messages."""

    def suits(self, peer: type[Peer]) -> bool:
        return peer.speaks_xmpp

    def prepare(self, wires: list[Wire]) -> None:
        for wire in wires:
            enable(wire)
        self._heard = [-1 + index % 2 for index in range(len(wires))]  # who begins to talk has not heard anything

    def _answer(self, index: int, number: int) -> None:
        self.moved += number
        stanzas = self._messages[index] * number
        before = self._heard[index]
        heard = self._heard[index] = before + number
        if heard // _EVERY > before // _EVERY and heard > 0:
            stanzas += b"<a xmlns='%b' h='%d'/>%b" % (_SM.encode(), heard, _REQUEST)
        self.pump.wires[index].sock.send(stanzas)


class Resume(CpuRow):
    """An operation is one resumption: a cut connection, a new one, SCRAM-SHA-1, and the former session on it."""

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", effort.load(_SESSIONS))

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._peer = peer
        self._names = [account.name for account in self.accounts(effort)]
        self._wires = [peer.login(name) for name in self._names]
        self._ids = [enable(wire) for wire in self._wires]

    def window(self, meter: Meter, effort: Effort) -> int:
        with meter:
            for wire in self._wires:
                wire.sock.close()
            self._wires = [self._resume(name, id) for name, id in zip(self._names, self._ids, strict=True)]
        return len(self._wires)

    def _resume(self, name: str, id: str) -> Wire:
        wire = Wire(self._peer.port)
        wire.authenticate(name)
        wire.send((_RESUME % id).encode())
        wire.expect(b"<resumed")
        return wire

    def leave(self) -> None:
        for wire in self._wires:
            wire.sock.close()


class Weight(Row):
    """KiB that an idle session grows by when stream management is enabled on it and nothing is unacknowledged."""

    unit = "KiB"

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [*crowd("user", effort.load(_IDLE)), *crowd("early", _WARM)]

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        names = (account.name for account in itertools.chain(crowd("early", _WARM), crowd("user", effort.load(_IDLE))))
        wires = [peer.login(name) for name in names]
        for wire in wires[:_WARM]:
            enable(wire)
        before = settled(peer.pid, effort)
        for wire in wires[_WARM:]:
            enable(wire)
        number = len(wires) - _WARM
        each = (settled(peer.pid, effort) - before) / number
        for wire in wires:
            wire.sock.close()
        return Figure(each, each, each, operations=number)


ROWS = [
    ManagedChat("chat-0198", "chat with XEP-0198 on, acks every 5 stanzas", 12, Goal(26, 1 / 5), tls=False),
    Resume("resume", "resume one of 500 sessions, SCRAM-SHA-1", 33, Goal(800, 1 / 2)),
    Weight("idle-0198", "growth of an idle session by XEP-0198", 52, Goal(1, 1)),
]
