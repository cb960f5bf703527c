"""A client for stories that comes by BOSH (XEP-0124)."""

from __future__ import annotations

from typing import Any, cast

from lxml import etree

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .client import Client
from .http import Answer, Http
from .world import World

HTTPBIND = "http://jabber.org/protocol/httpbind"
XBOSH = "urn:xmpp:xbosh"
PATH = "/http-bind"
FIRST_RID = 1573741820
RESTART = f"xmlns:xmpp='{XBOSH}' xmpp:restart='true'"


def body(inside: str = "", **attributes: Any) -> bytes:
    """A request's body; `xml__lang` is `xml:lang`, and attributes that are None are left out."""
    given = {"xmlns": HTTPBIND} | attributes
    text = "".join(f" {name.replace('__', ':')}='{value}'" for name, value in given.items() if value is not None)
    return f"<body{text}>{inside}</body>".encode() if inside else f"<body{text}/>".encode()


def condition(answer: Answer) -> str | None:
    """How the session ends, as an answer says it; None where it goes on."""
    found = answer.xml
    assert found.tag == f"{{{HTTPBIND}}}body"
    return found.get("condition", "") if found.get("type") == "terminate" else None


class Bosh(Client):
    """A session. `post` sends a request and does not wait; `receive` polls until there is something."""

    reader: Any
    writer: Any

    def __init__(self, world: World, door: int = -1) -> None:
        super().__init__(cast(Any, None), cast(Any, None), world.server.host)
        self.port = world.server.doors[door].port
        self.rid = FIRST_RID
        self.sid: str | None = None
        self.headers: dict[str, str] = {}
        self.waiting: list[Http] = []
        self._free: list[Http] = []
        self._all: list[Http] = []
        self._late: list[str] = []

    async def connection(self) -> Http:
        """One that no request waits on."""
        if self._free:
            return self._free.pop()
        made = await Http.dial(self.port)
        self._all.append(made)
        return made

    def reconnect(self) -> None:
        """The server may have closed what was idle for so long."""
        self._free.clear()

    async def post(self, inside: str = "", *, rid: int | None = None, **attributes: Any) -> Http:
        """Send the next request, or the one with this id; returns the connection that its answer will come on."""
        if rid is None:
            self.rid += 1
            rid = self.rid
        return await self.put(body(inside, rid=rid, sid=self.sid, **attributes))

    async def put(self, xml: bytes) -> Http:
        """Send a request as it is."""
        connection = await self.connection()
        connection.send("POST", PATH, xml, content_type="text/xml; charset=utf-8", **self.headers)
        return connection

    async def create(self, **attributes: Any) -> Answer:
        """Ask for a session, and read the answer; what it holds can be received."""
        given = {"to": self.host, "ver": "1.11", "wait": 60, "hold": 1, "xml__lang": "en"} | attributes
        given |= {"xmlns__xmpp": XBOSH, "xmpp__version": "1.0"}
        connection = await self.put(body(rid=self.rid, **given))
        answer = await self.answer(connection)
        if answer.status == 200:
            self.sid = answer.xml.get("sid")
        return answer

    async def answer(self, connection: Http) -> Answer:
        """The answer on a connection; its elements can be received."""
        answer = await connection.answer()
        if connection not in self._free:
            self._free.append(connection)
        if answer.status == 200:
            self._inbox.extend(answer.xml)
        return answer

    async def turn(self) -> None:
        """The server has handled all that was sent before, and answered what it wants to answer."""
        connection = await Http.dial(self.port)
        await connection.ask("OPTIONS", PATH)
        await connection.ask("OPTIONS", PATH)
        await connection.close()

    async def ask_server(self, inside: str = "", **attributes: Any) -> Answer:
        """Send the next request and read its answer."""
        return await self.answer(await self.post(inside, **attributes))

    # What stories of any client use

    async def open(self) -> Element:
        """Open a stream, or restart it, and return the features."""
        if self.sid is None:
            await self.create()
        else:
            connection = await self.post(to=self.host, xml__lang="en", xmlns__xmpp=XBOSH, xmpp__restart="true")
            self.waiting.append(connection)
        self.features = await self.receive()
        assert self.features.tag == f"{{{ns.STREAM}}}features", etree.tostring(self.features)
        return self.features

    def send(self, xml: str | bytes) -> None:
        """Send with the next request; it leaves when something is received."""
        self._late.append(xml if isinstance(xml, str) else xml.decode())

    async def receive(self) -> Element:
        """The next element that comes in."""
        while True:
            if self._late:
                inside, self._late = "".join(self._late), []
                self.waiting.append(await self.post(inside))
            elif self._inbox:
                return self._inbox.popleft()
            elif not self.waiting:
                self.waiting.append(await self.post())
            if not self._inbox or len(self.waiting) > 1:
                answer = await self.answer(self.waiting.pop(0))
                assert condition(answer) is None, answer.body

    async def close(self) -> None:
        """End the session."""
        if self.sid is not None:
            await self.post(type="terminate")
        await self.drop()

    async def drop(self) -> None:
        """Cut all connections."""
        for connection in self._all:
            await connection.close()


async def bosh(world: World, address: str = "", door: int = -1, **attributes: Any) -> Bosh:
    """A session at the numbered door of `world`; with an address it logs in and binds, and sends no presence."""
    client = Bosh(world, door)
    world.clients.append(client)
    await client.create(**attributes)
    if address:
        name, _, resource = address.partition("/")
        await world.account(name)
        client.features = client._inbox.popleft()
        await client.login(name, name)
        await client.bind(resource)
    return client
