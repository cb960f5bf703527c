"""The settings of one member."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slixmpp import JID, InvalidJID

from .members import LONGEST_LEASE


def own_name() -> str:
    """A name that no other process has: host, process, and a few random letters."""
    return f"{socket.gethostname().partition('.')[0]}-{os.getpid()}-{secrets.token_hex(2)}"


def boot_clock() -> float:
    """Seconds that also pass while the machine sleeps, where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def best_clock() -> Callable[[], float]:
    """The clock that leases are measured with."""
    return boot_clock if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


@dataclass(frozen=True, slots=True)
class Settings:
    """How one member reaches its room, and how long it believes what. All times are in seconds.

    A member sends a heartbeat after `beat` of silence. It serves cached entries only while a message of its own that it
    sent within the last `lease` has come back from the room. Where it lost the room it keeps its entries, unserved,
    for `keep`: if it comes back in time and the archive tells it all it missed, they are served again.
    """

    jid: str
    password: str = field(repr=False)
    room: str
    name: str = field(default_factory=own_name)
    host: str = ""
    port: int = 5222
    ca_certs: str = ""
    plaintext: bool = False
    beat: float = 3.0
    lease: float = 10.0
    keep: float = 60.0
    gather: float = 0.003
    patience: float = 10.0
    most_backoff: float = 15.0
    clock: Callable[[], float] = field(default_factory=best_clock, repr=False)

    def __post_init__(self) -> None:
        try:
            jid, room = JID(self.jid), JID(self.room)
        except InvalidJID as error:
            raise ValueError(f"{self.jid!r} or {self.room!r} is no address: {error}") from None
        if not (jid.user and room.user):
            raise ValueError("jid and room are of the form name@domain")
        if not 0 < self.beat * 2 <= self.lease:
            raise ValueError("beat is above 0, and lease at least twice beat")
        if self.lease > LONGEST_LEASE:
            raise ValueError(f"lease is at most {LONGEST_LEASE:g} seconds: others believe no longer one")
        if self.ca_certs and not os.path.isfile(self.ca_certs):
            raise ValueError(f"ca_certs: there is no file {self.ca_certs!r}")
        object.__setattr__(self, "room", room.bare)
