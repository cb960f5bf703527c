"""A module with a domain of its own, for stories about the services beside the server."""

from xmppd.api import Event, Identity, Module
from xmppd.xmpp.caps import Disco
from xmppd.xmpp.namespaces import DISCO_INFO


class Serving(Module):
    """Says what it is, and nothing else."""

    def serves(self) -> str:
        return f"echo.{self.host.name}"

    async def handle(self, event: Event) -> None:
        if event.stanza.type == "get":
            answer = Disco((Identity("component", "echo"),), (DISCO_INFO,)).to_element()
            await self.send(event.stanza.result(answer))
