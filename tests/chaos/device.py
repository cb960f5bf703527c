"""One device of one person: it talks, acknowledges, loses its connection, comes back and catches up."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from tests.kit.client import Client, show
from xmppd.xmpp.stanza import Element

from .book import Book, Got, Said

SM: Final = "urn:xmpp:sm:3"
MAM: Final = "urn:xmpp:mam:2"
BODY: Final = "{jabber:client}body"
MESSAGE: Final = "{jabber:client}message"
STANZAS: Final = tuple(f"{{jabber:client}}{kind}" for kind in ("message", "presence", "iq"))
GONE: Final = (OSError, AssertionError, TimeoutError, asyncio.IncompleteReadError)
PAGE: Final = 100
LONG: Final = 0.08  # of all losses end after the session has ended
CARBONS: Final = "urn:xmpp:carbons:2"
FORWARDED: Final = f"{{{CARBONS}}}received/{{urn:xmpp:forward:0}}forwarded/{MESSAGE}"


class Device:
    """It knows what XEP-0198 asks a client to know, and writes into the book what it hears and what is sure."""

    def __init__(self, book: Book, account: str, name: str, contacts: list[str], chance: random.Random) -> None:
        """`contacts` are the addresses it writes to, bare and full."""
        self.book, self.account, self.name = book, account, name
        self.jid = f"{account}@localhost/{name}"
        self.contacts = contacts
        self.chance = chance
        self.shelf = book.shelf(account, name)
        self.pace = 0.3  # seconds between two messages, on average
        self.archived = True
        self.life = 0
        self.talking = asyncio.Event()
        self.client: Client | None = None
        self._id = ""
        self._here = False  # it has caught up, and said so
        self._sent = 0  # stanzas of ours in this session
        self._sure = 0  # of them, as the server says
        self._waiting: list[tuple[str, str, Said | None]] = []  # stanza, account, what it says; not acknowledged
        self._handled = 0  # stanzas of the server's
        self._told = 0  # of them, as the server knows for sure
        self._telling: list[int] = []
        self._fresh: list[tuple[int, Said]] = []  # got in this session, with their place in it
        self._last = ""  # id of the newest message known from the archive
        self._number = 0

    # Coming and going

    async def live(self, port: int) -> None:
        """Be online whenever that is possible, for ever."""
        while True:
            try:
                await self._one_connection(port)
            except GONE:
                self.book.counts["connections lost"] += 1
            finally:
                await self._hang_up()
            away = (3, 9) if self.chance.random() < LONG else (0.05, 0.5)
            await asyncio.sleep(self.chance.uniform(*away))

    async def _hang_up(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            client.writer.transport.abort()

    async def _one_connection(self, port: int) -> None:
        client = self.client = await Client.dial(port)
        await client.open()
        await client.login(self.account, self.account)
        await self._arrive(client)
        self.book.counts["connections made"] += 1
        talk = asyncio.create_task(self._talk(client))
        try:
            while True:
                self._take(client, await client.receive())
        finally:
            talk.cancel()

    async def _arrive(self, client: Client) -> bool:
        """Whether the session went on; a beginning that was cut short goes on too."""
        resumed = bool(self._id) and await self._resume(client)
        if not resumed:
            await self._begin(client)
        if not self._here:
            await self._appear(client)
        return resumed

    async def _resume(self, client: Client) -> bool:
        client.send(f"<resume xmlns='{SM}' previd='{self._id}' h='{self._handled}'/>")
        answer = await client.receive()
        resumed = answer.tag == f"{{{SM}}}resumed"
        if answer.get("h") is not None:
            self._acknowledged(int(answer.get("h") or ""))
        if resumed:
            self.book.counts["sessions resumed"] += 1
            self._told, self._telling = self._handled, []
            for stanza, _, _ in self._waiting:
                client.send(stanza)
        return resumed

    async def _begin(self, client: Client) -> None:
        """A new session; what the old one had not acknowledged is never known."""
        self.book.counts["sessions begun"] += 1
        self.shelf.unsure |= {said for place, said in self._fresh if place > self._told}
        self._here = False
        self._id, self._waiting, self._fresh = "", [], []
        self._sent = self._sure = self._handled = self._told = 0
        self._telling = []
        await client.bind(self.name)
        client.send(f"<enable xmlns='{SM}' resume='true'/>")
        while (answer := await client.receive()).tag != f"{{{SM}}}enabled":
            assert answer.tag in STANZAS, show(answer)
            if answer.tag == MESSAGE:
                self._hear(answer)
        self._id = answer.get("id") or ""

    async def _appear(self, client: Client) -> None:
        if self.archived:
            self._say(client, f"<iq type='set' id='carbons'><enable xmlns='{CARBONS}'/></iq>")
            await self._catch_up(client)
        self._say(client, "<presence/>")
        self._here = True

    async def _catch_up(self, client: Client) -> None:
        """Read the archive from where this device has read it."""
        complete = False
        while not complete:
            after = f"<after>{self._last}</after>" if self._last else ""
            rsm = f"<set xmlns='http://jabber.org/protocol/rsm'><max>{PAGE}</max>{after}</set>"
            self._number += 1
            id = f"page{self._number}"
            self._say(client, f"<iq type='set' id='{id}'><query xmlns='{MAM}'>{rsm}</query></iq>")
            while (stanza := await client.receive()).get("id") != id:
                self._take(client, stanza)
            self._take(client, stanza)
            fin = stanza.find(f"{{{MAM}}}fin")
            assert fin is not None, show(stanza)
            complete = fin.get("complete") == "true"

    # Talking

    def _say(self, client: Client, stanza: str, to: str = "", said: Said | None = None) -> None:
        self._waiting.append((stanza, to, said))
        self._sent += 1
        client.send(stanza)

    async def _talk(self, client: Client) -> None:
        since = 0
        while True:
            await self.talking.wait()
            await asyncio.sleep(self.chance.expovariate(1 / self.pace))
            whom = self.chance.choice(self.contacts)
            to = whom.partition("@")[0]
            self._number += 1
            said = (self.jid, self._number)
            self.book.said[to].append(said)
            text = f"<body>{self._number} {'x' * self.chance.randrange(200)}</body>"
            self._say(client, f"<message to='{whom}' type='chat' id='{self._number}'>{text}</message>", to, said)
            since += 1
            if since >= 5:
                since = 0
                self.ask(client)

    def ask(self, client: Client) -> None:
        """Acknowledge, and ask for an acknowledgement: its coming says that ours was heard."""
        client.send(f"<a xmlns='{SM}' h='{self._handled}'/><r xmlns='{SM}'/>")
        self._telling.append(self._handled)

    # Hearing

    def _take(self, client: Client, element: Element) -> None:
        tag = element.tag
        if tag == f"{{{SM}}}r":
            client.send(f"<a xmlns='{SM}' h='{self._handled}'/>")
        elif tag == f"{{{SM}}}a":
            self._acknowledged(int(element.get("h") or ""))
            if self._telling:
                self._told = self._telling.pop(0)
        elif tag in STANZAS:
            self._handled += 1
            if tag == MESSAGE:
                self._hear(element)
        else:
            raise AssertionError(show(element))

    def _acknowledged(self, h: int) -> None:
        news = h - self._sure
        assert 0 <= news <= len(self._waiting), f"{self.jid} is told {h} of {self._sent}"
        for _, to, said in self._waiting[:news]:
            if said is not None:
                self.book.sure[to].add(said)
        del self._waiting[:news]
        self._sure = h

    def _hear(self, message: Element) -> None:
        result = message.find(f"{{{MAM}}}result")
        if result is not None:
            self._read(result)
            return
        if message.get("type") == "error":
            self.book.refused.add((self.jid, int(message.get("id") or 0)))
            self.book.counts["refused"] += 1
            return
        copy = message.find(FORWARDED)
        if copy is not None:
            message = copy
        said = said_in(message)
        if said is None or not (message.get("to") or "").startswith(f"{self.account}@"):
            return  # an answer, or a copy of what another device has said
        ids = [each.get("id") or "" for each in message.iterfind("{urn:xmpp:sid:0}stanza-id")]
        late = message.find("{urn:xmpp:delay}delay") is not None
        self.shelf.live.append(Got(said, late, self.life, ids[0] if ids else "", said in self.shelf.known))
        self._fresh.append((self._handled, said))

    def _read(self, result: Element) -> None:
        id = self._last = result.get("id") or ""
        message = result.find(f"{{urn:xmpp:forward:0}}forwarded/{MESSAGE}")
        assert message is not None, show(result)
        said = said_in(message)
        if said is not None and (message.get("to") or "").startswith(f"{self.account}@"):
            self.shelf.read[id] = said
            self.shelf.known.add(said)

    # The end

    @property
    def quiet(self) -> bool:
        """Whether it is online and all it said is acknowledged."""
        return self.client is not None and not any(said for _, _, said in self._waiting)

    async def leave(self, port: int) -> None:
        """Come once more, read what is left, and close the stream."""
        client = self.client = await Client.dial(port)
        await client.open()
        await client.login(self.account, self.account)
        if await self._arrive(client) and self.archived:
            await self._compare(client)
        await self._settle(client)
        client.send(f"<a xmlns='{SM}' h='{self._handled}'/></stream:stream>")
        try:
            while True:
                self._take(client, await client.receive())
        except AssertionError:
            pass
        await client.drop()

    async def _compare(self, client: Client) -> None:
        """What came into the archive since the session began, the session must have been sent too."""
        await self._settle(client)
        before = set(self.shelf.read)
        await self._catch_up(client)
        since = {said for id, said in self.shelf.read.items() if id not in before}
        self.shelf.missed |= since - {got.said for got in self.shelf.live}

    async def _settle(self, client: Client) -> None:
        """Until the server has answered an iq that came behind everything."""
        self._number += 1
        id = f"end{self._number}"
        self._say(client, f"<iq type='get' to='localhost' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
        while True:
            element = await client.receive()
            self._take(client, element)
            if element.get("id") == id:
                return


def said_in(message: Element) -> Said | None:
    """Whose words these are, and which."""
    body = message.findtext(BODY)
    return None if body is None else (message.get("from") or "", int(body.split()[0]))
