"""What was said, what is sure, and what each device has got; and whether that is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

Said = tuple[str, int]  # by which device (its full address), and which of its messages


@dataclass
class Got:
    """One message as a device got it."""

    said: Said
    late: bool  # it says that it was sent before
    life: int  # of the server
    archive: str  # its id there, "" where it was not archived
    read: bool  # the device had read it there before


@dataclass
class Shelf:
    """All that one device has got, in the order it came."""

    live: list[Got] = field(default_factory=list)
    read: dict[str, Said] = field(default_factory=dict)  # from the archive, by id
    known: set[Said] = field(default_factory=set)  # all that was read there
    unsure: set[Said] = field(default_factory=set)  # it was got in a session that was lost before its end was sure
    missed: set[Said] = field(default_factory=set)  # it is in the archive, and did not come to a session that was there

    @property
    def all(self) -> set[Said]:
        """However it came."""
        return {got.said for got in self.live} | self.known


class Book:
    """The whole truth, as the clients know it.

    The promise: what was acknowledged to its sender was received by a device of its recipient, or lies in the offline
    store; with an archive each device has it, once, and in the order of its sender. Without one a message that several
    devices have lost goes to whoever is there, and it may come again, dated, to a device that could not tell the server
    that it has it. The clients use XEP-0198, and without an archive `until_acknowledged` of `offline`: else what is in
    a connected client's socket dies with the server.
    """

    def __init__(self) -> None:
        self.said: dict[str, list[Said]] = defaultdict(list)  # by the account it was said to
        self.sure: dict[str, set[Said]] = defaultdict(set)
        self.refused: set[Said] = set()
        self.shelves: dict[str, dict[str, Shelf]] = defaultdict(dict)  # account -> device -> what it has got
        self.stored: dict[str, list[Said]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    def shelf(self, account: str, device: str) -> Shelf:
        """What this device has got."""
        return self.shelves[account].setdefault(device, Shelf())

    def problems(self, *, archived: bool) -> list[str]:
        """All that is wrong, in words; with an archive every device must have everything."""
        found: list[str] = []
        for account, devices in self.shelves.items():
            sure = self.sure[account] - self.refused
            found += self._missing(account, sure, archived)
            for device, shelf in devices.items():
                name = f"{account}/{device}"
                found += self._invented(account, name, shelf)
                found += self._twice(name, shelf, archived)
                found += self._disorder(name, shelf, strict=archived or len(devices) == 1)
                found += [f"{name} was not sent {said}" for said in sorted(shelf.missed)]
                if archived:
                    found += [f"{name} misses {said}" for said in sorted(sure - shelf.all)]
        return found

    def _missing(self, account: str, sure: set[Said], archived: bool) -> list[str]:
        somewhere = set(self.stored[account])
        for shelf in self.shelves[account].values():
            somewhere |= shelf.all
        return [f"{account} misses {said}, which is nowhere" for said in sorted(sure - somewhere)]

    def _invented(self, account: str, name: str, shelf: Shelf) -> list[str]:
        return [f"{name} has {said}, which nobody said" for said in sorted(shelf.all - set(self.said[account]))]

    def _twice(self, name: str, shelf: Shelf, archived: bool) -> list[str]:
        """A device gets each message once.

        One that does not use an archive gets it twice, dated, where it was not sure that the server knew that it has
        it: it was got in a session whose end was lost, or the server died before it could delete it.
        """
        found: list[str] = []
        first: dict[Said, Got] = {}
        for got in shelf.live:
            before = first.setdefault(got.said, got)
            if archived and got.late and got.read:
                found.append(f"{name} was given {got.said} again, which it had read in the archive")
            if before is got:
                continue
            if not archived and got.late and (got.said in shelf.unsure or got.life != before.life):
                self.counts["came again, dated, after its acknowledgement was lost"] += 1
            else:
                found.append(f"{name} got {got.said} twice: {before}, {got}")
        return found

    def _disorder(self, name: str, shelf: Shelf, *, strict: bool) -> list[str]:
        """What comes in time comes in the order of each sender, and so does what comes late and says so.

        Where not `strict`, what comes late is what several devices had lost, one after another.
        """
        found: list[str] = []
        last: dict[tuple[str, bool], int] = defaultdict(int)
        for got in shelf.live:
            sender, number = got.said
            self.counts["came late, dated"] += got.late
            if number < last[sender, got.late] and (strict or not got.late):
                kind = " late" if got.late else ""
                found.append(f"{name} got {got.said}{kind} behind {last[sender, got.late]}")
            last[sender, got.late] = number
        return found

    def report(self) -> str:
        """The figures, a line for each."""
        total = sum(map(len, self.said.values()))
        sure = sum(map(len, self.sure.values()))
        lines = {
            "said": total,
            "acknowledged to their senders": sure,
            "received live": sum(len(shelf.live) for devices in self.shelves.values() for shelf in devices.values()),
            "read from archives": sum(len(each.read) for devices in self.shelves.values() for each in devices.values()),
            "left in the offline store": sum(map(len, self.stored.values())),
            **self.counts,
        }
        return "\n".join(f"{number:>8}  {what}" for what, number in lines.items())
