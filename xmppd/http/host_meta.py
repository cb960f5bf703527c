"""Where clients find the doors: host-meta in XML and JSON (XEP-0156 3, XEP-0487)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from xmppd.xmpp.stanza import escape

from .exchange import Exchange

if TYPE_CHECKING:
    from .listener import HTTPListener

JSON: Final = ".json"
ALT: Final = "urn:xmpp:alt-connections"
NAMES: Final = {"websocket": f"{ALT}:websocket", "bosh": f"{ALT}:xbosh"}
SCHEMES: Final = {"websocket": ("ws", "wss"), "bosh": ("http", "https")}
TTL: Final = 3600  # seconds
PRIORITY, WEIGHT = 10, 50
# A Host header that may stand in an answer: a name or an address, and a port (RFC 9110 7.2).
HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# Pages of every site may read where to connect; there is nothing secret in it (XEP-0156 4).
READABLE: Final = b"Access-Control-Allow-Origin: *\r\n"


class HostMeta:
    """Made of the configuration, for the name that the client used."""

    def __init__(self, listener: HTTPListener) -> None:
        self._listener = listener

    def serve(self, exchange: Exchange) -> None:
        """Answer in the form that the path asks for."""
        if exchange.request.method not in (b"GET", b"HEAD"):
            exchange.send(405, b"this is read with GET\n", more=b"Allow: GET, HEAD\r\n")
        elif exchange.path.endswith(JSON):
            exchange.send(200, json.dumps(self._json(exchange)).encode(), "application/json", READABLE)
        else:
            exchange.send(200, self._xml(exchange).encode(), "application/xrd+xml; charset=utf-8", READABLE)

    def _xml(self, exchange: Exchange) -> str:
        links = "".join(f"<Link rel='{rel}' href='{escape(href)}'/>" for rel, href in self._links(exchange))
        return f"<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>{links}</XRD>"

    def _json(self, exchange: Exchange) -> dict[str, Any]:
        links: list[dict[str, Any]] = [{"rel": rel, "href": href} for rel, href in self._links(exchange)]
        addresses = [str(address) for address in self._listener.options.addresses]
        if not addresses:  # without them there is no XEP-0487, which needs them for each link
            return {"links": links}
        links += [{"rel": rel, "port": port} for rel, port in self._ports()]
        more = {"ips": addresses, "priority": PRIORITY, "weight": WEIGHT, "sni": self._name(exchange)}
        return {"xmpp": {"ttl": TTL}, "links": [link | more for link in links]}

    def _links(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        options = self._listener.options
        at = exchange.header(b"host").decode("latin-1")
        if HOST.fullmatch(at) is None:
            at = self._name(exchange)
        for path, handler in options.request_handlers.items():
            if handler == "websocket" or handler == "bosh":
                href = options.urls.get(handler) or f"{SCHEMES[handler][exchange.secure]}://{at}{path}"
                yield NAMES[handler], href

    def _ports(self) -> Iterator[tuple[str, int]]:
        """The doors that speak TLS from the first byte (XEP-0368)."""
        for door in self._listener.shared.house.config.listen:
            if door.tls and door.module in ("c2s", "s2s"):
                yield f"{ALT}:{'tls' if door.module == 'c2s' else 's2s-tls'}", door.port

    def _name(self, exchange: Exchange) -> str:
        hosts = self._listener.shared.house.config.hosts
        name = exchange.header(b"host").decode("latin-1").partition(":")[0].lower()
        return name if name in hosts else hosts[0]
