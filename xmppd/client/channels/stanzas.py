"""The one element of our own: the request to open a channel."""

from __future__ import annotations

from typing import Final

from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream import ElementBase

NS: Final = "urn:xmppd:channel:0"
LONGEST_BATCH: Final = 60_000  # milliseconds; who asks for longer gets a block each minute


class Ask(ElementBase):
    """`<open xmlns='urn:xmppd:channel:0' service= sid= batch=/>`: please stream this service to me."""

    name = "open"
    namespace = NS
    plugin_attrib = "channel_ask"
    interfaces = {"service", "sid", "batch"}

    def seconds(self) -> float:
        """How long to gather; `bad-request` for what is no number of milliseconds."""
        text = self["batch"] or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise XMPPError("bad-request", f"batch is a number of milliseconds, not {text[:32]!r}", etype="modify")
        return min(int(text), LONGEST_BATCH) / 1000
