"""XEP-0202: Entity Time of the server."""

from __future__ import annotations

from datetime import UTC, datetime

from xmppd.api import IQ, SERVER, Module, iq_get
from xmppd.xmpp.timestamps import format_datetime, format_offset

NS_TIME = "urn:xmpp:time"


class Time(Module):
    """Tells the server's clock and zone."""

    features, xeps = {NS_TIME}, {"0202": "2.0", "0082": "1.1.1"}

    @iq_get("time", NS_TIME, to=SERVER)
    async def answer(self, iq: IQ) -> str:
        """The time in UTC, with fractions of a second, and the offset of the server's zone (XEP-0202 2)."""
        now = self.clock.time()
        offset = datetime.fromtimestamp(now, UTC).astimezone().utcoffset()
        zone = format_offset(offset) if offset else "+00:00"
        return f"<time xmlns='{NS_TIME}'><tzo>{zone}</tzo><utc>{format_datetime(now)}</utc></time>"
