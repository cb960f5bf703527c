"""`POST /bus/ROOM`: publishing for programs that are no members."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from aiohttp import web

from xmppd.client.bus.invalidation import MOST_IDS, Invalidation, invalidation

from .settings import ComponentSettings, room_name

LARGEST: Final = 1 << 20  # bytes of a request
Publish = Callable[[str, Invalidation], bool]


class Posting:
    """The HTTP door. The body has one id on each line, in UTF-8; the token stands in `Authorization: Bearer`.

    204: said in the room. 400: an id that is none, or no UTF-8. 401: no token, or a wrong one. 404: no such room, or it
    is not the token's. 413: more than 1 MiB or 10,000 ids. 503: no connection to the server.
    """

    def __init__(self, settings: ComponentSettings, publish: Publish) -> None:
        self._settings = settings
        self._publish = publish
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Begin to listen."""
        assert self._settings.http is not None
        host, port = self._settings.http
        application = web.Application(client_max_size=LARGEST)
        application.router.add_post("/bus/{room}", self._post)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """End it."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        rooms = self._rooms(request.headers.get("Authorization", ""))
        if rooms is None:
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"}, text="a token is needed\n")
        name = room_name(request.match_info["room"])
        if not self._settings.room_allowed(name) or (rooms and name not in rooms):
            return web.Response(status=404, text="there is no such room for this token\n")
        try:
            what = _named((await request.read()).decode())
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        if what is None:
            return web.Response(status=413, text=f"at most {MOST_IDS} ids at once\n")
        if not self._publish(name, what):
            return web.Response(status=503, text="no connection to the server; try again\n")
        return web.Response(status=204)

    def _rooms(self, authorization: str) -> frozenset[str] | None:
        """The rooms of the token, or None. All tokens are compared, so that the time tells nothing."""
        given = authorization.removeprefix("Bearer ").encode(errors="surrogateescape")
        found = [rooms for token, rooms in self._settings.tokens.items() if hmac.compare_digest(token.encode(), given)]
        return found[0] if found and authorization.startswith("Bearer ") else None


def _named(body: str) -> Invalidation | None:
    """What the lines name; None for too much, ValueError for what cannot be named."""
    keys = [line.strip() for line in body.splitlines() if line.strip()]
    return None if len(keys) > MOST_IDS else invalidation(keys)
