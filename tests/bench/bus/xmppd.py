"""The bus on xmppd, with its archive: what members have heard is on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import yaml

from tests.bench.accounts import HOST, PHRASE, crowd
from tests.bench.bus.ways import Applied, Way
from tests.bench.certificate import make_certificate
from tests.bench.peers.xmppd import Xmppd
from xmppd.client.bus import Bus
from xmppd.client.bus.invalidation import Invalidation

_PATIENCE = 60.0
_ROOM = f"cache@conference.{HOST}"


class Rooms(Xmppd):
    """xmppd with a room of the bus, and an archive."""

    def add_room(self) -> None:
        """Before it starts."""
        settings = yaml.safe_load(self.configuration.read_text())
        settings["modules"] |= {"mam": {}, "xmppd.extensions.bus": {"rooms": {"cache": {}}}}
        self.configuration.write_text(yaml.safe_dump(settings))


class RoomOfTheBus(Way):
    """Each member has an account of its own, and no TLS, as the others have none here."""

    title = "xmppd, the bus"
    promises = "what is lost is noticed, and replayed from disk; a barrier tells who has dropped it"

    def __init__(self, folder: Path, applied: Applied) -> None:
        super().__init__(folder, applied)
        self._server = Rooms(folder, *make_certificate(folder))
        self._buses: list[Bus] = []

    @classmethod
    def missing(cls) -> str | None:
        return Rooms.missing()

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self, members: int) -> None:
        self._server.provision(crowd("web", members))
        self._server.add_room()
        self._server.start()

    async def enter(self, members: int) -> None:
        for number, account in enumerate(crowd("web", members)):
            bus = Bus(
                account.jid, PHRASE, _ROOM, name=account.name, host="127.0.0.1", port=self._server.port, plaintext=True
            )
            self.caches.append({})
            bus.guard(self.caches[number])
            bus.on_invalidate(partial(self._heard, number))
            await bus.start(_PATIENCE)
            self._buses.append(bus)

    def _heard(self, number: int, what: Invalidation) -> None:
        for key in what.keys:
            self.applied(number, key)

    async def publish(self, member: int, key: str) -> None:
        await self._buses[member].invalidate(key, timeout=_PATIENCE)

    async def leave(self) -> None:
        for bus in self._buses:
            await bus.close()

    def stop(self) -> None:
        self._server.stop()
