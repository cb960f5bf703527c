"""A file by in-band bytestream: blocks of 4,096 bytes, each in an iq that the other side answers (XEP-0047)."""

import base64
import random
from collections.abc import Iterable

from tests.bench.accounts import Account
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.row import CpuRow, Effort, Goal
from tests.bench.wire import Wire, close_all

_BLOCK = 4096
_BLOCKS = (1 << 20) // _BLOCK  # of a megabyte
_AT_ONCE = 8  # blocks on their way before the first is answered
_IBB = "http://jabber.org/protocol/ibb"


class File(CpuRow):
    """An operation is a megabyte. The sender does not wait for each answer, but has at most eight blocks on their way."""

    unit = "CPU ms"

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return [Account("sender"), Account("receiver")]

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._sender, self._receiver = peer.login("sender"), peer.login("receiver")
        self._blocks = [_block(self._receiver, number) for number in range(_BLOCKS)]
        inside = f"<open xmlns='{_IBB}' sid='file' block-size='{_BLOCK}'/>"
        self._sender.send(f"<iq type='set' to='{self._receiver.jid}' id='open1'>{inside}</iq>".encode())
        self._receiver.expect(b"</iq>")
        self._receiver.send(f"<iq type='result' to='{self._sender.jid}' id='open1'/>".encode())
        self._sender.expect(b"open1")

    def window(self, meter: Meter, effort: Effort) -> int:
        megabytes = effort.load(20)
        with meter:
            for _ in range(megabytes):
                self._send_megabyte()
        return megabytes * 1000  # figures are in µs; this makes them ms

    def leave(self) -> None:
        close_all([self._sender, self._receiver])

    def _send_megabyte(self) -> None:
        for number in range(0, _BLOCKS, _AT_ONCE):
            batch = range(number, number + _AT_ONCE)
            self._sender.send(b"".join(self._blocks[each] for each in batch))
            for each in batch:
                self._receiver.expect(b"</iq>")
                self._receiver.send(f"<iq type='result' to='{self._sender.jid}' id='b{each}'/>".encode())
            for each in batch:
                self._sender.expect(b"b%d" % each)


def _block(to: Wire, number: int) -> bytes:
    data = base64.b64encode(random.Random(number).randbytes(_BLOCK)).decode()
    inside = f"<data xmlns='{_IBB}' sid='file' seq='{number}'>{data}</data>"
    return f"<iq type='set' to='{to.jid}' id='b{number}'>{inside}</iq>".encode()


ROWS = [File("ibb", "a megabyte by XEP-0047, blocks of 4,096 bytes", 90, Goal(12, 1 / 4))]
