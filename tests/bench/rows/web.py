"""Browsers: chat over BOSH and over WebSocket, and what an idle session costs."""

from collections.abc import Iterable
from typing import Literal

from tests.bench.accounts import Account, crowd
from tests.bench.cpu import family, pss_kib
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import Effort, Figure, Goal, PumpRow, Row
from tests.bench.rows.idle import settled
from tests.bench.web import BoshWire, WebSocketWire
from tests.bench.wire import Wire, close_all

_PAIRS = 50
_IDLE = 500
_WARM = 20
_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."
Kind = Literal["bosh", "websocket"]


class Browsers(Pump):
    """Counts messages; a BOSH answer without one is followed by the next request."""

    def _count(self, index: int, chunk: bytes) -> int:
        wire = self.wires[index]
        if isinstance(wire, BoshWire):
            number = chunk.count(b"</message>")
            if not number and chunk.startswith(b"HTTP/1.1 200"):
                wire.sock.send(wire.request())
            return number
        return chunk.count(b"</message>")


class WebChat(PumpRow):
    """An operation is one message, received, routed and sent; one is under way in each pair.

    By BOSH it is one request, which the partner's next message answers.
    """

    def __init__(self, name: str, title: str, place: int, goal: Goal, kind: Kind) -> None:
        super().__init__(name, title, place, goal)
        self._kind = kind

    def suits(self, peer: type[Peer]) -> bool:
        return peer.speaks_web

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", 2 * effort.load(_PAIRS))

    def enter(self, peer: Peer, effort: Effort) -> None:
        wires = [peer.browse(account.name, self._kind) for account in self.accounts(effort)]
        self._messages = [_message(wires[index ^ 1]) for index in range(len(wires))]
        self.moved = 0
        for index, wire in reversed(list(enumerate(wires))):
            message = b"" if index % 2 else self._messages[index]
            if isinstance(wire, BoshWire):
                wire.hold(message)
            elif message:
                wire.send(message)
        self.pump = Browsers(wires, b"</message>", self._answer)

    def _answer(self, index: int, number: int) -> None:
        self.moved += number
        wire, message = self.pump.wires[index], self._messages[index]
        if isinstance(wire, BoshWire):
            wire.sock.send(wire.request(message * number))
        else:
            wire.sock.send(WebSocketWire.packed(message) * number)


class WebIdle(Row):
    """KiB of the server's memory for each session that is logged in and silent; by BOSH one request is held."""

    unit = "KiB"

    def __init__(self, name: str, title: str, place: int, kind: Kind) -> None:
        super().__init__(name, title, place)
        self._kind = kind

    def suits(self, peer: type[Peer]) -> bool:
        return peer.speaks_web

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [*crowd("user", effort.load(_IDLE)), *crowd("early", _WARM)]

    def measure(self, peer: Peer, effort: Effort) -> Figure:
        close_all([peer.browse(account.name, self._kind) for account in crowd("early", _WARM)])
        number = effort.load(_IDLE)
        before = settled(peer.pid, effort)
        wires = [peer.browse(account.name, self._kind) for account in crowd("user", number)]
        for wire in wires:
            if isinstance(wire, BoshWire):
                wire.hold()
        settled(peer.pid, effort)
        each = (pss_kib(family(peer.pid)) - before) / number
        for wire in wires:
            wire.sock.close()
        return Figure(each, each, each, operations=number)


def _message(to: Wire) -> bytes:
    """A message as stock clients send it: to the bare JID, with chat state and receipt request."""
    return (
        f"<message xmlns='jabber:client' type='chat' to='{to.jid.partition('/')[0]}' id='m1'><body>{_TEXT}</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>"
    ).encode()


ROWS = [
    WebChat("chat-bosh", "one-to-one chat message by BOSH, 50 pairs", 12, Goal(80, 1 / 2), "bosh"),
    WebChat("chat-websocket", "the same by WebSocket", 13, Goal(36, 1 / 2), "websocket"),
    WebIdle("idle-bosh", "idle session by BOSH, one request held", 54, "bosh"),
    WebIdle("idle-websocket", "idle session by WebSocket", 55, "websocket"),
]
