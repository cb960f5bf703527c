"""An external component for stories (XEP-0114): it says what is written and shows what comes in."""

from __future__ import annotations

from hashlib import sha1

from lxml import etree

from xmppd.testing import settings
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .client import Client, show
from .world import World

DOMAIN = "bus.localhost"
SECRET = "pssst"  # noqa: S105
HEADER = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"


def door(*domains: str, **options: object) -> dict[str, object]:
    """An entry of `listen` for these domains."""
    hosts = {domain: {"password": SECRET} for domain in domains or (DOMAIN,)}
    return {"port": 0, "ip": "127.0.0.1", "module": "component", "hosts": hosts, **options}


def doors(*more: dict[str, object]) -> list[dict[str, object]]:
    """One door for clients, then those for components; one for `DOMAIN` where none are named."""
    return [*settings()["listen"], *(more or (door(),))]


class Component(Client):
    """The component's side of one stream. Every stanza it says needs a `from`."""

    domain = DOMAIN

    @classmethod
    async def connect(cls, world: World, domain: str = DOMAIN, number: int = 1) -> Component:
        """A connection to the numbered door; nothing was said on it yet."""
        made = await cls.dial(world.server.doors[number].port, world.server.host)
        made.domain = domain
        world.clients.append(made)
        return made

    async def open(self) -> Element:
        """Open a stream and return the header that answers."""
        self._parser = etree.XMLPullParser(events=("start", "end"))
        self._depth = 0
        self.send(HEADER.format(domain=self.domain))
        while self.header is None:
            self._take(await self.reader.read(65536))
        return self.header

    def handshake(self, secret: str = SECRET) -> str:
        """What proves that it knows the secret."""
        assert self.header is not None
        return sha1(f"{self.header.get('id')}{secret}".encode(), usedforsecurity=False).hexdigest()

    async def shake(self, secret: str = SECRET) -> Element:
        """Make the handshake; what answers it."""
        self.send(f"<handshake>{self.handshake(secret)}</handshake>")
        return await self.receive()

    async def ping(self) -> None:
        """The barrier: when it returns, the server has handled all that was sent before."""
        await self.ask(f"<iq type='get' from='{self.domain}' to='{self.host}'><ping xmlns='{ns.PING}'/></iq>")


async def component(world: World, domain: str = DOMAIN, number: int = 1) -> Component:
    """A component that is connected."""
    made = await Component.connect(world, domain, number)
    await made.open()
    answer = await made.shake()
    assert answer.tag == f"{{{ns.COMPONENT}}}handshake", show(answer)
    return made
