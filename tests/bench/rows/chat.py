"""One-to-one chat: pairs that answer each other as fast as the server lets them."""

from collections.abc import Iterable

from tests.bench.accounts import Account, crowd
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import Effort, Goal, PumpRow
from tests.bench.wire import Wire

_PAIRS = 100
_TEXT = "The quick brown fox jumps over the lazy dog, then back, and asks whether anyone saw."


class Chat(PumpRow):
    """An operation is one message, received, routed and sent; one is under way in each pair."""

    def __init__(self, name: str, title: str, place: int, goal: Goal | None, *, tls: bool) -> None:
        super().__init__(name, title, place, goal)
        self._tls = tls

    def suits(self, peer: type[Peer]) -> bool:
        return peer.speaks_xmpp or not self._tls

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", 2 * effort.load(_PAIRS))

    def enter(self, peer: Peer, effort: Effort) -> None:
        names = [account.name for account in self.accounts(effort)]
        wires = [peer.login(name, tls=self._tls) for name in names]
        self.prepare(wires)
        self._messages = [_message(wires[index ^ 1]) for index in range(len(wires))]
        self.moved = 0
        self.pump = Pump(wires, b"</message>", self._answer)
        for index in range(0, len(wires), 2):
            self._answer(index, 1)

    def prepare(self, wires: list[Wire]) -> None:
        """What else the clients do before they talk."""

    def _answer(self, index: int, number: int) -> None:
        self.moved += number
        self.pump.wires[index].sock.send(self._messages[index] * number)


def _message(to: Wire) -> bytes:
    """A message as stock clients send it: to the bare JID, with chat state and receipt request."""
    return (
        f"<message type='chat' to='{to.jid.partition('/')[0]}' id='m1'><body>{_TEXT}</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>"
    ).encode()


ROWS = [
    Chat("chat", "one-to-one chat message, 100 pairs, plain", 10, Goal(20, 1 / 5), tls=False),
    Chat("chat-tls", "the same over TLS", 11, Goal(36, 1 / 3), tls=True),
]
