"""The routes that modules add to the doors for HTTP: a method and a path, and who answers there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Names of `headers` are in lower case; `arguments` are the parts of the path in braces.

    `address` is the client's, seen through trusted proxies, and `secure` says whether it came by TLS.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    secure: bool = False
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered: text is sent as UTF-8."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path is written `/bus/{room}`: a part in braces matches any one part, and is given by that name."""

    method: str
    path: str
    answer: Answer

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """The arguments in a path, cut at its slashes; None where it is another path."""
        pattern = self.path.split("/")
        if len(pattern) != len(parts):
            return None
        found = {}
        for ours, theirs in zip(pattern, parts, strict=True):
            if ours.startswith("{") and ours.endswith("}") and theirs:
                found[ours[1:-1]] = unquote(theirs)
            elif ours != theirs:
                return None
        return found


class Routes:
    """All routes of a server, by the host whose module has them."""

    def __init__(self) -> None:
        self._routes: dict[str, list[Route]] = {}

    def add(self, host: str, route: Route) -> None:
        """Answer there from now on. ValueError where the host answers there already."""
        known = self._routes.setdefault(host, [])
        if any((other.method, other.path) == (route.method, route.path) for other in known):
            raise ValueError(f"{route.method} {route.path} is answered already")
        known.append(route)

    def remove(self, host: str, route: Route) -> None:
        """Answer no more."""
        self._routes[host].remove(route)

    def find(self, host: str, path: str) -> list[tuple[Route, dict[str, str]]]:
        """Who answers at a path, by whichever method: of this host, or of the first that has it where it is none."""
        parts = path.split("/")
        for routes in [self._routes[host]] if host in self._routes else self._routes.values():
            found = [(route, arguments) for route in routes if (arguments := route.match(parts)) is not None]
            if found:
                return found
        return []
