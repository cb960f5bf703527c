"""Who sends a request, seen through the proxies that are trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = Sequence[IPv4Network | IPv6Network]


def is_within(address: str, networks: Networks) -> bool:
    """Whether the address is in one of them; False for what is no address."""
    if not networks:
        return False
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def is_loopback(address: str) -> bool:
    """Whether it is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def through_proxies(address: str, headers: Mapping[bytes, bytes], trusted: Networks) -> tuple[str, bool]:
    """The client's address, and whether its connection is secure, as the trusted proxies tell; `address` is the peer's.

    The last address that no trusted proxy has is the client's: what stands before it anybody can have written.
    """
    if not is_within(address, trusted):
        return address, False
    hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        address = hop
        if not is_within(hop, trusted):
            break
    scheme = headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
    return address, scheme in (b"https", b"wss")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
