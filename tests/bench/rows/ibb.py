"""Files by in-band bytestream: blocks of 4,096 bytes, each in an iq that the other side answers (XEP-0047)."""

import base64
import random
from collections.abc import Iterable

from tests.bench.accounts import Account, crowd
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import Effort, Goal, PumpRow
from tests.bench.wire import Wire, close_all

_PAIRS = 10
_BLOCK = 4096
_BLOCKS = (1 << 20) // _BLOCK  # of a megabyte
_IBB = "http://jabber.org/protocol/ibb"


class Answers(Pump):
    """Every second wire receives blocks, the others the answers to theirs; these are told by different marks."""

    def _count(self, index: int, chunk: bytes) -> int:
        self._closing = b"</iq>" if index % 2 else b"result"
        return super()._count(index, chunk)


class File(PumpRow):
    """An operation is a megabyte. A sender waits for the answer to each block, as clients do; ten pairs are at it."""

    unit = "CPU ms"

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return crowd("user", 2 * effort.load(_PAIRS))

    def enter(self, peer: Peer, effort: Effort) -> None:
        wires = [peer.login(account.name) for account in self.accounts(effort)]
        for sender, receiver in zip(wires[::2], wires[1::2], strict=True):
            _open(sender, receiver)
        self._blocks = [_blocks(wires[index + 1]) if not index % 2 else [] for index in range(len(wires))]
        self._next = [0] * len(wires)
        self.moved = 0
        self.pump = Answers(wires, b"", self._arrived)
        for index in range(0, len(wires), 2):
            self._arrived(index, 1)

    def window(self, meter: Meter, effort: Effort) -> int:
        # figures come in µs for each operation: a thousandth of a megabyte makes ms
        return super().window(meter, effort) * 1000 // _BLOCKS

    def leave(self) -> None:
        self.pump.close()
        close_all(self.pump.wires)

    def _arrived(self, index: int, number: int) -> None:
        wire = self.pump.wires[index]
        for _ in range(number):
            at = self._next[index]
            self._next[index] = (at + 1) % _BLOCKS
            if index % 2:
                self.moved += 1
                wire.send(f"<iq type='result' to='{self.pump.wires[index - 1].jid}' id='b{at}'/>".encode())
            else:
                wire.send(self._blocks[index][at])


def _open(sender: Wire, receiver: Wire) -> None:
    inside = f"<open xmlns='{_IBB}' sid='file' block-size='{_BLOCK}'/>"
    sender.send(f"<iq type='set' to='{receiver.jid}' id='open1'>{inside}</iq>".encode())
    receiver.expect(b"</iq>")
    receiver.send(f"<iq type='result' to='{sender.jid}' id='open1'/>".encode())
    sender.expect(b"open1")


def _blocks(to: Wire) -> list[bytes]:
    chance = random.Random(1)
    stanzas = []
    for number in range(_BLOCKS):
        data = base64.b64encode(chance.randbytes(_BLOCK)).decode()
        inside = f"<data xmlns='{_IBB}' sid='file' seq='{number}'>{data}</data>"
        stanzas.append(f"<iq type='set' to='{to.jid}' id='b{number}'>{inside}</iq>".encode())
    return stanzas


ROWS = [File("ibb", "a megabyte by XEP-0047, blocks of 4,096 bytes, 10 pairs", 90, Goal(12, 12 / 47))]
