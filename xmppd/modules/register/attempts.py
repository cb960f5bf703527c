"""How often one address may try to make an account."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from xmppd.xmpp.errors import StanzaError

ADDRESSES = 4096  # remembered, some 1 MB; past it the oldest is forgotten


@dataclass(slots=True)
class Tries:
    """What one address has done since it first tried."""

    since: float
    count: int = 0
    made: bool = False


class Attempts:
    """Tries of each address to register. An IPv6 address stands for its /64, which is what one household has."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def begin(self, address: str, now: float, window: float, most: int) -> Tries:
        """Count a try, which is taken for a success until `failed`.

        `resource-constraint` where the address has made an account or failed `most` times in the last `window` seconds.
        """
        name = _network(address)
        tries = self._tries.get(name)
        if tries is None or now - tries.since >= window:
            self._tries.pop(name, None)
            tries = self._tries[name] = Tries(now)
            while len(self._tries) > ADDRESSES:
                self._tries.popitem(last=False)
        if tries.made or tries.count >= most:
            wait = int(tries.since + window - now) + 1
            raise StanzaError("resource-constraint", f"too many accounts from your address; wait {wait} seconds")
        tries.count += 1
        tries.made = True
        tries.since = now
        return tries

    def failed(self, tries: Tries) -> None:
        """No account came of it: the next try need not wait."""
        tries.made = False


def _network(address: str) -> str:
    return str(ip_network((address, 64), strict=False)) if ip_address(address).version == 6 else address
