"""Brings clients into a room (XEP-0045) and counts what each is sent there."""

import itertools
from collections.abc import Sequence

from tests.bench.accounts import HOST
from tests.bench.pump import Pump
from tests.bench.wire import Wire

_MUC = "http://jabber.org/protocol/muc"
_SUBJECT = b"<subject"  # the last thing that an occupant is sent when joining (7.2.15)
_PRESENCE, _COPY = b"</presence>", b"</body>"
_QUIET_SECONDS = 0.1
_numbers = itertools.count(1)


def a_room() -> str:
    """The address of a room that nobody has entered yet."""
    return f"room{next(_numbers)}@conference.{HOST}"


def nick(index: int) -> str:
    """What the occupant with this number is called."""
    return f"occupant{index}"


def found(wire: Wire, room: str, name: str) -> None:
    """Make an instant room (10.1.2) and be its first occupant."""
    wire.send(_join(room, name))
    wire.expect(_SUBJECT)
    form = f"<query xmlns='{_MUC}#owner'><x xmlns='jabber:x:data' type='submit'/></query>"
    wire.ask(f"<iq type='set' to='{room}' id='%s'>{form}</iq>".encode())


def configure(owner: Wire, room: str, **fields: str) -> None:
    """Set fields of muc#roomconfig (10.2)."""
    values = "".join(
        f"<field var='muc#roomconfig_{name}'><value>{value}</value></field>" for name, value in fields.items()
    )
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{_MUC}#roomconfig</value></field>"
    form = f"<query xmlns='{_MUC}#owner'><x xmlns='jabber:x:data' type='submit'>{kind}{values}</x></query>"
    owner.ask(f"<iq type='set' to='{room}' id='%s'>{form}</iq>".encode())


def destroy(owner: Wire, room: str) -> None:
    """Put an end to a room, and with it to everybody's presence there."""
    inside = f"<query xmlns='{_MUC}#owner'><destroy/></query>"
    owner.ask(f"<iq type='set' to='{room}' id='%s'>{inside}</iq>".encode())


def message(room: str, text: str) -> bytes:
    """What an occupant says to all, as stock clients send it."""
    return (
        f"<message type='groupchat' to='{room}' id='m1'><body>{text}</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    ).encode()


class Gathering(Pump):
    """Clients that enter one room, one after another; the first has founded it.

    `delivered` counts presences, or copies of what is said.
    """

    def __init__(self, wires: Sequence[Wire], room: str) -> None:
        super().__init__(wires, _PRESENCE, self._count_in)
        self.delivered = 0
        self.inside = 1
        self._room = room
        self._welcomed = False

    def grow(self, size: int) -> None:
        """Let clients enter until the room has `size` occupants."""
        self._closing = _PRESENCE
        while self.inside < size:
            self._welcomed = False
            self.wires[self.inside].send(_join(self._room, nick(self.inside)))
            self.until(lambda: self._welcomed)
            self.inside += 1

    def settle(self, seconds: float = _QUIET_SECONDS) -> None:
        """Serve until nothing has come for `seconds`."""
        while self.turn(seconds):
            pass

    def say(self, text: bytes) -> None:
        """Let the first say it, and serve until all who are inside have their copy."""
        self._closing, self.delivered = _COPY, 0
        self.wires[0].sock.send(text)
        self.until(lambda: self.delivered >= self.inside)

    def _count_in(self, _index: int, number: int) -> None:
        self.delivered += number

    def _count(self, index: int, chunk: bytes) -> int:
        # A mark cut in two lies in what the counting keeps: it is the shorter one.
        if index == self.inside and _SUBJECT in self._rest.get(index, b"") + chunk:
            self._welcomed = True
        return super()._count(index, chunk)


def gather(wires: Sequence[Wire], room: str) -> None:
    """Found `room` and let all of them enter; what they are sent meanwhile is read."""
    found(wires[0], room, nick(0))
    gathering = Gathering(wires, room)
    gathering.grow(len(wires))
    gathering.settle()
    gathering.close()


def _join(room: str, name: str) -> bytes:
    inside = f"<x xmlns='{_MUC}'><history maxstanzas='0'/></x>"
    return f"<presence to='{room}/{name}'>{inside}</presence>".encode()
