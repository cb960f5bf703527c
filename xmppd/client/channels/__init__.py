"""Data channels for slixmpp: one side serves an async generator, the other iterates over it.

    channels = Channels.of(xmpp)

    @channels.service("telemetry", allow=anyone)
    async def telemetry(asker):
        while True:
            yield {"x": read_sensor()}
            await asyncio.sleep(0.1)

    async for reading in channels.open("a@example.org/game", "telemetry", batch=1000, decode=unpacked):
        print(reading)

A service yields bytes, or objects, which travel as msgpack (`pip install xmppd[channels]`).
"""

from .errors import ChannelBroken, ChannelError, ChannelRefused
from .objects import packed, unpacked
from .plugin import Channels
from .reading import Channel
from .service import Service, WhenSlow, anyone, contacts, own

__all__ = [
    "Channel",
    "ChannelBroken",
    "ChannelError",
    "ChannelRefused",
    "Channels",
    "Service",
    "WhenSlow",
    "anyone",
    "contacts",
    "own",
    "packed",
    "unpacked",
]
