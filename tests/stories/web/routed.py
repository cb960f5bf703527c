"""A module with routes, for stories."""

import json

from xmppd.api import Module, Request, Response, http_route
from xmppd.xmpp.errors import StanzaError


class Routed(Module):
    """Says what it heard."""

    @http_route("POST", "/bus/{room}")
    async def publish(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer sesame":
            raise StanzaError("not-authorized", "say who you are")
        said = {"room": request.arguments["room"], "body": request.body.decode(), "ip": request.address}
        return Response(json.dumps(said), content_type="application/json", headers={"x-room": "yes"})

    @http_route("DELETE", "/bus/{room}")
    async def clear(self, request: Request) -> None:
        """Nothing to say."""

    @http_route("GET", "/bus/{room}/crash")
    async def crash(self, request: Request) -> Response:
        raise LookupError(request.arguments["room"])
