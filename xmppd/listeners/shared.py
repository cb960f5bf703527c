"""What all doors of a server share: parsers, outbox, certificates, and who has connected from where."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from xmppd.config import Limits
from xmppd.host import House
from xmppd.metrics import Counter as Metric
from xmppd.metrics import Gauge
from xmppd.sasl import Throttle
from xmppd.wire.framer import Parsers
from xmppd.xmpp.ids import Ids

from .certificates import Certificates
from .outbox import Outbox
from .resumptions import Resumptions

log = logging.getLogger(__name__)


class Traffic:
    """Figures of all doors."""

    connections = Gauge("Connections open now")
    accepted = Metric("Connections accepted")
    refused = Metric("Connections refused for a limit")
    logins = Metric("Logins that succeeded")
    failures = Metric("Logins that failed")


@dataclass(slots=True)
class Shared:
    """Made once by the server; every listener and connection has it."""

    house: House
    certificates: Certificates
    parsers: Parsers
    throttle: Throttle
    outbox: Outbox = field(default_factory=Outbox)
    ids: Ids = field(default_factory=Ids)
    traffic: Traffic = field(default_factory=Traffic)
    addresses: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)  # those of them who have not logged in, by address
    unauthenticated: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    resumptions: Resumptions = field(init=False)

    def __post_init__(self) -> None:
        self.resumptions = Resumptions(self.house, self.keep)

    @property
    def limits(self) -> Limits:
        """The limits in force now."""
        return self.house.config.limits

    def keep(self, task: asyncio.Task[None] | None) -> None:
        """Hold a task until it is done, and wait for it at the end."""
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def finish(self, patience: float) -> None:
        """Wait for the tasks held, and for those that they begin; what is not done after `patience` seconds ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while self.tasks and loop.time() < deadline:
            await asyncio.wait(self.tasks, timeout=deadline - loop.time())
        for task in self.tasks:
            log.warning("ended without waiting longer: %s", task.get_coro())
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=1)

    def admits(self, address: str) -> bool:
        """Count a new connection; False where its address or the server has too many."""
        limits = self.limits
        full = (
            self.addresses[address] >= limits.max_connections_per_address
            or self.unauthenticated >= limits.max_unauthenticated
            or self.strangers[address] >= limits.max_unauthenticated_per_address
        )
        self.addresses[address] += 1
        self.strangers[address] += 1
        self.unauthenticated += 1
        self.traffic.connections.inc()
        (self.traffic.refused if full else self.traffic.accepted).inc()
        return not full

    def authenticated(self, address: str) -> None:
        """A connection that was counted has logged in."""
        self.unauthenticated -= 1
        less(self.strangers, address)

    def left(self, address: str, authenticated: bool) -> None:
        """A connection that was counted is gone."""
        self.traffic.connections.dec()
        less(self.addresses, address)
        if not authenticated:
            self.authenticated(address)


def less(counts: Counter[str], key: str) -> None:
    """Count one less; what is counted no more takes no room."""
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
