"""The invalidation bus: what is said in its room reaches every member; `python -m tests.bench.bus` has the times."""

from tests.bench.occupants import a_room, configure, gather
from tests.bench.peer import Peer
from tests.bench.pump import Pump
from tests.bench.row import Effort, Goal
from tests.bench.rows.rooms import Talk, login

_MEMBERS = 20


def invalidation(room: str) -> bytes:
    """As `xmppd.client.bus` writes it; servers do not look at the number."""
    mark = "origin='occupant0' epoch='9f2c66d1a07b43e5' seq='118'"
    return (
        f"<message to='{room}' type='groupchat' id='9f2c66d1a07b43e5-118'><body>user:42</body>"
        f"<invalidate xmlns='urn:xmppd:bus:0' {mark}><key>user:42</key></invalidate>"
        "<store xmlns='urn:xmpp:hints'/></message>"
    ).encode()


class Invalidations(Talk):
    """An operation is one copy delivered to a member, of a message that the room's archive keeps."""

    archive = True

    def enter(self, peer: Peer, effort: Effort) -> None:
        wires, room = login(peer, self.size), a_room()
        gather(wires, room)
        configure(wires[0], room, persistentroom="1")  # others have no archive
        self.begin(Pump(wires, b"</body>", self.saw), invalidation(room))


_COPY = Goal(7, 1 / 4)

ROWS = [
    Invalidations("bus", "an invalidation to 20 members, archived, per delivered copy", 66, _COPY, size=_MEMBERS),
    Invalidations("bus-all", "the same, from all 20 at once", 67, _COPY, size=_MEMBERS, senders=_MEMBERS),
]
