"""The floor: a relay in C that moves bytes and does nothing else."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.accounts import Account
from tests.bench.peer import Peer
from tests.bench.wire import Wire

_SOURCE = Path(__file__).parent.parent / "floor.c"


class Floor(Peer):
    """What the kernel alone takes for the same traffic; built with `cc` when it is measured."""

    name = "floor"
    title = "relay in C"
    place = 90
    program = "cc"
    speaks_xmpp = speaks_web = False

    def provision(self, accounts: Sequence[Account]) -> None:
        subprocess.run(["cc", "-O2", "-o", str(self.folder / "floor"), str(_SOURCE)], check=True)

    @classmethod
    def version(cls) -> str:
        return ""

    def command(self) -> list[str]:
        return [str(self.folder / "floor"), str(self.port)]

    def login(self, name: str, *, tls: bool = False, available: bool = True) -> Wire:
        """A bare connection, paired with the one before or after it."""
        return self.connect()


PEER = Floor
