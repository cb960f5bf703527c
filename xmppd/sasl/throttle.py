"""Failed logins, counted by address and by account; who fails often waits longer. No clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

LEAST_WAIT: Final = 1.0  # seconds; doubles with each further failure
KNOWN: Final = 4096  # addresses whose prefix is remembered: each login asks three times, and an office has one


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, and what the rest cost. Times are seconds.

    An address may stand for an office (60); a person mistypes a few times, and a client tries each mechanism before
    it says so: Pidgin fails seven times over one password (20). An account that is guessed at from all
    over the world (50) leaves each address one free try, never none: so nobody can lock its owner out from elsewhere.
    """

    per_address: int = 60
    per_account_and_address: int = 20
    per_account: int = 50
    longest_wait: float = 300.0  # 288 guesses a day
    window: float = 900.0  # a failure this old is forgotten
    size: int = 16384  # entries of each table, some 4 MB; past it the oldest failure is forgotten


class Throttle:
    """Whether a login may be tried now. `account` is any string (a bare JID), `address` an IP address.

    All times are seconds of one clock that never goes back. A refused try is not counted, so waits end.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience = patience or Patience()
        self._addresses = _Failures(patience)
        self._pairs = _Failures(patience)
        self._accounts = _Failures(patience)

    def wait(self, address: str, account: str | None, now: float) -> float:
        """Seconds until the next try is heard, 0.0 for at once. Ask without an account before one is named.

        Where it is not 0.0, answer `temporary-auth-failure` and look at no password.
        """
        patience, prefix = self._patience, _prefix(address)
        wait = self._addresses.wait(prefix, patience.per_address, now)
        if account is None:
            return wait
        attacked = self._accounts.count(account, now) > patience.per_account
        free = 1 if attacked else patience.per_account_and_address
        return max(wait, self._pairs.wait((account, prefix), free, now))

    def failed(self, address: str, account: str | None, now: float) -> None:
        """A login has failed; without an account where it failed before one was named."""
        prefix = _prefix(address)
        self._addresses.add(prefix, now)
        if account is not None:
            self._pairs.add((account, prefix), now)
            self._accounts.add(account, now)

    def succeeded(self, address: str, account: str) -> None:
        """Forget the account's failures. The address's stay: a guesser may have an account of his own."""
        self._pairs.clear((account, _prefix(address)))
        self._accounts.clear(account)


class _Failures:
    """Counts by key with the time of the last one, oldest first."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._entries: dict[object, tuple[int, float]] = {}

    def count(self, key: object, now: float) -> int:
        count, last = self._entries.get(key, (0, now))
        return count if now - last <= self._patience.window else 0

    def wait(self, key: object, free: int, now: float) -> float:
        excess = self.count(key, now) - free
        if excess < 0:
            return 0.0
        _, last = self._entries.get(key, (0, now))
        # 2 ** 30 seconds are past every limit; the cap keeps the number small.
        return max(0.0, last + min(LEAST_WAIT * 2.0 ** min(excess, 30), self._patience.longest_wait) - now)

    def add(self, key: object, now: float) -> None:
        count = self.count(key, now) + 1
        self._entries.pop(key, None)
        if len(self._entries) >= self._patience.size:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (count, now)

    def clear(self, key: object) -> None:
        self._entries.pop(key, None)


@lru_cache(KNOWN)
def _prefix(address: str) -> str:
    """What one person is likely to hold: an IPv4 address, or an IPv6 /64."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, 64), strict=False))
