"""Answers requests by what stands in `request_handlers`: metrics, pages, and the routes of modules."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from xmppd.listeners.stepper import step
from xmppd.metrics import CONTENT_TYPE
from xmppd.routes import Request, Response, Route
from xmppd.xmpp.errors import StanzaError

from .exchange import Exchange
from .origins import PREFLIGHT, allowed, cors
from .pages import Pages

if TYPE_CHECKING:
    from .listener import HTTPListener

log = logging.getLogger(__name__)

# An exception is a condition on the wire: what a module's `StanzaError` is in HTTP.
STATUS: Final = {
    "bad-request": 400,
    "jid-malformed": 400,
    "not-acceptable": 400,
    "not-authorized": 401,
    "forbidden": 403,
    "not-allowed": 403,
    "registration-required": 403,
    "item-not-found": 404,
    "recipient-unavailable": 404,
    "conflict": 409,
    "policy-violation": 413,
    "resource-constraint": 429,
    "feature-not-implemented": 501,
    "service-unavailable": 503,
    "remote-server-timeout": 503,
}


class Answerers:
    """What is neither BOSH nor WebSocket."""

    def __init__(self, listener: HTTPListener) -> None:
        self._listener = listener
        self._house = listener.shared.house
        root = listener.options.document_root
        self._pages = None if root is None else Pages(root)

    def metrics(self, exchange: Exchange) -> None:
        """All figures, as Prometheus reads them."""
        exchange.send(200, self._house.metrics.render(), CONTENT_TYPE)

    def pages(self, exchange: Exchange, path: str) -> None:
        """A file."""
        assert self._pages is not None
        self._listener.shared.keep(step(self._pages.serve(exchange, path)))

    def modules(self, exchange: Exchange) -> None:
        """A route that a module has added."""
        origins, origin = self._listener.options.origins, exchange.header(b"origin")
        if not allowed(origin, exchange.header(b"host"), origins):
            exchange.send(403, b"pages of this origin may not come here; see `origins` in the configuration\n")
            return
        exchange.cors = cors(origin, origins)
        host = exchange.header(b"host").decode("latin-1").partition(":")[0].lower()
        found = self._house.routes.find(host if host in self._house.hosts else "", exchange.path)
        method = exchange.request.method.decode()
        names = ", ".join(sorted({route.method for route, _ in found} | {"OPTIONS"})).encode()
        chosen = next((each for each in found if each[0].method == method), None)
        if chosen is not None:
            self._listener.shared.keep(step(_answer(exchange, *chosen)))
        elif not found:
            exchange.send(404, b"there is nothing here\n")
        elif method == "OPTIONS":
            exchange.send(204, b"", more=b"Allow: %b\r\n" % names + exchange.cors + PREFLIGHT % names)
        else:
            exchange.send(405, b"not by this method\n", more=b"Allow: %b\r\n" % names)


async def _answer(exchange: Exchange, route: Route, arguments: dict[str, str]) -> None:
    try:
        response = await route.answer(_request(exchange, arguments)) or Response(status=204)
    except StanzaError as error:
        response = Response(f"{error.text or error.condition}\n", STATUS.get(error.condition, 500))
    except Exception:
        log.exception("%s %s failed", route.method, route.path)
        response = Response("the server made a mistake\n", 500)
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items() if _is_one_line(name + value))
    exchange.send(response.status, body, response.content_type, lines.encode("latin-1", "replace") + exchange.cors)


def _request(exchange: Exchange, arguments: dict[str, str]) -> Request:
    arrived = exchange.request
    path, _, query = arrived.target.decode("latin-1").partition("?")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in arrived.headers.items()}
    return Request(
        arrived.method.decode(), path, query, headers, arrived.body, exchange.address, exchange.secure, arguments
    )


def _is_one_line(text: str) -> bool:
    return "\r" not in text and "\n" not in text
