"""Two people who chat while others storm."""

from __future__ import annotations

from itertools import count

from tests.kit.client import Client
from tests.kit.raw import Raw
from tests.kit.world import World

LIMIT = 65536  # bytes of one stanza, in these stories


class Calm:
    """`one` and `other` have a session each; `chat` shows that the storm has not reached them."""

    def __init__(self, world: World, one: Client, other: Client) -> None:
        self.world, self.one, self.other = world, one, other
        self._numbers = count()

    async def chat(self) -> None:
        """One message each way; nothing else has come."""
        number = next(self._numbers)
        for sender, receiver in ((self.one, self.other), (self.other, self.one)):
            sender.send(f"<message to='{receiver.jid}' id='{number}'><body>still here</body></message>")
            await receiver.receives(f"c:message[@id='{number}']")
            await sender.receives_nothing()

    async def error_after(self, sent: bytes, size: int = 0) -> str:
        """The stream error that a stranger gets for these bytes, sent in pieces of `size`."""
        async with Raw(self.world.server.port) as raw:
            await raw.send(sent, size)
            return await raw.error()
