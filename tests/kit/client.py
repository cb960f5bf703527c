"""A client for stories: it says what is written and shows what comes in, and does nothing by itself."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from itertools import count
from typing import Self

from lxml import etree
from scramp import ScramClient

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

PATIENCE = 10.0  # seconds until a story that waits for nothing fails
NAMES = {
    "c": ns.CLIENT,
    "a": ns.COMPONENT,
    "roster": ns.ROSTER,
    "stream": ns.STREAM,
    "s": "urn:ietf:params:xml:ns:xmpp-stanzas",
    "e": "urn:ietf:params:xml:ns:xmpp-streams",
    "info": ns.DISCO_INFO,
    "items": ns.DISCO_ITEMS,
    "x": ns.DATA_FORMS,
    "delay": ns.DELAY,
    "sasl": ns.SASL,
    "privacy": "jabber:iq:privacy",
    "blocking": "urn:xmpp:blocking",
    "blocked": "urn:xmpp:blocking:errors",
}
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " to='{host}' version='1.0' xml:lang='en'>"
)


class Client:
    """One connection, usually one session. Stanzas come in as lxml elements."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.reader, self.writer, self.host = reader, writer, host
        self.jid = JID.parse(host)
        self._parser: etree.XMLPullParser | None = None
        self._inbox: deque[Element] = deque()
        self._ids = count(1)
        self.features: Element | None = None
        self.header: Element | None = None

    @classmethod
    async def dial(cls, port: int, host: str = "localhost") -> Self:
        """Connect, and say nothing yet."""
        return cls(*await asyncio.open_connection("127.0.0.1", port), host)

    async def open(self) -> Element:
        """Open a stream and return the features."""
        self._parser = etree.XMLPullParser(events=("start", "end"))
        self._depth = 0
        self.send(HEADER.format(host=self.host))
        self.features = await self.receive()
        return self.features

    async def secure(self) -> None:
        """STARTTLS, trusting whatever certificate is shown."""
        self.send(f"<starttls xmlns='{ns.TLS}'/>")
        assert (await self.receive()).tag == f"{{{ns.TLS}}}proceed"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await self.writer.start_tls(context)
        await self.open()

    async def login(self, user: str, password: str) -> None:
        """SCRAM-SHA-1, then the new stream."""
        await self.authenticate(user, password)
        await self.open()

    async def authenticate(self, user: str, password: str) -> None:
        """SCRAM-SHA-1 alone."""
        client = ScramClient(["SCRAM-SHA-1"], user, password)
        self.send(self._sasl("auth", client.get_client_first(), " mechanism='SCRAM-SHA-1'"))
        client.set_server_first(_decoded(await self.receive(), "challenge"))
        self.send(self._sasl("response", client.get_client_final()))
        client.set_server_final(_decoded(await self.receive(), "success"))

    async def bind(self, resource: str = "") -> JID:
        """Bind a resource."""
        inside = f"<resource>{resource}</resource>" if resource else ""
        reply = await self.ask(f"<iq type='set'><bind xmlns='{ns.BIND}'>{inside}</bind></iq>")
        self.jid = JID.parse(reply.findtext(f"{{{ns.BIND}}}bind/{{{ns.BIND}}}jid") or "")
        return self.jid

    def _sasl(self, name: str, text: str, attributes: str = "") -> str:
        from base64 import b64encode

        return f"<{name} xmlns='{ns.SASL}'{attributes}>{b64encode(text.encode()).decode()}</{name}>"

    def send(self, xml: str | bytes) -> None:
        """Send as it is."""
        self.writer.write(xml if isinstance(xml, bytes) else xml.encode())

    async def receive(self) -> Element:
        """The next element that comes in; fails where the stream ends instead."""
        while not self._inbox:
            data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
            assert data, f"{self.jid}: the stream ended"
            self._take(data)
        return self._inbox.popleft()

    async def reads(self, end: bytes) -> bytes:
        """What comes in next, as it is, up to `end`: for what libxml2 does not take, after which nothing is parsed."""
        return await asyncio.wait_for(self.reader.readuntil(end), PATIENCE)

    def _take(self, data: bytes) -> None:
        assert self._parser is not None
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "start" and self._depth == 1:
                self.header = element
            if event == "end" and self._depth == 1:
                self._inbox.append(element)

    async def ask(self, iq: str) -> Element:
        """Send an iq (an id is added) and return its reply; whatever else comes in meanwhile stays for later."""
        id = f"q{next(self._ids)}"
        self.send(iq.replace("<iq ", f"<iq id='{id}' ", 1))
        others: list[Element] = []
        while True:
            stanza = await self.receive()
            if (
                stanza.get("id") == id
                and etree.QName(stanza).localname == "iq"
                and stanza.get("type") in ("result", "error")
            ):
                self._inbox.extendleft(reversed(others))
                return stanza
            others.append(stanza)

    async def receives(self, xpath: str) -> Element:
        """The next stanza, which must match (prefixes: c, roster, s, info, items, x, delay, ...)."""
        stanza = await self.receive()
        assert stanza.xpath(f"self::{xpath}", namespaces=NAMES), f"{self.jid} expected {xpath}, got {show(stanza)}"
        return stanza

    async def receives_in_any_order(self, *xpaths: str) -> list[Element]:
        """As many stanzas as paths; each path is matched by another one."""
        stanzas = [await self.receive() for _ in xpaths]
        left = list(stanzas)
        for xpath in xpaths:
            found = next((each for each in left if each.xpath(f"self::{xpath}", namespaces=NAMES)), None)
            assert found is not None, f"{self.jid} expected {xpath}, got {[show(each) for each in left]}"
            left.remove(found)
        return stanzas

    async def ping(self) -> None:
        """The barrier: when it returns, the server has handled all that was sent before."""
        await self.ask(f"<iq type='get' to='{self.host}'><ping xmlns='{ns.PING}'/></iq>")

    async def receives_nothing(self) -> None:
        """Nothing has come in, and nothing of what the server handled so far will."""
        await self.ping()
        assert not self._inbox, f"{self.jid} expected nothing, got {[show(each) for each in self._inbox]}"

    async def pending(self) -> list[Element]:
        """All that has come in so far, taken out."""
        await self.ping()
        stanzas = list(self._inbox)
        self._inbox.clear()
        return stanzas

    async def receives_error(self, condition: str) -> Element:
        """The next stanza is an error reply with this condition (RFC 6120 8.3.3)."""
        stanza = await self.receive()
        assert error_of(stanza) == condition, f"{self.jid} expected {condition}, got {show(stanza)}"
        return stanza

    async def receives_stream_error(self, condition: str) -> None:
        """A stream error comes, then the end of the stream."""
        error = await self.receive()
        assert error.xpath(f"self::stream:error/e:{condition}", namespaces=NAMES), show(error)
        assert await asyncio.wait_for(self.reader.read(), PATIENCE) in (b"", b"</stream:stream>")
        await self.drop()

    async def close(self) -> None:
        """End the stream in order."""
        try:
            if not self.writer.is_closing():
                self.send("</stream:stream>")
                await asyncio.wait_for(self.reader.read(), PATIENCE)
        except (OSError, ssl.SSLError):
            pass  # the server was quicker
        await self.drop()

    async def drop(self) -> None:
        """Cut the connection."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (OSError, ssl.SSLError):
            pass  # the server was quicker


def show(stanza: Element) -> str:
    """A stanza for a failure's text."""
    return etree.tostring(stanza).decode()


def error_of(stanza: Element) -> str:
    """The condition of an error reply, empty where it is none."""
    found = stanza.xpath(
        "self::*[@type='error']/*[self::c:error|self::a:error]/s:*[not(self::s:text)]", namespaces=NAMES
    )
    return etree.QName(found[0]).localname if found else ""


def _decoded(element: Element, name: str) -> str:
    from base64 import b64decode

    assert element.tag == f"{{{ns.SASL}}}{name}", show(element)
    return b64decode(element.text or "").decode()
