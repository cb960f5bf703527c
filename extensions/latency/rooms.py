"""Latency in rooms: tells an occupant how slow the slowest of them is, so that a game can wait for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xmppd.api import IQ, Module
from xmppd.xmpp.errors import StanzaError

from . import NS_LATENCY

LATENCY = "xmppd.extensions.latency"


class LatencyInRooms(Module):
    """Answers `<latency/>` to a room, for those who are in it."""

    depends = {"muc", LATENCY}

    async def start(self) -> None:
        """Rooms answer one request more."""
        self.use("muc").add_request("get", f"{NS_LATENCY} latency", self.tell)

    async def stop(self) -> None:
        """And no more."""
        self.use("muc").remove_request("get", f"{NS_LATENCY} latency")

    async def tell(self, occupants: Sequence[Any], iq: IQ) -> str:
        """The largest figures among the occupants who are measured, and how many those are."""
        jids = [jid for occupant in occupants for jid in occupant.jids]
        if iq.sender not in jids:
            raise StanzaError("not-acceptable", "enter the room before you ask who is slow in it")
        latency = self.use(LATENCY)
        found = [session for jid in jids if (session := latency.find(jid)) is not None]
        meters = [await latency.of(session) for session in found]
        meters = [meter for meter in meters if meter.samples]
        rtt = max((meter.rtt for meter in meters), default=0.0)
        jitter = max((meter.jitter for meter in meters), default=0.0)
        more = f" measured='{len(meters)}' occupants='{len(occupants)}'"
        return str(latency.answer(rtt, jitter, more))
