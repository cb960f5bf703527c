"""Presence changes, each seen by fifty contacts."""

from collections.abc import Iterable
from itertools import chain

from tests.bench.accounts import Account, friends
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import Effort, Goal, PumpRow
from tests.bench.wire import Wire

_PUBLISHERS = 10
_CONTACTS = 50
_CHANGES = (
    b"<presence><show>away</show><status>gone for lunch</status></presence>",
    b"<presence><show>dnd</show><status>writing a letter</status></presence>",
)
_MARK = b"</status>"  # only the changes have one; servers answer probes and add children at any time


class Presence(PumpRow):
    """An operation is one delivery to a contact. A publisher changes again when all contacts have seen the last."""

    def accounts(self, effort: Effort) -> Iterable[Account]:
        return chain.from_iterable(
            friends(f"publisher{hub}", [f"seer{hub}x{number}" for number in range(_CONTACTS)])
            for hub in range(effort.load(_PUBLISHERS))
        )

    def enter(self, peer: Peer, effort: Effort) -> None:
        self._publishers: list[Wire] = []
        seers: list[Wire] = []
        for hub in range(effort.load(_PUBLISHERS)):
            self._publishers.append(peer.login(f"publisher{hub}"))
            seers.extend(peer.login(f"seer{hub}x{number}") for number in range(_CONTACTS))
        self._missing = [0] * len(self._publishers)
        self.moved = self._round = 0
        self.pump = Pump(seers + self._publishers, _MARK, self._saw)
        for hub in range(len(self._publishers)):
            self._publish(hub)

    def _saw(self, index: int, number: int) -> None:
        hub = index // _CONTACTS
        if hub >= len(self._publishers):
            return  # a publisher's own copy
        self.moved += number
        self._missing[hub] -= number
        if not self._missing[hub]:
            self._publish(hub)

    def _publish(self, hub: int) -> None:
        self._missing[hub] = _CONTACTS
        self._round += 1
        self._publishers[hub].sock.send(_CHANGES[self._round // len(self._publishers) % 2])


ROWS = [Presence("presence", "presence change seen by 50 contacts, per delivery", 20, Goal(8, 1 / 5))]
